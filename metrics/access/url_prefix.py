"""The path below which a proxy publishes the program (SYSMON_URL_PREFIX), whether the proxy takes it off or not."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from metrics import conf

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
# The beginnings of the program's own addresses: what comes below one of them could be either.
OWN_SEGMENTS = frozenset(
    {"admin", "api", "docs", "favicon.ico", "language", "messages", "metrics", "openapi.json", "redoc", "static"},
)


def parse_prefix(text: str) -> str:
    """A prefix as `/sysmon`, empty for none; a ValueError says what is wrong."""
    bare = text.strip().strip("/")
    if not bare:
        return ""
    if not PREFIX.fullmatch(f"/{bare}") or {".", ".."} & set(bare.split("/")):
        raise ValueError("must be a path of letters, digits, and . _ ~ -, such as /sysmon")
    if bare in OWN_SEGMENTS:
        raise ValueError("is an address of the program itself; choose another path, such as /sysmon")
    return f"/{bare}"


def take_off_prefix(environ: Environ) -> None:
    """Have a request of WSGI name the prefix as where the program lies, and no more as a part of the path."""
    prefix = conf.url_prefix()
    if not prefix or environ.get("SCRIPT_NAME") == prefix:
        return
    environ["SCRIPT_NAME"], path = prefix, environ.get("PATH_INFO", "")
    if path == prefix or path.startswith(f"{prefix}/"):
        environ["PATH_INFO"] = path.removeprefix(prefix) or "/"


class UrlPrefix:
    """A WSGI application before another one."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        take_off_prefix(environ)
        return self.application(environ, start_response)
