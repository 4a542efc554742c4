"""One program after the other: containers that start at once on a new database would all make the same tables."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from filelock import FileLock

from metrics import conf

KEY = "hashtext('sysmon prepares the database')"


@contextmanager
def migration_lock() -> Iterator[None]:
    """Wait until nobody else prepares the database. A django.db.DatabaseError where it cannot be asked."""
    if connection.vendor != "postgresql":
        with FileLock(conf.data_directory() / "prepare.lock", mode=0o600):
            yield
        return
    # Held by the connection: it ends with the program, in whatever way that ends.
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_lock({KEY})")
    try:
        yield
    finally:
        connection.close()
