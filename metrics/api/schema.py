"""The OpenAPI document: what each address answers, and the document itself, made once a process."""

import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.utils import translation
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema as SpectacularAutoSchema
from drf_spectacular.settings import patched_settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from typing_extensions import override

from metrics.api.openapi_settings import DOCUMENT_SETTINGS
from metrics.api.parameters import ListField, Parameters
from metrics.api.renderers import is_for_people
from metrics.api.serializers import ErrorSerializer

JSON, CSV, NDJSON, HTML = "application/json", "text/csv", "application/x-ndjson", "text/html"
WRONG_LIMIT = "Ensure this value is less than or equal to 1000."

ERRORS: dict[int, tuple[str, dict[str, Any]]] = {
    400: (
        "A parameter is out of range, malformed, unknown or given twice",
        {"detail": f"limit: {WRONG_LIMIT}", "errors": {"limit": [WRONG_LIMIT]}},
    ),
    401: ("Not signed in", {"detail": "Authentication credentials were not provided.", "errors": {}}),
    403: ("Not allowed", {"detail": "You do not have permission to perform this action.", "errors": {}}),
    404: ("Unknown host", {"detail": "Nothing was recorded for this host.", "errors": {}}),
    415: ("No such type of body", {"detail": 'Unsupported media type "text/plain" in request.', "errors": {}}),
    406: ("No such format", {"detail": "Could not satisfy the request Accept header.", "errors": {}}),
    429: ("Too many requests; Retry-After says when to try again", {"detail": "Request was throttled.", "errors": {}}),
    503: ("No sample has been recorded yet", {"detail": "No sample has been recorded yet.", "errors": {}}),
}
# Those of an address that is only read: nothing is sent to it.
ERRORS_OF_READING = tuple(code for code in ERRORS if code != 415)


class AutoSchema(SpectacularAutoSchema):
    """On loopback, or with public access, no sign-in is needed. What is browsable is a page too, whatever it says."""

    @override
    def get_auth(self) -> list[dict[str, Any]]:
        auths: list[dict[str, Any]] = super().get_auth()
        return auths if {} in auths else [*auths, {}]

    @override
    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation and any(map(is_for_people, self.view.get_renderers())):
            for response in operation["responses"].values():
                response["content"][HTML] = {"schema": {"type": "string"}}
        return operation


class BrowserSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the document calls the admin's session."""

    target_class = "metrics.access.authentication.BrowserSession"
    name = "session"

    @override
    def get_security_definition(self, auto_schema: SpectacularAutoSchema) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "The session of the admin. On loopback no sign-in is needed unless the settings ask for it.",
        }


class ApiTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the document calls a token of the admin."""

    target_class = "metrics.access.authentication.ApiTokenAuthentication"
    name = "apiToken"

    @override
    def get_security_definition(self, auto_schema: SpectacularAutoSchema) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token that was made in the admin, below API tokens. It is good until it is revoked.",
        }


class JwtScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the document calls a JWT."""

    target_class = "metrics.access.authentication.JwtAuthentication"
    name = "jwt"

    @override
    def get_security_definition(self, auto_schema: SpectacularAutoSchema) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access token of /api/v1/auth/token.",
        }


def documented(**says: Any) -> Callable[[Any], Any]:
    """`extend_schema` for a method of a view of this app, whatever class of schema the project has for its own."""

    def decorate(method: Any) -> Any:
        method.kwargs = {"schema": AutoSchema, **getattr(method, "kwargs", {})}
        return extend_schema(**says)(method)

    return decorate


def query(parameters: type[Parameters]) -> list[Any]:
    """The parameters of a class for the document; those that are lists as such, joined by commas."""
    lists = {name: field for name, field in parameters().fields.items() if isinstance(field, ListField)}
    return [parameters, *(_list_parameter(name, field) for name, field in lists.items())]


def _list_parameter(name: str, field: ListField) -> OpenApiParameter:
    items: dict[str, Any] = {"type": "string", "minLength": 1, "pattern": "^[^,]+$"}
    if field.choices is not None:
        items = {"type": "string", "enum": list(field.choices)}
    return OpenApiParameter(
        name,
        {"type": "array", "items": items, "minItems": 1},
        description=str(field.help_text),
        style="form",
        explode=False,
    )


def answers(
    serializer: Any, example: Any, *codes: int, description: str = "The answer", is_flat: bool = False
) -> dict[tuple[int, str], Any]:
    """Every answer of an address: 200 with its formats, and the errors that it can end in."""
    found: dict[tuple[int, str], Any] = {
        (200, JSON): OpenApiResponse(
            serializer, description=description, examples=[OpenApiExample("Example", value=example)]
        )
    }
    if is_flat:
        found[200, CSV] = OpenApiResponse(OpenApiTypes.STR, description=description)
        found[200, NDJSON] = OpenApiResponse(OpenApiTypes.STR, description=description)
    return found | {(code, JSON): error(code) for code in codes or ERRORS_OF_READING}


def error(code: int) -> OpenApiResponse:
    """An error in its one shape."""
    description, example = ERRORS[code]
    return OpenApiResponse(
        ErrorSerializer, description=description, examples=[OpenApiExample("Example", value=example)]
    )


# drf-spectacular loads its extensions at the first document, and two threads at once find them half loaded.
_making = threading.Lock()


@cache
def document() -> dict[str, Any]:
    """The whole document, as if the app lay at the root. It says the same to everybody, and making it takes longer than
    any other answer."""
    with _making, translation.override("en"), patched_settings(DOCUMENT_SETTINGS):
        generator = SchemaGenerator(urlconf="metrics.urls")  # type: ignore[no-untyped-call]
        made: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


def document_below(prefix: str) -> dict[str, Any]:
    """The document of an app that lies below a path, which each of its paths continues."""
    return {**document(), "servers": [{"url": prefix}]} if prefix else document()
