"""Answers are sent compressed to who takes that: a series of a month shrinks to a fifth.

A page that holds a secret is sent as it is where somebody else has a say in its text, since its size would tell the
secret piece by piece (BREACH): the admin, which repeats what was searched for, the pages of the API, which repeat their
address. The front page repeats nothing, and its form's token is another each time.
"""

import gzip
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

CODING = "gzip"
# By measurement on series of points: level 1 leaves a quarter more, level 6 takes thrice as long for a tenth less.
LEVEL = 4
# Below this the headers weigh more than what is saved.
MIN_BYTES = 1_024
TYPES = frozenset({"application/json", "text/csv", "application/x-ndjson", "text/plain"})
OPENAPI = "application/vnd.oai.openapi"
PAGES = frozenset({"metrics:front-page"})


class CompressionMiddleware:
    """Compresses what is worth it; what the front of the API keeps, it keeps compressed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if response.status_code != 200 or not _may_be_compressed(request, response):
            return response
        patch_vary_headers(response, ("Accept-Encoding",))
        if takes_gzip(request.META.get("HTTP_ACCEPT_ENCODING")) and len(response.content) >= MIN_BYTES:
            response.content = gzip.compress(response.content, LEVEL, mtime=0)
            response.headers["Content-Encoding"] = CODING
            response.headers["Content-Length"] = str(len(response.content))
        return response


def takes_gzip(accepted: str | None) -> bool:
    """Whether Accept-Encoding prefers gzip: by name or as `*`, with a weight, and no less of it than `identity` has."""
    weights: dict[str, float] = {}
    for part in (accepted or "").lower().split(","):
        name, _semicolon, parameters = part.partition(";")
        weights[name.strip().removeprefix("x-")] = _weight(parameters)
    wanted = weights.get(CODING, weights.get("*", 0.0))
    return wanted > 0 and wanted >= weights.get("identity", 0.0)


def tag_of_coding(tag: str, accepted: str | None) -> str:
    """The ETag of an answer in the coding that a client takes: other bytes have another strong tag."""
    return f'{tag[:-1]}-{CODING}"' if takes_gzip(accepted) else tag


def _may_be_compressed(request: HttpRequest, response: HttpResponse) -> bool:
    if response.streaming or response.has_header("Content-Encoding"):
        return False
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type == "text/html":
        return request.resolver_match is not None and request.resolver_match.view_name in PAGES
    return media_type in TYPES or media_type.startswith(OPENAPI)


def _weight(parameters: str) -> float:
    name, _equals, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
