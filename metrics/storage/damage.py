"""Is a file of SQLite sound, and what becomes of one that is not: it is set aside with its date, never deleted."""

import contextlib
import os
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import connection

from metrics.storage.damage_report import is_damage
from metrics.storage.file_identity import SIDECARS

# A start does not wait longer for what can be found out; reading 235 MB from memory took 0.4 s.
CHECK_SECONDS = 1.0
INSTRUCTIONS_BETWEEN_LOOKS = 10_000


def database_file() -> Path | None:
    """The file of the database; None where it is a server, or in memory."""
    database: Any = connection
    if database.vendor != "sqlite" or database.is_in_memory_db():
        return None
    return Path(database.settings_dict["NAME"])


def damage_in(
    file: Path, seconds: float | None = CHECK_SECONDS, *, alone: bool = False, thorough: bool = False
) -> str | None:
    """What is wrong with a file, as far as it can be read in so many seconds; None for nothing, or no file at all.
    `alone` is without the write-ahead log beside it; `thorough` also compares indexes with their rows, which takes
    several times as long.

    Raises sqlite3.OperationalError where it cannot be read now, which says nothing about what it holds.
    """
    if not file.exists():
        return None
    deadline = None if seconds is None else time.monotonic() + seconds
    uri = f"{file.absolute().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as opened:
        if deadline:
            opened.set_progress_handler(lambda: time.monotonic() > deadline, INSTRUCTIONS_BETWEEN_LOOKS)
        try:
            found = opened.execute(f"PRAGMA {'integrity' if thorough else 'quick'}_check(1)").fetchone()[0]
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                return str(error)
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                return None
            if isinstance(error, sqlite3.OperationalError):
                raise
            return str(error)
    return None if found == "ok" else " ".join(str(found).split())


def set_aside(file: Path, reason: str) -> Path:
    """Rename a file, and what belongs to it, to a name that says why and when; return the new one."""
    kept = name_aside(file, reason)
    for ending in ("", *SIDECARS):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{file}{ending}").rename(f"{kept}{ending}")
    return kept


def put_in_place(new: Path, file: Path, reason: str, *, keep: bool = True) -> Path | None:
    """Make a new file, which nobody uses and to which nothing belongs, the one of a path, at one stroke for whoever
    reads; return where the one that was there is kept with what belongs to it, None where it is not.

    What belongs to the old one goes first: the new one would be read with it.
    """
    kept = name_aside(file, reason)
    if keep and file.exists():
        try:
            os.link(file, kept)
        except OSError:
            # A file system that knows no second name.
            file.rename(kept)
    for ending in SIDECARS:
        with contextlib.suppress(FileNotFoundError):
            Path(f"{file}{ending}").rename(f"{kept}{ending}")
    new.replace(file)
    _sync_directory(file.parent)
    return kept if kept.exists() else None


def name_aside(file: Path, reason: str) -> Path:
    """A name beside a file that says why and when, and that nothing has."""
    now = datetime.now(UTC)
    kept = file.with_name(f"{file.name}.{reason}-{now:%Y%m%dT%H%M%SZ}")
    return kept.with_name(f"{kept.name}-{now:%f}") if kept.exists() else kept


def _sync_directory(directory: Path) -> None:
    """A power cut does not bring the old name back. Not every system can open a directory."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
