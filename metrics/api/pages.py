"""The list of addresses, the documentation's pages and the document itself."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect, HttpResponseRedirect
from django.urls import Resolver404, URLPattern, get_resolver, resolve
from django.views.decorators.common import no_append_slash
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2
from rest_framework.exceptions import NotFound, Throttled
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from metrics import __version__
from metrics.access.permissions import is_signed_in
from metrics.access.throttles import count_refused
from metrics.api import schema
from metrics.api.addresses import address_in_project, address_of, sign_in_address
from metrics.api.base import ApiView
from metrics.api.renderers import AnyFormatNegotiation, JsonRenderer, is_for_people
from metrics.api.views import ReadOnlyViewSet

METHODS = ["get", "head", "options"]


class SignInFirst(ApiView):
    """A page sends a stranger to the sign-in and back; everything else gets the error."""

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> Any:
        if is_for_people(request.accepted_renderer) and not is_signed_in(request):
            if wait := count_refused(request, self):
                raise Throttled(wait)
            raise SignInNeeded(request.get_full_path())
        super().permission_denied(request, message, code)

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, SignInNeeded):
            return HttpResponseRedirect(sign_in_address(exc.address))
        return super().handle_exception(exc)


class SignInNeeded(Exception):
    """A person who has not signed in wants to see a page."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


def information(request: Request) -> dict[str, Any]:
    """What sysmon is, and the addresses that it answers."""
    paths = {name: address_of(name) for name in (*_names(), "prometheus")}
    if admin := address_in_project("admin:index"):
        paths["admin"] = admin
    return {
        "name": "sysmon",
        "version": __version__,
        "description": "The flight recorder of a host: what psutil measured, now and at any moment before.",
        "links": {name: request.build_absolute_uri(path) for name, path in paths.items()},
    }


def _names() -> list[str]:
    """The addresses that are read, and need no more than their name."""
    patterns = (entry for entry in get_resolver("metrics.api.urls").url_patterns if isinstance(entry, URLPattern))
    plain = (pattern for pattern in patterns if pattern.name and not pattern.pattern.converters)
    return [str(pattern.name) for pattern in plain if "get" in pattern.callback.cls.http_method_names]  # type: ignore[attr-defined]


class ApiRoot(ReadOnlyViewSet):
    """The addresses of the API."""

    @schema.documented(exclude=True)
    def retrieve(self, request: Request) -> Response:
        """Where everything is."""
        self.taken.read(request.query_params)
        return Response(information(request))


class OpenApiDocument(ApiView):
    """The OpenAPI document."""

    http_method_names = METHODS
    parser_classes = ()
    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer]

    @schema.documented(exclude=True)
    def get(self, _request: Request) -> Response:
        """The document as JSON."""
        return Response(schema.document_below(address_of("front-page").rstrip("/")))


class DocumentationPage(SignInFirst):
    """A page about the document: all it needs is in its template, nothing is inline, nothing comes from outside."""

    http_method_names = METHODS
    parser_classes = ()
    renderer_classes = [TemplateHTMLRenderer]
    template_name: str

    @schema.documented(exclude=True)
    def get(self, _request: Request) -> Response:
        """The page."""
        return Response({"document": address_of("openapi")}, template_name=self.template_name)


class SwaggerPage(DocumentationPage):
    """Swagger UI."""

    template_name = "metrics/swagger.html"


class RedocPage(DocumentationPage):
    """ReDoc, without the fonts and the logo that it would load from outside."""

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


class NotFoundView(ApiView):
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


@no_append_slash
def without_slash(request: HttpRequest, path: str) -> HttpResponse:
    """Addresses have no trailing slash: one with it goes to the one without, where there is one."""
    address = request.path.rstrip("/")
    if not _exists(request.path_info.rstrip("/")):
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
