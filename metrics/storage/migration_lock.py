"""One program after the other: containers that start at once on a new database would all make the same tables."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from filelock import FileLock

from metrics import conf

KEY = "hashtext('sysmon prepares the database')"
RETRY_SECONDS = 0.1


@contextmanager
def migration_lock() -> Iterator[None]:
    """Wait until nobody else prepares the database. A django.db.DatabaseError where it cannot be asked."""
    if connection.vendor != "postgresql":
        with FileLock(conf.data_directory() / "prepare.lock", mode=0o600):
            yield
        return
    # Held by the connection: it ends with the program, in whatever way that ends. Asked for again and again: one that
    # waits for it is in a transaction, and for the end of those CREATE INDEX CONCURRENTLY waits in whoever has it.
    while not _is_acquired():
        time.sleep(RETRY_SECONDS)
    try:
        yield
    finally:
        connection.close()


def _is_acquired() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({KEY})")
        [is_acquired] = cursor.fetchone()
    return bool(is_acquired)
