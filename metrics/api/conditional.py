"""Tags of answers, and 304 for a client that has the answer already."""

import hashlib
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags

from metrics.api.compression import tag_of_coding
from metrics.api.presentation import TimelessResponse
from metrics.api.renderers import is_for_people

CONDITION = "HTTP_IF_NONE_MATCH"
# They say something about a body, and a 304 has none.
OF_THE_BODY = {"Content-Length", "Content-Type", "Content-Disposition", "Content-Encoding"}


class ConditionalMiddleware:
    """Tags the answers that stay the same until something is stored, so that a client can ask whether they have.

    Pages for people are left out: they hold a form with a secret of its own each time.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if not isinstance(response, TimelessResponse) or is_for_people(response.accepted_renderer):
            return response
        tag = tag_of_coding(tag_of(response.identity or response.content), request.META.get("HTTP_ACCEPT_ENCODING"))
        response.headers["ETag"] = tag
        patch_vary_headers(response, ("Accept-Encoding",))
        # Kept by the browser of one person, and not used without asking.
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return unchanged(response) if names(request.META.get(CONDITION), tag) else response


def tag_of(identity: bytes) -> str:
    """The ETag of a body that is this, or follows from this."""
    return f'"{hashlib.sha256(identity).hexdigest()[:32]}"'


def names(condition: str | None, tag: str) -> bool:
    """Whether If-None-Match names a tag, which may have become a weak one on its way."""
    if condition is None:
        return False
    tags = [name.removeprefix("W/") for name in parse_etags(condition)]
    return tag in tags or tags == ["*"]


def unchanged(response: HttpResponse) -> HttpResponse:
    """The 304 that stands for an answer."""
    headers = {name: value for name, value in response.items() if name not in OF_THE_BODY}
    return HttpResponseNotModified(headers=headers)
