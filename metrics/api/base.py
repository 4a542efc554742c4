"""What decides on a request to this app, whatever REST_FRAMEWORK says in the project that has it."""

from collections.abc import Sequence
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.metadata import SimpleMetadata
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.schemas.inspectors import ViewInspector
from rest_framework.settings import DEFAULTS, IMPORT_STRINGS, APISettings
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSetMixin

from metrics.access.authentication import ApiTokenAuthentication, BrowserSession, JwtAuthentication
from metrics.access.permissions import ApiAccess
from metrics.access.throttles import AddressThrottle, UserThrottle
from metrics.api.page_policy import HEADER, POLICY
from metrics.api.renderers import BrowsableRenderer, FormatNegotiation, JsonRenderer, is_for_people
from metrics.api.schema import AutoSchema

OWN_SETTINGS = APISettings({"EXCEPTION_HANDLER": "metrics.api.errors.exception_handler"}, DEFAULTS, IMPORT_STRINGS)


class ApiView(APIView):
    """A view of this app: it says everything for which REST framework would ask the project."""

    authentication_classes: Sequence[type[BaseAuthentication]] = (
        ApiTokenAuthentication,
        JwtAuthentication,
        BrowserSession,
    )
    permission_classes: Sequence[Any] = (ApiAccess,)
    throttle_classes: Sequence[type[BaseThrottle]] = (AddressThrottle, UserThrottle)
    content_negotiation_class: type[BaseContentNegotiation] = FormatNegotiation
    renderer_classes: Sequence[type[BaseRenderer]] = (JsonRenderer, BrowsableRenderer)
    parser_classes: Sequence[type[BaseParser]] = (JSONParser,)
    metadata_class = SimpleMetadata
    versioning_class = None
    schema: ViewInspector | None = AutoSchema()
    settings = OWN_SETTINGS

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """The answer; a page has its policy, whether or not the project sends one with each."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if is_for_people(getattr(request, "accepted_renderer", None)):
            response.headers.setdefault(HEADER, POLICY)
        return response


class ApiViewSet(ViewSetMixin, ApiView):
    """A viewset of this app."""
