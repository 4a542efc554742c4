"""The front page, and the words of its script."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django.views.i18n import JSONCatalog
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from metrics import __version__, conf
from metrics.api import schema
from metrics.api.addresses import address_in_project, address_of, sign_in_address
from metrics.api.pages import METHODS, SignInFirst, information
from metrics.api.renderers import AnyFormatNegotiation, JsonRenderer, is_for_people
from metrics.dashboard.languages import choices, current_language, languages, messages_state
from metrics.dashboard.page_address import plain_query


class FrontPage(SignInFirst):
    """The dashboard for a browser, information about the API for everything else."""

    name = "sysmon"
    http_method_names = METHODS
    parser_classes = ()
    renderer_classes = [JsonRenderer, TemplateHTMLRenderer]
    content_negotiation_class = AnyFormatNegotiation

    @schema.documented(exclude=True)
    def get(self, request: Request) -> Response | HttpResponse:
        """Answer by what the client accepts."""
        if is_for_people(request.accepted_renderer):
            return show_page(request)
        return Response(information(request))


def show_page(request: Request) -> Response | HttpResponse:
    """The page; where a moment in its address is relative or short, the way to the address that is meant."""
    try:
        query = plain_query(request.query_params)
    except ValueError as error:
        return HttpResponse(f"{error}\n", status=400, content_type="text/plain; charset=utf-8")
    if query is not None:
        # The rest of the address is as the reader's browser has it, behind any proxy.
        return HttpResponse(status=302, headers={"Location": f"?{query}", "Cache-Control": "no-store"})
    return Response(page_context(), template_name="metrics/dashboard.html")


def page_context() -> dict[str, Any]:
    """What the page's template needs."""
    return {
        "host": conf.host_name(),
        "version": __version__,
        "languages": choices().items(),
        "language": current_language(),
        "time_zone": timezone.get_current_timezone_name(),
        "state": messages_state(),
        "api": f"{address_of('api')}/",
        "admin": address_in_project("admin:index"),
        "sign_in": sign_in_address(address_of("front-page")),
    }


class Messages(JSONCatalog):
    """What the script says, in one language: English text to translation. Its address has the files' state in it."""

    domain = "djangojs"
    packages = ["metrics"]

    def get(self, request: HttpRequest, *args: Any, language: str, **kwargs: Any) -> HttpResponse:
        """The catalogue of the language in the address, whatever the browser prefers."""
        if language not in languages():
            raise Http404
        with translation.override(language):
            response: HttpResponse = super().get(request, *args, **kwargs)
        if settings.DEBUG:
            patch_cache_control(response, no_cache=True)
        else:
            patch_cache_control(response, public=True, max_age=31_536_000, immutable=True)
        return response

    def render_to_response(self, context: dict[str, Any], **_kwargs: Any) -> HttpResponse:
        """The texts alone: numbers and times are the browser's own work."""
        return JsonResponse(context["catalog"], json_dumps_params={"ensure_ascii": False, "separators": (",", ":")})
