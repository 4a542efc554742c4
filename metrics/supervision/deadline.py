"""How long the database may work for one request: a stranger's costly question does not hold a thread for ever."""

import threading
import time
from typing import Any

from django.core.signals import request_started
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# Far above what the costliest question takes over a year of roll-ups: 0.7 s of CPU, 3.5 s beside other work.
SECONDS = 10
# So many of SQLite's own steps from one look at the clock to the next: some milliseconds.
STEPS = 50_000

_of_thread = threading.local()


def bound_queries() -> None:
    """From now on, in this process."""
    request_started.connect(begin)
    connection_created.connect(bound)


def begin(**_signal: Any) -> None:
    """A request begins in this thread."""
    _of_thread.began = time.monotonic()


def bound(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """A connection was opened: on SQLite the time of the request counts, on PostgreSQL that of each statement."""
    if connection.vendor == "sqlite":
        connection.connection.set_progress_handler(is_over, STEPS)
    elif connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {int(SECONDS * 1000)}")


def is_over() -> bool:
    """Whether this thread's request has had its time."""
    return time.monotonic() - getattr(_of_thread, "began", time.monotonic()) > SECONDS
