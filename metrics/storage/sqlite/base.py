"""The backend that settings name: `"ENGINE": "metrics.storage.sqlite"`.

Before a connection is used it compares the device and inode of its path with those of the file that it has open, and
opens anew where they differ: what is written to a file that was removed is lost. Where the path names nothing it stays
with what it has, and makes no new file: the recorder decides what becomes of that (metrics/storage/recovery.py).
An error that says that the file is damaged is reported to the recorder.
"""

import sqlite3
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property
from typing_extensions import override

from metrics.storage.damage_report import is_damage, report_damage
from metrics.storage.file_identity import FileId, file_id, note_opened, was_opened


class ReportingErrors(DatabaseErrorWrapper):
    """Django's, which makes an error of SQLite one of its own."""

    def __init__(self, wrapper: "DatabaseWrapper") -> None:
        super().__init__(wrapper)
        self._connection = wrapper

    @override
    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        if exc_type is not None and is_damage(exc_value):
            self._connection.report(str(exc_value))
        super().__exit__(exc_type, exc_value, traceback)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that knows which file it has open, None for one that is in memory or was new."""

    opened: FileId | None = None
    # How often it was opened: what counts from an opening on counts anew.
    openings = 0
    # Whether it is for a file that is only being made.
    is_draft = False

    @override
    def get_new_connection(self, conn_params: Any) -> Any:
        path = self.settings_dict["NAME"]
        # Before it is opened: one that is replaced in this moment is then taken for moved, and opened once more.
        self.opened = _file_at(path)
        if self.opened is None and was_opened(path) and not self.is_draft:
            raise sqlite3.OperationalError(f"unable to open database file: {path} was removed")
        connection = super().get_new_connection(conn_params)
        self.openings += 1
        self.opened = self.opened or _file_at(path)
        if self.opened is not None and not self.is_draft:
            note_opened(path, self.opened)
        return connection

    @override
    def ensure_connection(self) -> None:
        if self.connection is not None and not self.in_atomic_block and self.has_moved():
            self.close()
        super().ensure_connection()

    def has_moved(self) -> bool:
        """Whether the path names another file than the one that is open."""
        if self.opened is None:
            return False
        now = _file_at(self.settings_dict["NAME"])
        return now is not None and now != self.opened

    def report(self, reason: str) -> None:
        """Tell the recorder that this file is damaged."""
        if self.opened is not None and not self.has_moved():
            report_damage(self.settings_dict["NAME"], reason)

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrorWrapper:
        """As above."""
        return ReportingErrors(self)


def _file_at(path: Any) -> FileId | None:
    try:
        return file_id(path)
    except OSError:
        # It may not be looked at now: that says nothing about what it is.
        return None
