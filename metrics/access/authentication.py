"""Who asks: the session of a browser, an API token, or a JWT."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import RefreshToken, Token
from typing_extensions import override

from metrics.access.throttles import Guesses
from metrics.access.tokens import find_token, is_api_token, note_use
from metrics.models import ApiToken

# What a 401 says; a browser's session cannot be sent by a header.
CHALLENGE = 'Bearer realm="sysmon"'
BEARER, TOKEN = "bearer", "token"
# Ours have some 400. A longer one is refused unread.
MAX_JWT_CHARACTERS = 1024
PASSWORD_CLAIM = "password"  # noqa: S105 (the name of a claim)


class BrowserSession(SessionAuthentication):
    """The session of the admin."""

    @override
    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class ApiTokenAuthentication(BaseAuthentication):
    """A token of the admin: `Authorization: Bearer sysmon_…`, or `Token sysmon_…`."""

    @override
    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        scheme, secret = credentials(request)
        if scheme != TOKEN and not (scheme == BEARER and is_api_token(secret)):
            return None
        with counting_guesses(request):
            token = find_token(secret)
            if token is None:
                raise AuthenticationFailed(_("Invalid token."))
        note_use(token)
        return token.user, token

    @override
    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class JwtAuthentication(JWTAuthentication):
    """`Authorization: Bearer …` with an access token of `/api/v1/auth/token`."""

    @override
    def authenticate(self, request: Request) -> tuple[Any, Token] | None:
        scheme, text = credentials(request)
        if scheme != BEARER or is_api_token(text):
            return None
        with counting_guesses(request):
            if len(text) > MAX_JWT_CHARACTERS:
                raise AuthenticationFailed(_("Invalid token."))
            token = self.get_validated_token(text.encode())
            return self.get_user(token), token

    @override
    def get_user(self, validated_token: Token) -> Any:
        user = super().get_user(validated_token)
        if not is_of_password(validated_token, user):
            raise AuthenticationFailed(_("Invalid token."))
        return user

    @override
    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


@contextmanager
def counting_guesses(request: Request) -> Iterator[None]:
    """Within it, credentials are looked at that were sent with a request: what fails counts as a guess, and after too
    many (`SYSMON_RATE_ANON`) nothing of that address is looked at for a while."""
    guesses = Guesses()
    guesses.check(request)
    try:
        yield
    except AuthenticationFailed:
        guesses.count(request)
        raise


def credentials(request: Request | HttpRequest) -> tuple[str, str]:
    """The scheme of the `Authorization` header in small letters, and what follows it."""
    scheme, _blank, secret = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    return scheme.lower(), secret.strip()


def jwt_for(user: Any) -> RefreshToken:
    """A pair of tokens for a user: the refresh token, whose `access_token` is the other."""
    token: RefreshToken = RefreshToken.for_user(user)
    token[PASSWORD_CLAIM] = user.get_session_auth_hash()
    return token


def is_of_password(token: Token, user: AbstractBaseUser) -> bool:
    """Whether the user still has the password that the token was given for, as with Django's sessions."""
    return constant_time_compare(str(token.get(PASSWORD_CLAIM, "")), user.get_session_auth_hash())


def refreshed(text: str) -> str:
    """A new access token; AuthenticationFailed where the refresh token is not good, or no longer."""
    if len(text) > MAX_JWT_CHARACTERS:
        raise AuthenticationFailed(_("Invalid token."))
    try:
        token = RefreshToken(text)  # type: ignore[arg-type]
    except TokenError:
        raise AuthenticationFailed(_("Invalid token.")) from None
    JwtAuthentication().get_user(token)
    return str(token.access_token)
