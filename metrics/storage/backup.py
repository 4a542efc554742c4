"""A copy of the database while it is in use, and the way back."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from metrics.models.present import last_present_moment
from metrics.storage.damage import damage_in, set_aside
from metrics.storage.permissions import NotPrivateError, check_place_for_a_copy
from metrics.storage.versions import APP, newer_migration

# Tasks that were planned, queued or stored with django-q2; the program makes its own anew.
TABLES_OF_TASKS = "django_q_"
# Copied in one go: some milliseconds.
STEP_PAGES = 1000


class BackupError(Exception):
    """A copy that cannot be made, or cannot be used; the text is for the user."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a copy. `newest` is the time of its newest tick, None where there is none."""

    size_bytes: int
    ticks: int
    newest: int | None


def back_up(source: Path, target: Path, *, may_replace: bool = False) -> Contents:
    """Copy a database that may be in use into one file, which is there whole or not at all."""
    if target.exists() and target.samefile(source):
        raise BackupError(f"{target} is the database itself")
    if target.exists() and not may_replace:
        raise BackupError(f"{target} exists; --force replaces it")
    # What cannot be read is found out by copying it.
    with contextlib.suppress(sqlite3.DatabaseError):
        _check_version(source)
    with draft_beside(target) as draft:
        _copy(source, draft)
        draft.replace(target)
    return contents_of(target)


def put_back(backup: Path, database: Path) -> Path | None:
    """Make a copy the database, which nobody may be using; return where the one that was there is kept."""
    check_is_usable(backup)
    with draft_beside(database) as draft:
        _copy(backup, draft)
        _leave_out_what_runs(draft)
        kept = set_aside(database, "replaced") if database.exists() else None
        draft.replace(database)
    return kept


def check_is_usable(backup: Path) -> None:
    """Raise BackupError for a file that is damaged, no database of sysmon, or one of a newer sysmon."""
    if not backup.is_file():
        raise BackupError(f"{backup} is not there" if not backup.exists() else f"{backup} is not a file")
    try:
        if damage := damage_in(backup, seconds=None):
            raise BackupError(f"{backup} is damaged: {damage}")
        _check_version(backup)
    except sqlite3.OperationalError as error:
        raise BackupError(f"{backup} is no database of sysmon: {error}") from None


def _check_version(file: Path) -> None:
    with _reading(file) as opened:
        rows = opened.execute("SELECT name FROM django_migrations WHERE app = ?", [APP]).fetchall()
    applied = {row[0] for row in rows}
    if not applied:
        raise BackupError(f"{file} is no database of sysmon")
    if newer := newer_migration(applied):
        raise BackupError(f"{file} was made by a newer sysmon, which has the migration {newer}")


def contents_of(backup: Path) -> Contents:
    """Look into a copy."""
    with _reading(backup) as opened:
        newest_tick = "SELECT COUNT(*), MAX(CASE WHEN timestamp <= ? THEN timestamp END) FROM metrics_tick"
        ticks, newest = opened.execute(newest_tick, [last_present_moment()]).fetchone()
    return Contents(backup.stat().st_size, ticks, newest)


def _copy(source: Path, target: Path) -> None:
    """All pages of one moment, in steps. The transaction holds that moment fast: without it the copy would begin again
    with each tick that is written meanwhile."""
    try:
        with _reading(source) as opened, contextlib.closing(sqlite3.connect(target)) as copy:
            opened.execute("BEGIN")
            opened.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
            opened.backup(copy, pages=STEP_PAGES)
            # One file without companions; a database that is used goes back to WAL by itself.
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{source} cannot be copied: {error}") from None
    if damage := damage_in(target, seconds=None):
        raise BackupError(f"{source} is damaged: {damage}")


def _leave_out_what_runs(file: Path) -> None:
    """Take out the rows of django-q2 and every trigger: sysmon makes none."""
    try:
        with contextlib.closing(sqlite3.connect(file)) as opened, opened:
            found = opened.execute("SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'table')").fetchall()
            for name in [name for kind, name in found if kind == "trigger"]:
                opened.execute(f"DROP TRIGGER {_quoted(name)}")
            for name in [name for kind, name in found if kind == "table" and name.lower().startswith(TABLES_OF_TASKS)]:
                opened.execute(f"DELETE FROM {_quoted(name)}")  # noqa: S608
    except sqlite3.DatabaseError as error:
        raise BackupError(f"what is planned and queued in it cannot be left out: {error}") from None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextlib.contextmanager
def _reading(file: Path) -> Iterator[sqlite3.Connection]:
    uri = f"{file.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10)) as opened:
        yield opened


@contextlib.contextmanager
def draft_beside(target: Path) -> Iterator[Path]:
    """A place for a file in a directory of its own beside the target (0700), in which nobody else can put or read
    anything. It is gone afterwards, with what did not take the target's place."""
    directory = target.with_name(f".{target.name}.part")
    try:
        check_place_for_a_copy(target.parent)
        _remove(directory)
        directory.mkdir(mode=0o700)
        try:
            yield directory / "copy"
        finally:
            _remove(directory)
    except NotPrivateError as error:
        raise BackupError(str(error)) from None
    except OSError as error:
        raise BackupError(f"{error.filename or target}: {error.strerror}") from None


def _remove(draft: Path) -> None:
    """Also what an older version left, which was a file."""
    if draft.is_dir() and not draft.is_symlink():
        shutil.rmtree(draft)
    else:
        draft.unlink(missing_ok=True)
