"""The languages that the page can be shown in, of those that the project offers."""

import hashlib
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils import translation

LOCALE = Path(__file__).resolve().parent.parent / "locale"
ENGLISH = "en"
CHOOSES_BY_REQUEST = "django.middleware.locale.LocaleMiddleware"
# Digits of the checksum in the address of the messages.
STATE_DIGITS = 12


def languages() -> dict[str, str]:
    """Codes and names, each language once however many variants of it the project has."""
    known = {ENGLISH, *(folder.name for folder in LOCALE.iterdir())}
    of_base: dict[str, tuple[str, str]] = {}
    for code, name in settings.LANGUAGES:
        if _base(code) in known:
            of_base.setdefault(_base(code), (code, str(name)))
    return dict(of_base.values())


def choices() -> dict[str, str]:
    """The languages among which somebody can choose; none where the project has one for all."""
    return languages() if CHOOSES_BY_REQUEST in settings.MIDDLEWARE else {}


def current_language() -> str:
    """The code of the language of this request; English where the page is not there in it."""
    base = _base(translation.get_language() or ENGLISH)
    return next((code for code in languages() if _base(code) == base and base != ENGLISH), ENGLISH)


@cache
def messages_state() -> str:
    """Digits that change with every text of the page's script."""
    digest = hashlib.sha256()
    for catalogue in sorted(LOCALE.rglob("djangojs.mo")):
        digest.update(catalogue.read_bytes())
    return digest.hexdigest()[:STATE_DIGITS]


def _base(code: str) -> str:
    return code.lower().partition("-")[0]
