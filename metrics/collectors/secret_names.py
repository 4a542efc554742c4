"""Which words of a command line name a secret: options, variables, headers, fields."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

MASK = "***"

Hide = Callable[[str], str]
"""Takes a value and returns what may be shown of it."""


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


_SECRET_NAME = re.compile(
    r"passw(or)?d|passphrase|passcode|secret|credential|bearer|requirepass|masterauth"
    r"|(api|access|private|account|signing|encryption|master|shared|auth|subscription)_?key"
)
# Too short to be looked for inside of a word: Xorg's compass, a bypass, an author, the number of tokens.
_SECRET_LAST_WORD = re.compile(
    r"((db|user|root|admin|ssh|key|(key|trust)?store|smtp|ftp|ldap|vault)?pass|pwd|psk|pw|[a-z]*token|creds|o?auth)\d*"
)
# The name of something about a secret: where it is kept, how long it holds, whether there is one.
_HARMLESS_LAST_WORDS = word_set(
    """
    file files path paths dir directory folder fd stdin stdout prompt prompts env var source command cmd eval
    helper manager agent sock socket url uri endpoint host hostname port server service provider backend store
    name names id ids type kind class method mode scheme realm format algorithm policy strength issuer audience
    ttl timeout expiry expiration expire expires lifetime age length len size limit count min max rotation
    required enabled disabled authentication passwordless
    """
)
# Variables as programs read them, such as STRIPE_KEY; the key of an option is mostly a file or a column.
_KEY_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*KEY|KEY")
_HARMLESS_KEYS = word_set("public primary foreign sort partition cache routing row group registry hot object lookup")
_NEGATIONS = word_set("no ask skip with without disable enable prompt allow require")
_WORKING_DIRECTORIES = word_set("PWD OLDPWD --pwd")

_WORD_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")
_NAME_CHARACTERS = 128  # no option or variable has a longer name

# What these name is mostly a file (ansible --private-key, Xorg -auth, GOOGLE_APPLICATION_CREDENTIALS).
_OFTEN_A_PATH = re.compile(r"key$|credential|auth$")
_LOOKS_LIKE_A_PATH = re.compile(r"(~|\.{0,2}/|[A-Za-z]:\\)|.*\.(pem|key|json|crt|ya?ml|ini|txt|conf)$", re.DOTALL)
# A choice and no secret: --auth none, "password": null, ffmpeg -pass 1
_SWITCH = re.compile(r"\d|true|false|yes|no|on|off|none|null", re.IGNORECASE)


# Something that each name of a secret has in it; most names of options have nothing of it, and are told at once.
_MAY_BE_SECRET = re.compile(r"pas|secret|cred|bearer|auth|key|pwd|psk|pw|token", re.IGNORECASE)


def hide_named(name: str) -> Hide | None:
    """Return how to hide the value of this option, variable, field or header; None where it is no secret.

    >>> hide_named("--api-key")("abc"), hide_named("--keyboard")
    ('***', None)
    """
    if len(name) > _NAME_CHARACTERS or name in _WORKING_DIRECTORIES or not _MAY_BE_SECRET.search(name):
        return None
    return _hide_named(name)


@lru_cache(1024)
def _hide_named(name: str) -> Hide | None:
    words = [word.lower() for word in _WORD_BOUNDARY.split(name) if word]
    if not words or words[0] in _NEGATIONS or not (_is_secret(words) or _is_key_variable(name, words)):
        return None
    return hide_unless_path if _OFTEN_A_PATH.search("_".join(words)) else _hide_unless_switch


def _is_secret(words: Sequence[str]) -> bool:
    last = words[-1]
    joined = "_".join(words)
    if last in _HARMLESS_LAST_WORDS and not joined.endswith("secret_id"):
        return False
    return bool(_SECRET_NAME.search(joined) or _SECRET_LAST_WORD.fullmatch(last))


def _is_key_variable(name: str, words: Sequence[str]) -> bool:
    return words[-1] == "key" and bool(_KEY_VARIABLE.fullmatch(name)) and _HARMLESS_KEYS.isdisjoint(words)


def hide(secret: str) -> str:
    """Hide all of it."""
    return MASK if secret else ""


def _hide_unless_switch(secret: str) -> str:
    return secret if _SWITCH.fullmatch(secret) else hide(secret)


def hide_unless_path(secret: str) -> str:
    """Hide all of it, but for the path of a file or a choice."""
    return secret if _LOOKS_LIKE_A_PATH.match(secret) else _hide_unless_switch(secret)
