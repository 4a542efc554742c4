"""The list of addresses, the documentation's pages and the document itself."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect, HttpResponseRedirect
from django.urls import Resolver404, URLPattern, get_resolver, resolve, reverse
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metrics import __version__
from metrics.access.throttles import count_refused
from metrics.api.renderers import AnyFormatNegotiation, JsonRenderer, is_for_people
from metrics.api.schema import document
from metrics.api.views import ReadOnlyViewSet

METHODS = ["get", "head", "options"]
# What is not in the API's own table of addresses.
OTHER_ADDRESSES = {"prometheus": "prometheus", "admin": "admin:index"}


class SignInFirst(APIView):
    """A page sends a stranger to the sign-in and back; everything else gets the error."""

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> Any:
        if is_for_people(request.accepted_renderer) and not request.user.is_authenticated:
            if wait := count_refused(request, self):
                raise Throttled(wait)
            raise SignInNeeded(request.get_full_path())
        super().permission_denied(request, message, code)

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, SignInNeeded):
            return HttpResponseRedirect(f"{reverse('admin:login')}?{urlencode({'next': exc.address})}")
        return super().handle_exception(exc)


class SignInNeeded(Exception):
    """A person who has not signed in wants to see a page."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


def information(request: Request) -> dict[str, Any]:
    """What sysmon is, and the addresses that it answers."""
    names = {**{name: name for name in _names()}, **OTHER_ADDRESSES}
    return {
        "name": "sysmon",
        "version": __version__,
        "description": "The flight recorder of a host: what psutil measured, now and at any moment before.",
        "links": {name: request.build_absolute_uri(reverse(view)) for name, view in names.items()},
    }


def _names() -> list[str]:
    """The addresses that are read, and need no more than their name."""
    patterns = (entry for entry in get_resolver("metrics.api.urls").url_patterns if isinstance(entry, URLPattern))
    plain = (pattern for pattern in patterns if pattern.name and not pattern.pattern.converters)
    return [str(pattern.name) for pattern in plain if "get" in pattern.callback.cls.http_method_names]  # type: ignore[attr-defined]


class ApiRoot(ReadOnlyViewSet):
    """The addresses of the API."""

    @extend_schema(exclude=True)
    def retrieve(self, request: Request) -> Response:
        """Where everything is."""
        self.taken.read(request.query_params)
        return Response(information(request))


class OpenApiDocument(APIView):
    """The OpenAPI document."""

    http_method_names = METHODS
    parser_classes = ()
    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer]

    @extend_schema(exclude=True)
    def get(self, _request: Request) -> Response:
        """The document as JSON."""
        return Response(document())


class SwaggerPage(SignInFirst, SpectacularSwaggerSplitView):
    """Swagger UI: its script is an address of its own, nothing is inline, nothing comes from outside."""

    http_method_names = METHODS
    url_name = "openapi"
    template_name = "metrics/swagger.html"


class RedocPage(SignInFirst, SpectacularRedocView):
    """ReDoc, without the fonts and the logo that it would load from outside."""

    http_method_names = METHODS
    url_name = "openapi"
    template_name = "metrics/redoc.html"
    # ReDoc writes its own styles into the page and searches in a worker that it makes itself.
    content_security_policy = (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src 'self' blob:;"
        " object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Content-Security-Policy"] = self.content_security_policy
        return response


class NotFoundView(APIView):
    """Whatever else is asked for below /api: an error in the API's shape, in debug mode too."""

    renderer_classes = [JsonRenderer]
    parser_classes = ()
    content_negotiation_class = AnyFormatNegotiation
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Access first, so that a stranger learns nothing; then the error, whatever the method."""
        super().initial(request, *args, **kwargs)
        raise NotFound


def not_found(request: HttpRequest) -> HttpResponse:
    """A function, so that the breadcrumbs of the browsable API do not list it."""
    response: HttpResponse = NotFoundView.as_view()(request)
    return response


def without_slash(request: HttpRequest, path: str) -> HttpResponse:
    """Addresses have no trailing slash: one with it goes to the one without, where there is one."""
    address = "/" + path.rstrip("/")
    if not _exists(address):
        return not_found(request) if path.startswith("api/") else _missing()
    query = request.META.get("QUERY_STRING", "")
    # Not 301: the method is kept, so that a POST still gets the 405 that it would get there.
    return HttpResponsePermanentRedirect(f"{address}?{query}" if query else address, preserve_request=True)


def _exists(address: str) -> bool:
    try:
        return resolve(address).func is not not_found
    except Resolver404:
        return False


def _missing() -> HttpResponse:
    raise Http404
