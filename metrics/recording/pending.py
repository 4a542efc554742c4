"""Ticks between being taken and being stored: a database that is slow, locked or full holds up no tick."""

import logging
import threading
from collections import deque
from queue import SimpleQueue

from django.db import OperationalError, connection, connections

from metrics.recording.writing import TickRecord, TickWriter

log = logging.getLogger(__name__)

# Ticks held in memory while the database cannot take them: an hour at the default interval.
MOST_PENDING_TICKS = 720


class PendingTicks:
    """Stores each tick as it comes; what the database does not take waits, and goes first when it does again."""

    def __init__(self, writer: TickWriter, interval_seconds: int) -> None:
        self._writer = writer
        self._interval_seconds = interval_seconds
        self._ticks: deque[TickRecord] = deque()
        self._is_waiting = False

    def add(self, tick: TickRecord) -> None:
        """Take over a tick."""
        self._append(tick)
        self._store()

    def flush(self) -> bool:
        """Store what waits; False where the database would not take it."""
        return self._store()

    def _append(self, tick: TickRecord) -> None:
        if len(self._ticks) >= MOST_PENDING_TICKS:
            lost = self._ticks.popleft()
            log.error("the tick of %d is lost: %d others wait for the database", lost.timestamp, MOST_PENDING_TICKS)
        self._ticks.append(tick)

    def _store(self) -> bool:
        while self._ticks:
            tick = self._ticks.popleft()
            try:
                be_durable(self._interval_seconds)
                if not self._writer.write(tick):
                    log.warning("the tick of %d was recorded before: was the clock set back?", tick.timestamp)
            except OperationalError as error:
                self._ticks.appendleft(tick)
                self._say_once(error)
                return False
        if self._is_waiting:
            self._is_waiting = False
            log.warning("the database takes ticks again; none is waiting any more")
        return True

    def _say_once(self, error: OperationalError) -> None:
        if not self._is_waiting:
            self._is_waiting = True
            log.error("ticks have to wait for the database: %s", error)


class BackgroundTicks(PendingTicks):
    """Stores ticks in a thread of its own: a disk that takes seconds for a write does not cost the next tick."""

    def __init__(self, writer: TickWriter, interval_seconds: int) -> None:
        super().__init__(writer, interval_seconds)
        self._bell: SimpleQueue[bool] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def add(self, tick: TickRecord) -> None:
        """Take over a tick and return at once."""
        self._append(tick)
        if self._thread is None:
            self._thread = threading.Thread(target=self._store_when_called, name="store-ticks", daemon=True)
            self._thread.start()
        self._bell.put(True)

    def flush(self) -> bool:
        """End the thread when it is through, and store what it could not."""
        if self._thread is not None:
            self._bell.put(False)
            self._thread.join()
            self._thread = None
        return self._store()

    def _store_when_called(self) -> None:
        try:
            while self._bell.get():
                self._store()
        finally:
            connections.close_all()


def be_durable(interval_seconds: int) -> None:
    """On this connection a power cut costs no tick, and a lock is waited for no longer than half an interval."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(f"PRAGMA busy_timeout={min(interval_seconds * 400, 5000)}")
