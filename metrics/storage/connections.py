"""What each new connection to SQLite needs beside the settings."""

import sqlite3
from typing import Any


def set_up(connection: Any, **_signal: Any) -> None:
    """Called for each new connection of Django in a project that has connected it to the signal."""
    if connection.vendor == "sqlite":
        set_up_file(connection.connection)


def set_up_file(file: sqlite3.Connection) -> None:
    """Give a new file what a file keeps: it can shrink, and is read while it is written.

    Only a new one: setting auto_vacuum again is a write, for which a reader would wait as long as somebody else writes,
    and which a full disk refuses. It has to come before journal_mode, which writes the file's first page.
    """
    is_new = file.execute("PRAGMA page_count").fetchone() == (0,)
    if is_new:
        file.execute("PRAGMA auto_vacuum=INCREMENTAL")
    file.execute("PRAGMA journal_mode=WAL")
