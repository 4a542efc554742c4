"""Answers a repeated question from the bytes of the answer that Django REST framework gave, while nothing has changed.

Kept is only what the request and what is stored determine together (`TimelessResponse`). The key is all of the request
that anything behind this door can look at; a request with any other header (a cookie, a token, what a proxy adds) goes
to REST framework, and so does everything that is throttled, since that is counted there. What is stored is the same as
long as nothing was committed (metrics/storage/commit_watch.py). So there is one definition of the API, and no answer is
older than the newest commit.

It stands before Django: what Django does for any request takes longer than all of this.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from metrics.api.conditional import CONDITION, names, unchanged
from metrics.api.memory import PLACE_BYTES, held_bytes
from metrics.api.presentation import TimelessResponse
from metrics.formatting.moments import is_relative
from metrics.recording.heartbeat import attached
from metrics.storage.commit_watch import commit_mark

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
Headers = list[tuple[str, str]]

UNCHANGED = "304 Not Modified"

# Some twenty answers of a thousand points, or so many small ones.
MAX_KEPT_BYTES = 8_388_608
MAX_KEPT = 1000
MAX_TURN_SECONDS = 1.0
# The headers that a request may have; what each says is a part of the key, but for the one that is answered here.
HEADERS = frozenset(
    f"HTTP_{name}"
    for name in (
        *("HOST", "ACCEPT", "ACCEPT_LANGUAGE", "ACCEPT_ENCODING", "USER_AGENT", "CONNECTION", "CACHE_CONTROL"),
        *("PRAGMA", "REFERER", "DNT", "PRIORITY", "SEC_FETCH_SITE", "SEC_FETCH_MODE", "SEC_FETCH_DEST", "SEC_GPC"),
        *("SEC_CH_UA", "SEC_CH_UA_MOBILE", "SEC_CH_UA_PLATFORM", "IF_NONE_MATCH"),
    )
)
# What else tells one request from another.
ADDRESS = ("SERVER_PROTOCOL", "REMOTE_ADDR", "wsgi.url_scheme", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING")
# All of it but the one that is answered here.
KEY = (*ADDRESS, *sorted(HEADERS - {CONDITION}))
# All that the web server gives: only where there is more, each name is looked at. Others than headers do not matter.
KNOWN = HEADERS.union(
    ADDRESS,
    ("REQUEST_METHOD", "CONTENT_LENGTH", "CONTENT_TYPE", "SERVER_NAME", "SERVER_PORT", "GATEWAY_INTERFACE"),
    (f"wsgi.{name}" for name in ("version", "input", "input_terminated", "errors")),
    (f"wsgi.{name}" for name in ("multithread", "multiprocess", "run_once")),
)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer and its 304, and the mark that was the newest one before it was made."""

    mark: Hashable
    tag: str
    content: bytes
    headers: Headers
    headers_unchanged: Headers
    renewal: threading.Lock = field(default_factory=threading.Lock, compare=False)

    def give(self, condition: str | None, start_response: StartResponse) -> list[bytes]:
        """Answer a request that has this condition."""
        if names(condition, self.tag):
            start_response(UNCHANGED, self.headers_unchanged)
            return []
        start_response("200 OK", self.headers)
        return [self.content]


class ResponseCache:
    """A WSGI application before Django's."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self._answers = CachedResponses(MAX_KEPT_BYTES)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        key = key_of(environ)
        mark = None if key is None else commit_mark()
        if mark is None:
            return self.application(environ, start_response)
        kept = self._answers.find(key, mark)
        if kept is None:
            return self._renewed(key, environ, start_response)
        return kept.give(environ.get(CONDITION), start_response)

    def _renewed(self, key: Hashable, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """After a commit a hundred clients ask the same at once: one of them has Django answer, the others wait."""
        with self._answers.turn(key):
            mark = commit_mark()
            kept = self._answers.find(key, mark)
            if kept is None:
                return self._asked(key, mark, environ, start_response)
        return kept.give(environ.get(CONDITION), start_response)

    def _asked(
        self, key: Hashable, mark: Hashable | None, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Have Django answer. The condition stays here: of a 304 there would be nothing to keep."""
        started: list[Any] = []
        condition = environ.pop(CONDITION, None)
        response = self.application(environ, lambda *status_and_headers: started.extend(status_and_headers))
        if not isinstance(response, TimelessResponse) or "ETag" not in response:
            start_response(*started)
            return response
        tag, headers_unchanged = response.headers["ETag"], list(unchanged(response).items())
        answer = KeptAnswer(mark, tag, response.content, started[1], headers_unchanged)
        if mark is not None and is_repeatable(response):
            self._answers.keep(key, answer)
        response.close()
        return answer.give(condition, start_response)


NOTHING: tuple[None, int] = None, 0


class CachedResponses:
    """The answers that were asked for last, so many and so many bytes at the most."""

    def __init__(self, most_bytes: int, most: int = MAX_KEPT) -> None:
        self._most_bytes = most_bytes
        self._most = most
        self._bytes = 0
        # Each with what it takes.
        self._by_key: OrderedDict[Hashable, tuple[KeptAnswer, int]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Hashable, mark: Hashable | None) -> KeptAnswer | None:
        """The answer that was kept, None where something was committed since."""
        with self._lock:
            kept, _size = self._by_key.get(key, NOTHING)
            if kept is None or kept.mark != mark:
                return None
            self._by_key.move_to_end(key)
            return kept

    @contextmanager
    def turn(self, key: Hashable) -> Iterator[None]:
        """For one at a time, where an answer was kept that is out of date: only then is it known to be worth waiting.
        Who has waited for long does without."""
        with self._lock:
            kept, _size = self._by_key.get(key, NOTHING)
        has_turn = kept is not None and kept.renewal.acquire(timeout=MAX_TURN_SECONDS)
        try:
            yield
        finally:
            if kept is not None and has_turn:
                kept.renewal.release()

    def keep(self, key: Hashable, answer: KeptAnswer) -> None:
        """Keep an answer in place of the one before, and drop what was not asked for the longest."""
        size = size_of(key, answer)
        with self._lock:
            _before, freed = self._by_key.pop(key, NOTHING)
            self._by_key[key] = answer, size
            self._bytes += size - freed
            while self._bytes > self._most_bytes or len(self._by_key) > self._most:
                _key, (_oldest, freed) = self._by_key.popitem(last=False)
                self._bytes -= freed


def size_of(key: Hashable, answer: KeptAnswer) -> int:
    """What an answer takes in memory, with all that is kept beside its content: of a small one that is the most."""
    return held_bytes(key) + held_bytes(answer) + PLACE_BYTES


def key_of(environ: Environ) -> Hashable | None:
    """All of a request that its answer may depend on; None for one that is not for the cache."""
    if environ["REQUEST_METHOD"] != "GET" or not environ["PATH_INFO"].startswith("/api/"):
        return None
    if environ.get("CONTENT_LENGTH") not in {None, "", "0"}:
        return None
    if not environ.keys() <= KNOWN and any(name.startswith("HTTP_") for name in environ.keys() - KNOWN):
        return None
    # What was kept while access was public is not for whom a proxy that was noticed since brings.
    return (attached().has_proxy(), *map(environ.get, KEY))


def is_repeatable(response: TimelessResponse) -> bool:
    """Whether the answer is the same each time as long as nothing is stored, and giving it changes nothing."""
    query = response.renderer_context["request"].query_params  # type: ignore[attr-defined]
    return not response.cookies and not is_counted(response) and not any(map(is_relative, query.values()))


def is_counted(response: TimelessResponse) -> bool:
    """Whether there is a limit to how often a request like this is answered."""
    throttles = response.renderer_context["view"].get_throttles()  # type: ignore[attr-defined]
    return any(getattr(throttle, "rate", "unknown") for throttle in throttles)
