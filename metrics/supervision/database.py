"""Makes the database ready before anything is recorded."""

import sqlite3
from collections.abc import Collection
from pathlib import Path

from django.core.management import call_command
from django.db import connections

from metrics.storage.damage import damage_in, database_file
from metrics.storage.damage_report import forget_report
from metrics.storage.locks import PARTS, RECORDER, DirectoryInUse, hold_data_directory
from metrics.storage.migration_lock import migration_lock
from metrics.storage.recovery import begin_after_damage


def prepare_database(held: Collection[str]) -> None:
    """Begin a new file where the old one is damaged, and bring the tables up to date. `held` are the parts for which
    the data directory is locked already. A django.db.DatabaseError where the database cannot be used, DirectoryInUse
    where a damaged file is in use."""
    with migration_lock():
        if (file := database_file()) and (damage := _damage_in(file)):
            _begin_anew(file, damage, [part for part in (*PARTS, RECORDER) if part not in held])
        call_command("migrate", verbosity=0, interactive=False)
    connections.close_all()


def _damage_in(file: Path) -> str | None:
    try:
        return damage_in(file)
    except sqlite3.OperationalError:
        # Locked, or not to be read: what comes next finds out, and says so.
        return None


def _begin_anew(file: Path, damage: str, others: Collection[str]) -> None:
    try:
        with hold_data_directory(others):
            begin_after_damage(file, damage)
            forget_report(file)
    except DirectoryInUse as error:
        raise DirectoryInUse(f"the database is damaged ({damage}), and {error}") from None
