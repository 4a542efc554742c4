"""API tokens in use: which one a secret is, when it was used, and revoking it."""

import logging
import time
from datetime import timedelta

from django.db import DatabaseError
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from metrics.models.tokens import PREFIX, ApiToken, digest_of

log = logging.getLogger(__name__)

# How exactly `last_used_at` is known. It keeps a reader from writing at each request.
NOTED_EVERY_SECONDS = 60

# When this process last noted a use, by token: a database that takes nothing is asked no more often than one that does.
_noted: dict[int, float] = {}


def is_api_token(secret: str) -> bool:
    """Whether this claims to be one of ours; any other is a JWT."""
    return secret.startswith(PREFIX)


def find_token(secret: str) -> ApiToken | None:
    """The token that this is the secret of, if it is good and its user active."""
    token = ApiToken.objects.select_related("user").filter(digest=digest_of(secret)).first()
    return token if token is not None and token.is_good and token.user.is_active else None


def note_use(token: ApiToken) -> None:
    """Remember when the token was last used. That this cannot be written is no reason not to answer."""
    if time.monotonic() - _noted.get(token.pk, -NOTED_EVERY_SECONDS) < NOTED_EVERY_SECONDS:
        return
    _noted[token.pk] = time.monotonic()
    long_ago = Q(last_used_at=None) | Q(last_used_at__lt=now() - timedelta(seconds=NOTED_EVERY_SECONDS))
    try:
        ApiToken.objects.filter(long_ago, pk=token.pk).update(last_used_at=now())
    except DatabaseError as error:
        log.warning("when an API token was last used could not be noted: %s", error)


def revoke(tokens: QuerySet[ApiToken]) -> int:
    """Make them useless from now on; returns how many were still good."""
    return tokens.filter(revoked_at=None).update(revoked_at=now())
