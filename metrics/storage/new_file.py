"""Begins a new file in the place of one that is damaged or was removed.

It is made beside the other: first its tables, then what can still be read of users, tokens, settings and states, so
that nobody is locked out. Only when it is ready does it take the other's place. The history is brought over afterwards
(metrics/storage/saved_history.py), under the ids that it had: new rows get ids behind those.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import connections, models

from metrics import conf
from metrics.models import ForwardCursor, Host, Process, RollUpState, Tick, TickReading
from metrics.models.samples import sample_models
from metrics.storage.backup import draft_beside
from metrics.storage.damage import damage_in, put_in_place
from metrics.storage.damage_report import is_damage
from metrics.storage.incidents import Incident, Kind, remember
from metrics.storage.salvage import Copied, Salvage
from metrics.storage.versions import APP, newer_migration

DEFAULT = "default"
OLD, NEW, MAIN = "old", "new", "main"


class DamagedCopy(Exception):
    """What was copied cannot be used."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a new file is begun. `word` is in the name of the one that is set aside, `text` in health and in the log."""

    kind: Kind
    word: str
    text: str
    # Not where the new file is a copy of it.
    keeps_old: bool = True


# Opens what is left of the old file together with the new one.
OpenSalvage = Callable[[Path], AbstractContextManager[Salvage]]


def history_tables() -> list[str]:
    """The tables that grow with time."""
    tables: list[type[models.Model]] = [Tick, *sample_models(), TickReading]
    return [model._meta.db_table for model in tables]


def begin_new_file(
    file: Path,
    cause: Cause,
    open_salvage: OpenSalvage | None = None,
    fill: Callable[[Path], None] | None = None,
) -> Incident:
    """Begin a new file, set the old one aside, and return what became of it, which is remembered. `fill` makes the new
    one a copy of something; without it, it is empty.

    A DatabaseError, an sqlite3.Error, an OSError or a BackupError where that cannot be done: then all is as it was.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    copied, left = Copied(), dict[str, int]()
    with draft_beside(file) as draft:
        if fill:
            fill(draft)
        _make_tables(draft)
        if open_salvage:
            copied, left = _saved(draft, open_salvage, is_filled=fill is not None)
        _sync(draft)
        kept = put_in_place(draft, file, cause.word, keep=cause.keeps_old)
    if kept is None or cause.kind != Kind.DAMAGE:
        left = {}
    text = f"{cause.text}: {f'it is kept as {kept.name}, and ' if kept else ''}a new one is begun"
    incident = Incident(
        cause.kind, time.time(), text, kept.name if kept else "", copied.rows, left=left, total_rows=sum(left.values())
    )
    remember(file, incident)
    return incident


@contextlib.contextmanager
def salvage_of_file(old: Path, new: Path) -> Iterator[Salvage]:
    """What is left of a file that can be opened by its name; nothing of it is changed."""
    with contextlib.closing(sqlite3.connect(new.absolute().as_uri(), uri=True, isolation_level=None)) as opened:
        opened.execute("PRAGMA synchronous=NORMAL")
        opened.execute("PRAGMA busy_timeout=5000")
        # Before it is looked at: also of a file that was cut, what is left counts.
        opened.execute("PRAGMA writable_schema=ON")
        opened.execute(f"ATTACH ? AS {OLD}", [f"{old.absolute().as_uri()}?mode=ro"])
        yield Salvage(opened, OLD, MAIN)


@contextlib.contextmanager
def salvage_of_open(old: sqlite3.Connection, new: Path) -> Iterator[Salvage]:
    """What is left of a file that has no name any more, but a connection."""
    old.execute(f"ATTACH ? AS {NEW}", [str(new)])
    try:
        yield Salvage(old, MAIN, NEW)
    finally:
        old.execute(f"DETACH {NEW}")


def is_sound_alone(file: Path) -> bool:
    """Whether a file without the log beside it is a database of sysmon, of this version or an older one."""
    try:
        if damage_in(file, None, alone=True):
            return False
        with _read_alone(file) as opened:
            rows = opened.execute("SELECT name FROM django_migrations WHERE app = ?", [APP]).fetchall()
    except sqlite3.Error:
        return False
    applied = {row[0] for row in rows}
    return bool(applied) and newer_migration(applied) is None


def copy_alone(old: Path, new: Path) -> None:
    """Copy a file without the write-ahead log beside it."""
    with _read_alone(old) as source:
        copy_sound(source, new)


@contextlib.contextmanager
def _read_alone(file: Path) -> Iterator[sqlite3.Connection]:
    uri = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as opened:
        yield opened


def copy_sound(old: sqlite3.Connection, new: Path) -> None:
    """Copy what a connection sees; raise DamagedCopy where that is damaged."""
    with contextlib.closing(sqlite3.connect(new)) as target:
        old.backup(target)
    if damage := damage_in(new, None):
        raise DamagedCopy(damage)


def _saved(draft: Path, open_salvage: OpenSalvage, *, is_filled: bool) -> tuple[Copied, dict[str, int]]:
    try:
        with open_salvage(draft) as salvage:
            saved = _bring_over(salvage, is_filled=is_filled)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        # Nothing of it can be read.
        return Copied(), {}
    _make_permissions(draft)
    return saved


def _bring_over(salvage: Salvage, *, is_filled: bool) -> tuple[Copied, dict[str, int]]:
    """All but the history; return what it was, and up to which row each table of the history goes."""
    history, copied = set(history_tables()), Copied()
    tables = list(salvage.tables())
    for table in tables:
        if table.name not in history and not is_filled:
            copied += salvage.replace(table)
    _name_hosts_anew(salvage)
    salvage.drop_orphans()
    known = [table for table in tables if table.name in history]
    salvage.continue_ids(known, salvage.highest((RollUpState, "last_tick"), (ForwardCursor, "last_tick")))
    return copied, {table.name: last for table in known if (last := salvage.last_row(table.name))}


def _name_hosts_anew(salvage: Salvage) -> None:
    """A host whose row cannot be read keeps its history. Where the index does not have its name either, it is this
    machine, if that is the only one missing, or gets a name that says what became of its own."""
    missing, names = salvage.missing(Host), salvage.by_id(salvage.source, Host, "name")
    nameless = [pk for pk in missing if not isinstance(names.get(pk), str)]
    known = {*names.values(), *salvage.by_id(salvage.target, Host, "name").values()}
    boot = salvage.highest((Process, "boot"))
    for pk in missing:
        name = str(names[pk]) if pk not in nameless else f"unreadable-{pk}"
        if nameless == [pk] and conf.host_name() not in known:
            name = conf.host_name()
        salvage.insert(Host(pk=pk, name=name, boot=boot, first_seen_at=time.time()))


def _make_tables(draft: Path) -> None:
    """Bring the tables of a file up to date."""
    with _default_database(draft):
        call_command("migrate", verbosity=0, interactive=False)


def _make_permissions(draft: Path) -> None:
    """Make what could not be read of what Django keeps about the tables."""
    with _default_database(draft):
        ContentType.objects.clear_cache()
        emit_post_migrate_signal(verbosity=0, interactive=False, db=DEFAULT)
    ContentType.objects.clear_cache()


@contextlib.contextmanager
def _default_database(file: Path) -> Iterator[None]:
    """Another file as the database, for this thread alone."""
    own = connections[DEFAULT]
    other: Any = own.copy()
    other.is_draft = True
    other.settings_dict["NAME"] = file
    # Made durable once, as a whole: a hundred times takes seconds.
    other.settings_dict["OPTIONS"] = {**own.settings_dict["OPTIONS"], "init_command": "PRAGMA synchronous=OFF"}
    connections[DEFAULT] = other
    try:
        yield
    finally:
        other.close()
        connections[DEFAULT] = own


def _sync(file: Path) -> None:
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())
