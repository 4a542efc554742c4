"""Tokens with which programs read the API in the name of a user."""

import hashlib
import secrets

from django.conf import settings
from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

# Every token begins with it: it tells ours from a JWT, and lets scanners of repositories find one that slipped in.
PREFIX = "sysmon_"
SECRET_BYTES = 32
SHOWN_CHARACTERS = len(PREFIX) + 4


def digest_of(secret: str) -> str:
    """What is stored of a token. It is random and long: a slow hash, as for passwords, would protect nothing more."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class ApiToken(models.Model):
    """A token of a user: named, known by a digest only, and no longer good when it is revoked or has expired."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("user"))
    name = models.CharField(_("name"), max_length=100, help_text=_("What the token is for, such as prometheus"))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    beginning = models.CharField(_("begins with"), max_length=SHOWN_CHARACTERS, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True, help_text=_("Never where it is empty"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    def draw_secret(self) -> str:
        """Draw the token itself, which is not stored: whoever gets it here is the only one to have it."""
        secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        self.digest, self.beginning = digest_of(secret), secret[:SHOWN_CHARACTERS]
        return secret

    @property
    def is_good(self) -> bool:
        """Whether it may be used now."""
        has_expired = self.expires_at is not None and self.expires_at <= now()
        return self.revoked_at is None and not has_expired
