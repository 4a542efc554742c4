"""Bounds how often an address may try a password."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView


class SignInThrottle(AnonRateThrottle):
    """Attempts by address; who has signed in already counts as well."""

    scope = "login"

    def get_rate(self) -> str | None:
        """As set now, and not when this module was loaded."""
        rate: str | None = settings.SYSMON_RATE_LOGIN
        return rate

    def get_cache_key(self, request: Request, view: APIView) -> str:  # noqa: ARG002
        """One count for each address."""
        return str(self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)})


class SignInThrottleMiddleware:
    """Answers 429 where an address has tried too many passwords at the admin's sign-in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and request.path == reverse("admin:login"):
            throttle = SignInThrottle()
            if not throttle.allow_request(Request(request), APIView()):
                return _refused(throttle.wait())
        return self._get_response(request)


def _refused(seconds: float | None) -> HttpResponse:
    answer = JsonResponse({"detail": "Too many attempts to sign in. Try again later.", "errors": {}}, status=429)
    answer["Retry-After"] = str(int(seconds or 0) + 1)
    return answer
