"""Is a file of SQLite sound, and what becomes of one that is not: it is set aside with its date, never deleted."""

import contextlib
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import connection

# What belongs to a file: the last pages written are in the first of these until they are copied back.
SIDECARS = ("-wal", "-shm")
# A start does not wait longer for what can be found out; reading 235 MB from memory took 0.4 s.
CHECK_SECONDS = 1.0
INSTRUCTIONS_BETWEEN_LOOKS = 10_000


def database_file() -> Path | None:
    """The file of the database; None where it is a server, or in memory."""
    database: Any = connection
    if database.vendor != "sqlite" or database.is_in_memory_db():
        return None
    return Path(database.settings_dict["NAME"])


def damage_in(file: Path, seconds: float | None = CHECK_SECONDS) -> str | None:
    """What is wrong with a file, as far as it can be read in so many seconds; None for nothing, or no file at all.

    Raises sqlite3.OperationalError where it cannot be read now, which says nothing about what it holds.
    """
    if not file.exists():
        return None
    deadline = None if seconds is None else time.monotonic() + seconds
    with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as opened:
        if deadline:
            opened.set_progress_handler(lambda: time.monotonic() > deadline, INSTRUCTIONS_BETWEEN_LOOKS)
        try:
            found = opened.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                return None
            raise
        except sqlite3.DatabaseError as error:
            return str(error)
    return None if found == "ok" else " ".join(str(found).split())


def set_aside(file: Path, reason: str) -> Path:
    """Rename a file, and what belongs to it, to a name that says why and when; return the new one."""
    now = datetime.now(UTC)
    kept = file.with_name(f"{file.name}.{reason}-{now:%Y%m%dT%H%M%SZ}")
    if kept.exists():
        kept = kept.with_name(f"{kept.name}-{now:%f}")
    for ending in ("", *SIDECARS):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{file}{ending}").rename(f"{kept}{ending}")
    return kept
