"""Signing in without a browser: a JWT for name and password, and a new one for one that ends soon."""

from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from django.contrib.auth import authenticate
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import override

from metrics.access.authentication import CHALLENGE, jwt_for, refreshed
from metrics.access.throttles import SignInThrottle
from metrics.api import schema
from metrics.api.base import ApiView
from metrics.api.renderers import AnyFormatNegotiation, JsonRenderer

Serializer = serializers.Serializer[Any]


class JsonParser(BaseParser):
    """JSON that is UTF-8 and not nested without end: what is not is a 400, where json.loads may give up otherwise."""

    media_type = "application/json"

    @override
    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        try:
            return orjson.loads(stream.read())
        except orjson.JSONDecodeError as error:
            raise ParseError(str(error)) from None


class FormParser(BaseParser):
    """As a form, or curl -d, sends it; in UTF-8 whatever the header says."""

    media_type = "application/x-www-form-urlencoded"

    @override
    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        return QueryDict(stream.read(), encoding="utf-8")


class SignInSerializer(Serializer):
    """Who asks for a token."""

    username = serializers.CharField(min_length=1, max_length=150, trim_whitespace=False)
    password = serializers.CharField(min_length=1, max_length=4096, trim_whitespace=False)


class RefreshSerializer(Serializer):
    """The longer-lived of a pair of tokens."""

    refresh = serializers.CharField(min_length=1, max_length=4096, trim_whitespace=False)


class AccessSerializer(Serializer):
    """The token to send as `Authorization: Bearer …`."""

    access = serializers.CharField()


class PairSerializer(AccessSerializer):
    """Both tokens."""

    refresh = serializers.CharField()


class PostedView(ApiView):
    """Takes a small body without having signed in, and answers in JSON that nobody may keep."""

    http_method_names = ["post", "options"]
    authentication_classes = ()
    permission_classes = ()
    parser_classes = (JsonParser, FormParser)
    renderer_classes = (JsonRenderer,)
    content_negotiation_class = AnyFormatNegotiation
    taken: ClassVar[type[Serializer]]

    def get_authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """What a 401 says."""
        return CHALLENGE

    def read(self, request: Request) -> dict[str, Any]:
        """The body's values; a ValidationError that names what is wrong."""
        taken = self.taken(data=request.data)
        taken.is_valid(raise_exception=True)
        return dict(taken.validated_data)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


class TokenView(PostedView):
    """A JWT for name and password."""

    throttle_classes = (SignInThrottle,)
    taken = SignInSerializer

    @schema.documented(
        operation_id="make_token",
        summary="Sign in",
        request=SignInSerializer,
        tags=["auth"],
        responses=schema.answers(PairSerializer, {"access": "eyJ…", "refresh": "eyJ…"}, 400, 401, 415, 429),
    )
    def post(self, request: Request) -> Response:
        """Two tokens: `access` is sent with every request and holds for minutes, `refresh` gets new ones for a day."""
        user = authenticate(request._request, **self.read(request))
        if user is None:
            raise AuthenticationFailed(_("No user has this name and this password."))
        token = jwt_for(user)
        return Response({"access": str(token.access_token), "refresh": str(token)})


class RefreshView(PostedView):
    """A new access token."""

    taken = RefreshSerializer

    @schema.documented(
        operation_id="refresh_token",
        summary="Go on without the password",
        request=RefreshSerializer,
        tags=["auth"],
        responses=schema.answers(AccessSerializer, {"access": "eyJ…"}, 400, 401, 415, 429),
    )
    def post(self, request: Request) -> Response:
        """A new access token, as long as the user is active and the password has not changed."""
        return Response({"access": refreshed(self.read(request)["refresh"])})
