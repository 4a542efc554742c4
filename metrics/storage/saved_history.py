"""Brings the history of a file that was set aside as damaged into the one that took its place.

Newest rows first, a few at a time, beside recording: a row keeps its id, and one that is there already stays. How far
it has come is remembered with the incident, so that it goes on after a restart. At the end every tick that the old file
had not rolled up is rolled up anew, together with what was recorded since.
"""

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from metrics.models import Host, Process, RollUpState
from metrics.storage.damage import database_file
from metrics.storage.incidents import Incident, Kind, incidents, remember
from metrics.storage.new_file import history_tables, salvage_of_file
from metrics.storage.salvage import Salvage

log = logging.getLogger(__name__)

# One transaction: some milliseconds.
CHUNK_ROWS, MAX_PAUSE_SECONDS = 1000, 0.2
# No task may keep a worker from the next hand-over for longer.
BUDGET_SECONDS = 5.0

# What other rows point to, and that by which they are known.
IDENTITIES = ((Host, ("name",)), (Process, ("host_id", "pid", "boot")))

Advance = Callable[[Incident], None]


class AlreadyRunning(Exception):
    """Another process brings a history over now."""


class OtherDatabase(Exception):
    """The ids of a file mean something else in the database; the text is for the user."""


def save_history(budget_seconds: float | None = BUDGET_SECONDS, advance: Advance = lambda _incident: None) -> int:
    """Bring over what is left of every file that was set aside, the newest first, for so many seconds or until all is
    done; return how many rows it was. `advance` is told after each step how far it has come.

    AlreadyRunning where another process does it; an sqlite3.Error or an OSError where it cannot be done.
    """
    database = database_file()
    unfinished = [found for found in reversed(incidents(database)) if found.left] if database else []
    if database is None or not unfinished:
        return 0
    end = None if budget_seconds is None else time.monotonic() + budget_seconds
    with _alone(database):
        return sum(_save(database, incident, end, advance) for incident in unfinished)


def save_history_of(old: Path, advance: Advance = lambda _incident: None) -> Incident:
    """Bring over all of a file, whatever it is called and however often that was done before; return how much it was.
    Raises as above, and OtherDatabase."""
    database = database_file()
    if database is None:
        raise sqlite3.OperationalError("the database is not a file")
    with _alone(database):
        known = next((found for found in incidents(database) if found.kept_as == old.name), None)
        incident = known or Incident(Kind.DAMAGE, 0.0, "", old.name)
        with salvage_of_file(old, database) as salvage:
            found = {table.name: salvage.last_row(table.name) for table in salvage.tables(history_tables())}
        incident.left = {name: last for name, last in found.items() if last}
        incident.total_rows, incident.history_rows, incident.unreadable_rows = sum(incident.left.values()), 0, 0
        _bring_over(old, database, incident, None, advance)
        if known:
            remember(database, incident)
    return incident


def _save(database: Path, incident: Incident, end: float | None, advance: Advance) -> int:
    old, before = database.with_name(incident.kept_as), incident.history_rows
    try:
        _bring_over(old, database, incident, end, advance)
    except OtherDatabase as error:
        incident.left = {}
        log.warning("a history cannot be brought over: %s", error)
    remember(database, incident)
    return incident.history_rows - before


def _bring_over(old: Path, database: Path, incident: Incident, end: float | None, advance: Advance) -> None:
    if not old.exists():
        raise OtherDatabase(f"{old} is gone")
    with salvage_of_file(old, database) as salvage:
        if any(salvage.disagree(model, *names) for model, names in IDENTITIES):
            raise OtherDatabase(f"the database has other rows under the ids of {old}, whose place it did not take")
        for table in salvage.tables([model._meta.db_table for model, _names in IDENTITIES]):
            salvage.add(table, 1, salvage.last_row(table.name))
        for _step in _steps(salvage, incident, end):
            advance(incident)
        if incident.left:
            return
        salvage.set_back(RollUpState, "last_tick")
    incident.finished_at = time.time()
    log.warning(
        "the history of %s is brought over: %d rows were saved, %d could not be read",
        old, incident.history_rows, incident.unreadable_rows,
    )  # fmt: skip


def _steps(salvage: Salvage, incident: Incident, end: float | None) -> Iterator[None]:
    """After each, whoever stores a tick has as much time as it took."""
    known = {table.name: table for table in salvage.tables(incident.left)}
    for name in list(incident.left):
        while (last := incident.left.get(name)) and name in known:
            began = time.monotonic()
            if end is not None and began > end:
                return
            first = max(1, last - CHUNK_ROWS + 1)
            copied = salvage.add(known[name], first, last)
            incident.history_rows += copied.rows
            incident.unreadable_rows += copied.unreadable
            incident.left[name] = first - 1
            yield
            time.sleep(min(time.monotonic() - began, MAX_PAUSE_SECONDS))
        del incident.left[name]


@contextlib.contextmanager
def _alone(database: Path) -> Iterator[None]:
    try:
        with FileLock(f"{database}.saving.lock", mode=0o600, timeout=0):
            yield
    except Timeout:
        raise AlreadyRunning from None
