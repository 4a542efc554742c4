"""Which requests with a body are let in, and for how long a body is waited for.

granian reads a body for as long as the client cares to take, and has no limit of time. So the thread that answers gives
it up after some seconds, and its connection is closed. While it waits, a body holds one of few places; where there is
none, the newcomer gets that of whoever has waited longest, first of those whose sender holds the most. So nobody keeps
others from signing in by sending nothing.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

BODY_SECONDS = 5.0
# Whatever else takes no body: what comes with one is not read.
WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# Without one of them there is no body.
BODY_HEADERS = frozenset({"CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"})
LATE = "408 Request Timeout", "The body of the request did not come in time."
DISPLACED = "503 Service Unavailable", "The bodies of too many requests are awaited; this one did not come at once."


class Refused(Exception):
    """A request that the application does not get: an HTTP status, and what to tell the client."""

    def __init__(self, status: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class Incoming(Protocol):
    """A body as the web server gives it."""

    def receive(self, arrived: Callable[[], None]) -> None:
        """Begin to read it, and call when it is there or will never be."""

    def received(self) -> bytes:
        """What has arrived."""

    def give_up(self) -> None:
        """Read no more of it, and close its connection after the answer."""


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


@dataclass(eq=False, slots=True)
class Arrival:
    """A body on its way."""

    sender: str
    is_there: bool = False
    is_displaced: bool = False
    # Set when it is there, or has to go.
    changed: threading.Event = field(default_factory=threading.Event)

    def arrive(self) -> None:
        """It is there."""
        self.is_there = True
        self.changed.set()

    def displace(self) -> None:
        """It has to go."""
        self.is_displaced = True
        self.changed.set()


class Places:
    """The bodies that are waited for at once, so many and each for so long at the most."""

    def __init__(self, count: int, seconds: float = BODY_SECONDS) -> None:
        self._count = count
        self._seconds = seconds
        self._arrivals: list[Arrival] = []
        self._lock = threading.Lock()

    def read(self, body: Incoming, length: int, sender: str) -> bytes:
        """The body. Refused where it does not come in time, another one needs its place or the client has hung up."""
        arrival = Arrival(sender)
        self._enter(arrival)
        try:
            body.receive(arrival.arrive)
            arrival.changed.wait(self._seconds)
        finally:
            self._leave(arrival)
        if not arrival.is_there:
            body.give_up()
            raise Refused(*(DISPLACED if arrival.is_displaced else LATE))
        content = body.received()
        if len(content) != length:
            raise Refused("400 Bad Request", "The body of the request is shorter than announced.")
        return content

    def _enter(self, newcomer: Arrival) -> None:
        with self._lock:
            while len(self._arrivals) >= self._count:
                held = Counter(arrival.sender for arrival in self._arrivals)
                # Of equals the first, and they are in the order in which they came.
                displaced = max(self._arrivals, key=lambda arrival: held[arrival.sender])
                self._arrivals.remove(displaced)
                displaced.displace()
            self._arrivals.append(newcomer)

    def _leave(self, arrival: Arrival) -> None:
        with self._lock:
            if arrival in self._arrivals:
                self._arrivals.remove(arrival)
