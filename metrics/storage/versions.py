"""Is a database of this version, or of an older one? A newer one is left alone: its tables may mean something else."""

import pkgutil
from importlib import import_module
from typing import Any

from django.db import DatabaseError
from django.db import connection as default_connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from metrics.storage.damage import database_file

APP = "metrics"
# The databases that this process has looked at: by their aliases and, of SQLite, their files.
_known: set[tuple[str, object]] = set()


class NewerDatabaseError(DatabaseError):
    """A database that a newer version has migrated; the text is for the user."""


def known_migrations() -> set[str]:
    """The names of the migrations that this program has."""
    package, _is_set = MigrationLoader.migrations_module(APP)
    return {module.name for module in pkgutil.iter_modules(import_module(str(package)).__path__)}


def newer_migration(applied: set[str]) -> str | None:
    """The last of these migrations that this program has not; None where it has all of them."""
    return max(applied - known_migrations(), default=None)


def check_version() -> None:
    """Raise NewerDatabaseError where there is a database of a newer version: for what needs none. One that is not there
    is not made, and one that does not answer is left alone."""
    file = database_file()
    if file and not file.exists():
        return
    try:
        default_connection.ensure_connection()
    except NewerDatabaseError:
        raise
    except DatabaseError:
        return
    finally:
        default_connection.close()


def refuse_newer_database(connection: Any, **_signal: Any) -> None:
    """Called for each new connection of Django. Raise NewerDatabaseError for a database of a newer version: once a
    process, at its first connection to it, so that it holds for every command and every web server."""
    database = connection.alias, getattr(connection, "opened", None)
    if database in _known:
        return
    try:
        # Of other apps nothing is said: what they have depends on the versions of their packages.
        applied = {name for app, name in MigrationRecorder(connection).applied_migrations() if app == APP}
        if newer := newer_migration(applied):
            raise NewerDatabaseError(
                f"it was made by a newer sysmon, which has the migration {newer};"
                " start that version, or `restore` a backup of this one"
            )
    except DatabaseError:
        connection.close()
        raise
    _known.add(database)
