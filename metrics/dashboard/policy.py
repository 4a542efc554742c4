"""The policies of browsers with every answer of the program, files and the admin too."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from metrics.api.page_policy import HEADER, POLICY

# What we never ask a browser for, and that no page of others may load what we answer.
OTHERS = {
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class ContentSecurityPolicyMiddleware:
    """Sends the policies with every answer that does not bring one of its own, as the page of ReDoc does."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the header."""
        response = self.get_response(request)
        for name, value in {HEADER: POLICY, **OTHERS}.items():
            response.headers.setdefault(name, value)
        return response
