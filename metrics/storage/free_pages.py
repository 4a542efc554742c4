"""Gives back to the file system what deleted rows have left free in the database's file."""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

# A file that has fewer than this share of its pages free is left alone.
ENOUGH_FREE = 0.01
# How long a step may hold the lock for writing: no tick is late for that.
MAX_STEP_SECONDS = 0.02
FIRST_STEP_PAGES, MIN_STEP_PAGES, MAX_STEP_PAGES = 64, 8, 4096
# Between two steps a recorder that waits for the lock, and looks for it every few milliseconds, gets it.
MIN_PAUSE_SECONDS = 0.005
# PRAGMA auto_vacuum of a file that was made without it: it can only be written anew as a whole.
CANNOT_SHRINK = 0


class SpaceError(Exception):
    """The file cannot be made smaller now; the text is for the user."""


@dataclass(frozen=True, slots=True)
class Space:
    """The pages of a file, and how many of them are free."""

    page_bytes: int
    pages: int
    free_pages: int
    can_shrink: bool

    @classmethod
    def of(cls, file: sqlite3.Connection) -> "Space":
        """What SQLite says of the file."""
        names = ("page_size", "page_count", "freelist_count", "auto_vacuum")
        page_bytes, pages, free, mode = (file.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
        return cls(page_bytes, pages, free, mode != CANNOT_SHRINK)

    @property
    def has_enough_free(self) -> bool:
        """Whether it is worth it to make the file smaller."""
        return self.free_pages >= ENOUGH_FREE * self.pages and self.free_pages > 0

    @property
    def file_bytes(self) -> int:
        """How large the file is."""
        return self.page_bytes * self.pages

    @property
    def free_bytes(self) -> int:
        """What could be given back."""
        return self.page_bytes * self.free_pages


def shrink(file: sqlite3.Connection, report: Callable[[int], object], pause: Callable[[float], None]) -> None:
    """Give free pages back in steps, each of which holds the lock for MAX_STEP_SECONDS or so and is followed by a pause
    as long; `report` is told how many pages went. Raises sqlite3.Error where somebody else holds the lock for long."""
    step_pages, space = FIRST_STEP_PAGES, Space.of(file)
    while space.has_enough_free:
        began = time.monotonic()
        # executescript, because a cursor that executes it steps once, which frees one page.
        file.executescript(f"PRAGMA incremental_vacuum({step_pages})")
        took, before, space = time.monotonic() - began, space, Space.of(file)
        gone = before.free_pages - space.free_pages
        report(max(gone, 0))
        step_pages = next_step(step_pages, took)
        pause(max(took, MIN_PAUSE_SECONDS))
    # Up to here the pages are gone in the log beside the file; whoever reads an older moment may keep them for now.
    file.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def next_step(pages: int, took_seconds: float) -> int:
    """How many pages the next step frees, after one of so many that took so long."""
    if took_seconds > MAX_STEP_SECONDS:
        return max(MIN_STEP_PAGES, pages // 2)
    return min(MAX_STEP_PAGES, pages * 2) if took_seconds < MAX_STEP_SECONDS / 4 else pages


def rewrite(file: sqlite3.Connection, path: Path) -> None:
    """Write the file anew, so that it can shrink in steps from then on: nobody else may write meanwhile. Raises
    SpaceError where the disk has no room for what that takes, a copy of what is in use, twice."""
    space = Space.of(file)
    needed = 2 * (space.file_bytes - space.free_bytes)
    if shutil.disk_usage(path.parent).free < needed:
        raise SpaceError(f"to write {path.name} anew takes {needed // 2**20 + 1} MiB that are not free on its disk")
    # In memory, as the settings have it, the copy might not have room either.
    file.execute("PRAGMA temp_store=FILE")
    file.execute("PRAGMA auto_vacuum=INCREMENTAL")
    file.execute("VACUUM")
    file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def bytes_of_rows(file: sqlite3.Connection, rows: Mapping[str, int]) -> int | None:
    """About how much some rows of each table take, with their part of the indexes; None where SQLite cannot say."""
    sizes = (
        "SELECT s.tbl_name, SUM(d.pgsize) FROM dbstat d JOIN sqlite_schema s ON s.name = d.name"
        " WHERE d.aggregate = TRUE GROUP BY s.tbl_name"
    )
    try:
        known: Iterable[tuple[str, int]] = file.execute(sizes).fetchall()
    except sqlite3.OperationalError:
        return None
    total = 0.0
    for table, table_bytes in known:
        if rows.get(table):
            [count] = file.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()  # noqa: S608 (a table of our own)
            total += table_bytes * rows[table] / max(count, 1)
    return round(total)
