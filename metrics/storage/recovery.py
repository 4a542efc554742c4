"""The recorder's part when the file of the database is damaged, removed or replaced while it runs.

Before each tick is stored the recorder looks whether the path still names its file, whether what belongs to that is
still there, and whether anybody has reported damage. What the look finds is dealt with before the tick is stored, in
the thread that stores: ticks wait in memory meanwhile. Everybody else only notices that the path names another file
(metrics/storage/sqlite/base.py).
"""

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection

from metrics.models.events import NewEvent
from metrics.storage.backup import BackupError
from metrics.storage.connections import set_up_file
from metrics.storage.damage import damage_in, database_file, name_aside
from metrics.storage.damage_report import forget_report, reported_damage
from metrics.storage.file_identity import SIDECARS, FileId, file_id
from metrics.storage.incidents import Incident, Kind, events_of, recent_incidents, remember
from metrics.storage.locks import WORKER, DirectoryInUse, hold_data_directory, lock_of
from metrics.storage.migration_lock import migration_lock
from metrics.storage.new_file import (
    Cause,
    DamagedCopy,
    OpenSalvage,
    begin_new_file,
    copy_alone,
    copy_sound,
    is_sound_alone,
    salvage_of_file,
    salvage_of_open,
)

log = logging.getLogger(__name__)

# A disk that damages the file again and again is not written on any more.
MAX_DAMAGES_A_DAY = 3
# What could not be done is tried again after so long: it may take seconds of work.
RETRY_SECONDS = 20.0
WHAT_TO_DO = "look after the disk, then start sysmon anew, which sets the file aside"


class CannotStore(Exception):
    """Why no tick can be stored; the text is for the user."""


class Witness:
    """A connection that holds the file of now, with what belongs to it, whatever becomes of their names."""

    def __init__(self, file: Path) -> None:
        self.file = file_id(file)
        self.connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        # With the first read the sidecars are there, and stay as long as this connection.
        with contextlib.suppress(sqlite3.DatabaseError):
            set_up_file(self.connection)
            self.connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        self.sidecars = _sidecars(file)


class FileRecovery:
    """What the recorder of this process knows of the file."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._witness: Witness | None = None
        self._refusal, self._retry_at = "", 0.0
        # The file on which nothing is written any more.
        self._given_up: FileId | None = None
        # The file of the lock by which this sysmon has the data directory, and what was locked in its place since.
        self._lock_file: FileId | None = None
        self._held_again = contextlib.ExitStack()
        # One that lay beside the log of the file before.
        self._had_foreign_log: FileId | None = None
        # How often there was another file.
        self.changes = 0

    @contextlib.contextmanager
    def usable_file(self) -> Iterator[int]:
        """See to it that ticks can be stored, and that nobody begins a new file meanwhile; gives `changes`.

        Raises django.db.OperationalError, whose text is for the user, while they cannot.
        """
        with self._lock:
            file = None if connection.in_atomic_block else database_file()
            if file is not None:
                try:
                    self._look(file)
                except (CannotStore, DirectoryInUse, DatabaseError, sqlite3.Error, OSError, BackupError) as error:
                    self._refusal, self._retry_at = str(error), time.monotonic() + RETRY_SECONDS
                    raise OperationalError(self._refusal) from error
            yield self.changes

    def _look(self, file: Path) -> None:
        if self._witness is None and file.exists():
            self._witness, self._lock_file = Witness(file), file_id(lock_of(WORKER).lock_file)
        now, witness = file_id(file), self._witness
        if self._is_well(file, now, witness):
            self._refusal = ""
            return
        if self._refusal and time.monotonic() < self._retry_at:
            raise CannotStore(self._refusal)
        self._hold_directory_again()
        with migration_lock():
            if now is None:
                cause = Cause(Kind.REPLACED, "removed", "the database was removed while it was used")
                self._begin(file, cause, partial(salvage_of_open, witness.connection) if witness else None)
            elif witness is None or now != witness.file:
                self._take_other_file(file, witness)
            elif not (any(_gone(file, witness)) and self._copy_with_log(file, witness)):
                self._look_into(file, now)
        self._refusal = ""

    def _hold_directory_again(self) -> None:
        """Where the directory was moved or removed, what is locked has another name now, or none."""
        path = lock_of(WORKER).lock_file
        if self._lock_file is not None and file_id(path) != self._lock_file:
            self._held_again.enter_context(hold_data_directory([WORKER]))
            self._lock_file = file_id(path)

    def _is_well(self, file: Path, now: FileId | None, witness: Witness | None) -> bool:
        if now is None or witness is None or now != witness.file or reported_damage(file) is not None:
            return False
        return file.stat().st_size > 0 and not any(_gone(file, witness))

    def _look_into(self, file: Path, now: FileId) -> None:
        """A fresh connection decides whether it is damaged."""
        if self._given_up == now:
            raise CannotStore(self._refusal)
        reason = reported_damage(file)
        damage = (
            "it is empty" if file.stat().st_size == 0 else damage_in(file, None) or damage_in(file, None, thorough=True)
        )
        if damage is None:
            forget_report(file)
            log.warning("the database was said to be damaged (%s), but a fresh look finds nothing", reason)
            return
        text = f"the database is damaged ({damage})"
        before = recent_incidents(file, Kind.DAMAGE)
        if len(before) >= MAX_DAMAGES_A_DAY - 1:
            self._given_up = now
            text = f"{text}, for the {len(before) + 1}. time within a day: nothing is stored any more; {WHAT_TO_DO}"
            remember(file, Incident(Kind.DAMAGE, time.time(), text))
            raise CannotStore(text)
        begin_after_damage(file, damage)
        self._follow(file)

    def _copy_with_log(self, file: Path, witness: Witness) -> bool:
        """What is not in the file itself is in a log that has no name any more: whoever opens the file anew misses it,
        so a copy with both takes its place. False where what is copied is damaged."""
        cause = Cause(
            Kind.REPLACED, "replaced", "the log of the database (-wal, -shm) was removed while it was used", False
        )
        try:
            self._begin(file, cause, None, partial(copy_sound, witness.connection))
        except DamagedCopy:
            return False
        return True

    def _take_other_file(self, file: Path, witness: Witness | None) -> None:
        """Go on in what was put there; what is no database is set aside as at a start."""
        now = file_id(file)
        if witness is not None and _set_log_aside(file, witness):
            self._had_foreign_log = now
        has_foreign_log = self._had_foreign_log == now
        damage = "it is empty" if file.stat().st_size == 0 else damage_in(file, None, alone=has_foreign_log)
        if damage:
            text = f"the database was replaced while it was used, by what cannot be used ({damage})"
            salvage = partial(salvage_of_open, witness.connection) if witness else None
            self._begin(file, Cause(Kind.REPLACED, "damaged", text), salvage)
            return
        connection.close()
        text = "the database was replaced while it was used: recording goes on in what was put there"
        if has_foreign_log:
            # Who opened it meanwhile has read it with that, and may lock it for ever: a copy has another inode, and is
            # opened anew. A database of a newer version raises an error here or below, and stays as it is.
            begin_new_file(file, Cause(Kind.REPLACED, "replaced", text, False), None, partial(copy_alone, file))
        else:
            connection.ensure_connection()
            connection.close()
            call_command("migrate", verbosity=0, interactive=False)
            remember(file, Incident(Kind.REPLACED, time.time(), text))
        log.error("%s", text)
        self._follow(file)

    def _begin(
        self,
        file: Path,
        cause: Cause,
        salvage: OpenSalvage | None,
        fill: Callable[[Path], None] | None = None,
    ) -> None:
        say(file, begin_new_file(file, cause, salvage, fill))
        self._follow(file)

    def _follow(self, file: Path) -> None:
        if self._witness is not None:
            self._witness.connection.close()
        connection.close()
        self._witness = Witness(file)
        self.changes += 1
        forget_report(file)


def begin_after_damage(file: Path, damage: str) -> Incident:
    """Begin a new file in the place of a damaged one, with what can be read of it; return what became of it.

    Where the damage is only in its log, the file without that is the new one.
    """
    cause = Cause(Kind.DAMAGE, "damaged", f"the database is damaged ({damage})")
    fill = partial(copy_alone, file) if is_sound_alone(file) else None
    incident = begin_new_file(file, cause, partial(salvage_of_file, file), fill)
    say(file, incident)
    return incident


def say(file: Path, incident: Incident) -> None:
    """One line in the log, for whoever looks for the file that was set aside."""
    kept = incident.kept_as
    reason = incident.reason.replace(kept, str(file.with_name(kept))) if kept else incident.reason
    saved = f"; {incident.saved_rows} rows of users, settings and states were saved" if incident.saved_rows else ""
    history = "; its history follows in the background" if incident.left else ""
    log.error("%s%s%s", reason, saved, history)


def _sidecars(file: Path) -> list[FileId | None]:
    return [file_id(f"{file}{ending}") for ending in SIDECARS]


def _gone(file: Path, witness: Witness) -> Iterator[bool]:
    """Of each sidecar, whether it was there and is not any more."""
    for had, has in zip(witness.sidecars, _sidecars(file), strict=True):
        yield had is not None and has != had


def _set_log_aside(file: Path, witness: Witness) -> bool:
    """Whether the log of the file that was there lay beside another one, which would be read with it."""
    kept, names = name_aside(file, "replaced"), [Path(f"{file}{ending}") for ending in SIDECARS]
    foreign = [name for name, had in zip(names, witness.sidecars, strict=True) if had and file_id(name) == had]
    for name in foreign:
        name.rename(f"{kept}{name.name.removeprefix(file.name)}")
    return bool(foreign)


def file_events() -> list[NewEvent]:
    """What became of the file within the last day, also while nothing ran."""
    file = database_file()
    return events_of(recent_incidents(file)) if file else []


_recovery = FileRecovery()
usable_file = _recovery.usable_file
