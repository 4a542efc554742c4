"""One request to a destination, within a time, and what became of it."""

import threading
from collections.abc import Mapping
from queue import Empty, SimpleQueue
from typing import NamedTuple
from urllib.parse import urlencode

import urllib3

from metrics import __version__
from metrics.forwarding.batches import Batch
from metrics.forwarding.destinations import Destination

CONNECT_SECONDS = 2.0
ANSWER_BYTES, SHOWN_CHARACTERS = 4096, 300
# The points are at fault, not the connection: they would be refused for ever.
REFUSED, TOO_LARGE = {400, 422}, 413
NOT_FOUND = 404
# Where the far side says when to come back, it is believed up to this.
MAX_RETRY_AFTER_SECONDS = 300.0


class NotSentError(Exception):
    """The far side does not take points now. `retry_after_seconds` is what it asked for, 0 for nothing."""

    def __init__(self, message: str, retry_after_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class RefusedError(Exception):
    """The far side will never take these points, or not all of them."""


class TooLargeError(Exception):
    """The far side wants fewer points at once."""


Outcome = Exception | None


def send(destination: Destination, batch: Batch, seconds: float) -> None:
    """Post a batch; raises one of the errors above, with a text without secrets.

    In a thread that is left behind when the time is over: neither looking up a name nor an answer that drips in can be
    cancelled, and the task has to end.
    """
    outcomes: SimpleQueue[Outcome] = SimpleQueue()
    work = (destination, batch, seconds, outcomes)
    threading.Thread(target=_deliver, args=work, name="forward", daemon=True).start()
    try:
        outcome = outcomes.get(timeout=seconds)
    except Empty:
        raise NotSentError(f"no answer within {seconds:.1f} s") from None
    if outcome is not None:
        raise outcome


def _deliver(destination: Destination, batch: Batch, seconds: float, outcomes: "SimpleQueue[Outcome]") -> None:
    try:
        with urllib3.PoolManager(timeout=_timeout(seconds), retries=False) as pool:
            outcomes.put(_attempt(pool, destination, batch))
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        outcomes.put(NotSentError(reason(error)))


def _timeout(seconds: float) -> urllib3.Timeout:
    return urllib3.Timeout(connect=min(CONNECT_SECONDS, seconds), read=seconds)


def _attempt(pool: urllib3.PoolManager, destination: Destination, batch: Batch) -> Outcome:
    answer = _post(pool, destination, destination.address, batch.body, batch.headers)
    if answer.status == NOT_FOUND and destination.database:
        _create_database(pool, destination)
        answer = _post(pool, destination, destination.address, batch.body, batch.headers)
    return _outcome(destination, answer)


def _create_database(pool: urllib3.PoolManager, destination: Destination) -> None:
    """InfluxDB 1 makes none by itself; who may not make one gets the same 404 again."""
    name = destination.database.replace("\\", "\\\\").replace('"', '\\"')
    body = urlencode({"q": f'CREATE DATABASE "{name}"'}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    _post(pool, destination, destination.create_address, body, headers)


class _Answer(NamedTuple):
    status: int
    text: str
    retry_after: str


def _post(
    pool: urllib3.PoolManager, destination: Destination, address: str, body: bytes, described: Mapping[str, str]
) -> _Answer:
    asking = {"Authorization": destination.authorization} if destination.authorization else {}
    headers = {"User-Agent": f"sysmon/{__version__}", **described, **asking}
    # A redirect is an error: who follows it takes the secrets along.
    response = pool.request("POST", address, body=body, headers=headers, redirect=False, preload_content=False)
    try:
        text = response.read(ANSWER_BYTES).decode("utf-8", "replace")
        return _Answer(response.status, text, response.headers.get("Retry-After", ""))
    finally:
        response.close()


def _outcome(destination: Destination, answer: _Answer) -> Outcome:
    if 200 <= answer.status < 300:
        return None
    text = destination.without_secrets(" ".join(answer.text.split()))[:SHOWN_CHARACTERS]
    message = f"status {answer.status}" + (f": {text}" if text else "")
    if answer.status == TOO_LARGE:
        return TooLargeError(message)
    if answer.status in REFUSED:
        return RefusedError(message)
    wanted = float(answer.retry_after) if answer.retry_after.isdecimal() else 0.0
    return NotSentError(message, min(wanted, MAX_RETRY_AFTER_SECONDS))


def reason(error: Exception) -> str:
    """What went wrong with a connection, in words without its address, which may hold secrets."""
    known: tuple[tuple[type[Exception], str], ...] = (
        # The library counts the first two among the third.
        (urllib3.exceptions.NameResolutionError, "its name is not known"),
        (urllib3.exceptions.NewConnectionError, "no connection"),
        (urllib3.exceptions.ConnectTimeoutError, "no connection in time"),
        (urllib3.exceptions.ReadTimeoutError, "no answer in time"),
        (urllib3.exceptions.SSLError, "its certificate is not trusted, or it does not speak TLS"),
        (urllib3.exceptions.ProtocolError, "the connection broke"),
    )
    return next((words for kind, words in known if isinstance(error, kind)), f"{type(error).__name__}")
