"""Looks whether another run has taken over."""

import threading
from queue import Empty, SimpleQueue

from django.db import DatabaseError, InterfaceError, connection, connections

from metrics.models import Host, Recorder

MAX_PATIENCE_SECONDS = 1.0


class Lease:
    """The lease of a host, as one of its runs reads it, in the thread that asks."""

    def __init__(self, host: Host, window: str, interval_seconds: int) -> None:
        self._host = host
        self._run_name = window
        self._patience_seconds = min(interval_seconds / 4, MAX_PATIENCE_SECONDS)

    def first_tick_of_another(self) -> int | None:
        """From which tick on another run records; None where none does. A DatabaseError, or a TimeoutError, where
        that cannot be read."""
        return self._read()

    def close(self) -> None:
        """It is not asked any more."""

    def _read(self) -> int | None:
        """Before each tick, so the query is written out."""
        table = connection.ops.quote_name(Recorder._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT first_tick FROM {table} WHERE host_id = %s AND "window" <> %s',  # noqa: S608
                [self._host.pk, self._run_name],
            )
            row = cursor.fetchone()
        return row[0] if row else None


class BackgroundLease(Lease):
    """Reads in a thread of its own, and waits for it no longer than a tick can be late: a server that has gone without
    a word, or a file that is locked, holds up no tick."""

    def __init__(self, host: Host, window: str, interval_seconds: int) -> None:
        super().__init__(host, window, interval_seconds)
        self._orders: SimpleQueue[bool] = SimpleQueue()
        self._answers: SimpleQueue[int | Exception | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_asked = False

    def first_tick_of_another(self) -> int | None:
        """As above. What was not answered in time is not asked again before it is."""
        if self._thread is None:
            # The thread that asks needs no connection of its own any more.
            connections.close_all()
            self._thread = threading.Thread(target=self._serve, name="read-lease", daemon=True)
            self._thread.start()
        if not self._is_asked:
            self._is_asked = True
            self._orders.put(True)
        try:
            answer = self._answers.get(timeout=self._patience_seconds)
        except Empty:
            raise TimeoutError(f"no answer for {self._patience_seconds:g} s") from None
        self._is_asked = False
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """End the thread as soon as it is through."""
        self._orders.put(False)

    def _serve(self) -> None:
        try:
            while self._orders.get():
                self._answers.put(self._answer())
        finally:
            connections.close_all()

    def _answer(self) -> int | Exception | None:
        try:
            return self._read()
        except (DatabaseError, InterfaceError) as error:
            # The next look begins with a new connection: this one may be to a server that is gone.
            connection.close()
            return error
