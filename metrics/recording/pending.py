"""Ticks between being taken and being stored: a database that is slow, locked or full holds up no tick."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

from django.db import DatabaseError, InterfaceError, connection, connections

from metrics.recording.refusals import REFUSED
from metrics.recording.writing import TickRecord, TickWriter

log = logging.getLogger(__name__)

# Ticks held in memory while the database cannot take them: an hour at the default interval, some 50 KB each.
MAX_PENDING_TICKS = 720

# Whoever ends waits no longer at once for a database that does not answer.
MAX_JOIN_SECONDS = 0.5

Report = Callable[[int, str], None]


def nobody(_ticks: int, _reason: str) -> None:
    """Whom to tell how many ticks wait, where nobody asks."""


class PendingTicks:
    """Stores each tick as it comes; what the database does not take waits, and goes first when it does again.

    It outlives the runs of a process: the next one stores what the one before could not.
    """

    def __init__(self) -> None:
        self._ticks: deque[TickRecord] = deque()
        self._lock = threading.Lock()
        # Ticks are stored in their order, whichever thread does it.
        self._one_at_a_time = threading.RLock()
        self._runs = 0
        self._report: Report = nobody
        self._reason = ""
        self._dropped = 0
        self._left_out = ""
        self._set_up: object = None

    def use(self, writer: TickWriter, interval_seconds: int) -> None:
        """From now on this writer stores, what waits too."""
        with self._lock:
            self._writer, self._interval_seconds = writer, interval_seconds

    def begin(self, report: Report = nobody) -> bool:
        """A run begins; True where another one of this process is still at work. `report` is told how many ticks wait
        and why: now, when that changes, and when none does any longer."""
        with self._lock:
            self._runs += 1
            self._report = report
        report(len(self._ticks), self._reason)
        return self._runs > 1

    def end(self) -> None:
        """A run is over."""
        with self._lock:
            self._runs -= 1

    @property
    def has_successor(self) -> bool:
        """Whether another run of this process goes on with what waits, once the one that asks has ended."""
        return self._runs > 1

    def __len__(self) -> int:
        return len(self._ticks)

    def add(self, tick: TickRecord) -> None:
        """Take over a tick."""
        self._append(tick)
        self._store()

    def flush(self) -> bool:
        """Store what waits; False where the database would not take it."""
        return self._store()

    def _append(self, tick: TickRecord) -> None:
        with self._lock:
            if self._ticks:
                self._ticks[-1] = self._ticks[-1].without_what_only_the_newest_keeps()
            if len(self._ticks) >= MAX_PENDING_TICKS:
                lost = self._ticks.popleft()
                log.error("the tick of %d is lost: %d others wait for the database", lost.timestamp, MAX_PENDING_TICKS)
            self._ticks.append(tick)

    def _store(self) -> bool:
        with self._one_at_a_time:
            while tick := self._next():
                try:
                    self._write(tick)
                except REFUSED as error:
                    log.error("the tick of %d is lost: the database refuses what it holds: %s", tick.timestamp, error)
                except (DatabaseError, InterfaceError) as error:
                    self._wait(tick, error)
                    return False
            self._wait_no_longer()
            return True

    def _next(self) -> TickRecord | None:
        with self._lock:
            return self._ticks.popleft() if self._ticks else None

    def _write(self, tick: TickRecord) -> None:
        self._set_up_connection()
        if self._writer.write(tick):
            if self._dropped:
                log.warning("%d ticks were dropped, whose times had been recorded before", self._dropped)
            self._dropped = 0
            self._log_what_is_left_out()
            return
        if not self._dropped:
            log.warning("the time %d was recorded before the clock was set back: its tick is dropped", tick.timestamp)
        self._dropped += 1

    def _log_what_is_left_out(self) -> None:
        """Once, and not at each tick: health goes on saying it."""
        if self._writer.left_out and self._writer.left_out != self._left_out:
            log.error("a tick was stored without some of its rows: %s", self._writer.left_out)
        self._left_out = self._writer.left_out

    def _set_up_connection(self) -> None:
        """Once for each connection that stores ticks."""
        is_new = connection.connection is None or connection.connection is not self._set_up
        if is_new and not connection.in_atomic_block:
            be_durable(self._interval_seconds)
            self._set_up = connection.connection

    def _wait(self, tick: TickRecord, error: Exception) -> None:
        was_waiting, self._reason = bool(self._reason), " ".join(str(error).split()) or type(error).__name__
        with self._lock:
            self._ticks.appendleft(tick)
        self._report(len(self._ticks), self._reason)
        if not was_waiting:
            log.error("ticks have to wait for the database: %s", self._reason)
        # The next try begins with a new connection: this one may be to a server that is gone.
        if not connection.in_atomic_block:
            connection.close()

    def _wait_no_longer(self) -> None:
        if self._reason:
            self._reason = ""
            self._report(0, "")
            log.warning("the database takes ticks again; none is waiting any more")


class BackgroundTicks(PendingTicks):
    """Stores ticks in a thread of its own: a disk that takes seconds for a write does not cost the next tick."""

    def __init__(self) -> None:
        super().__init__()
        self._wake_event: SimpleQueue[bool] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def add(self, tick: TickRecord) -> None:
        """Take over a tick and return at once."""
        self._append(tick)
        if self._thread is None or not self._thread.is_alive():
            self._wake_event = SimpleQueue()
            self._thread = threading.Thread(
                target=self._store_when_called, args=(self._wake_event,), name="store-ticks", daemon=True
            )
            self._thread.start()
        self._wake_event.put(True)

    def flush(self) -> bool:
        """End the thread when it is through, and store what it could not; another run of this process does both for
        itself."""
        if self.has_successor:
            return True
        if self._thread is not None:
            self._wake_event.put(False)
            self._thread.join(MAX_JOIN_SECONDS)
            if self._thread.is_alive():
                return False
            self._thread = None
        return self._store()

    def _store_when_called(self, wake_event: SimpleQueue[bool]) -> None:
        try:
            while wake_event.get():
                self._store()
        finally:
            connections.close_all()


def be_durable(interval_seconds: int) -> None:
    """On this connection a power cut costs no tick, and a lock is waited for no longer than half an interval."""
    patience_milliseconds = min(interval_seconds * 400, 5000)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute(f"PRAGMA busy_timeout={patience_milliseconds}")
        elif connection.vendor == "postgresql":
            cursor.execute(f"SET lock_timeout = {patience_milliseconds}")
