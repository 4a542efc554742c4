"""Whether anything was committed to the database in between: the proof that an answer that was kept is still right."""

import threading
from collections.abc import Hashable
from typing import Any

from django.db import DatabaseError, connection

from metrics.storage.file_identity import file_changes


class CommitWatch:
    """Gives a mark that changes with every commit of anybody: two equal marks, and nothing was committed between them.

    A mark that was taken before an answer was made vouches for it as long as it is the newest one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._own: Any = None

    def mark(self) -> Hashable | None:
        """The mark of this moment; it means nothing in another process. None where nothing can be vouched for: within a
        transaction, which sees what others do not, or where the database does not answer."""
        if connection.in_atomic_block:
            return None
        try:
            return self._sqlite_mark() if connection.vendor == "sqlite" else _postgresql_mark()
        except DatabaseError:
            return None

    def _sqlite_mark(self) -> Hashable:
        """SQLite counts the commits of all connections but the one that asks: one that never writes asks for all
        threads. It counts anew from each opening, as of another file in the place of the one that was there."""
        with self._lock:
            if self._own is None:
                own = connection.copy()
                own.inc_thread_sharing()
                self._own = own
            self._own.ensure_connection()
            with self._own.wrap_database_errors:
                version = self._own.connection.execute("PRAGMA data_version").fetchone()[0]
            return getattr(self._own, "openings", 0), version


_watch = CommitWatch()


def commit_mark() -> Hashable | None:
    """The mark of this moment, by this process's watch."""
    return _watch.mark()


def database_changes() -> int:
    """How often this process found another file in the place of its database: ids of rows mean nothing beyond that."""
    return file_changes()


def _postgresql_mark() -> Hashable:
    """Which transactions are seen: what only reads has no number, and changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT CAST(pg_current_snapshot() AS text)")
        mark: Hashable = cursor.fetchone()[0]
    return mark
