"""Which requests with a body are let in.

The web server reads a body in the thread that answers, for as long as the client cares to take, and cannot be told to
stop: an answer that goes out while a body is still being read hangs the whole server (granian 2.8.7). So whoever sends
half of a body holds a thread. Few threads ever take such a request, and of one address only one: what is only read is
always answered, and nobody alone keeps others from signing in.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class Refused(Exception):
    """A request that the application does not get: an HTTP status, and what to tell the client."""

    def __init__(self, status: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


def announced_bytes(environ: Mapping[str, Any], most_bytes: int) -> int:
    """How long a body follows the headers; Refused where what they say of it makes no sense or is too much."""
    length = environ.get("CONTENT_LENGTH") or "0"
    is_chunked = "HTTP_TRANSFER_ENCODING" in environ
    if is_chunked and environ.get("CONTENT_LENGTH"):
        raise Refused("400 Bad Request", "A request has a length or is chunked, not both.")
    if is_chunked:
        raise Refused("411 Length Required", "A request says how long its body is.")
    if not length.isascii() or not length.isdigit() or len(length) > 20 or int(length) > most_bytes:
        raise Refused("413 Content Too Large", "The body of the request is too large.")
    return int(length)


class Places:
    """How many bodies are waited for at once."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._senders: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, sender: str) -> Iterator[None]:
        """Have a place; Refused where there is none, or the sender has one."""
        with self._lock:
            if sender in self._senders:
                raise Refused("429 Too Many Requests", "The body of another request has not arrived yet.")
            if len(self._senders) >= self._count:
                raise Refused("503 Service Unavailable", "The bodies of too many requests have not arrived yet.")
            self._senders.add(sender)
        try:
            yield
        finally:
            with self._lock:
                self._senders.remove(sender)
