"""Django's settings of the database, from DATABASE_URL or for the file in the data directory."""

import sys
from pathlib import Path
from typing import Any

import dj_database_url

from metrics.storage.location import is_sqlite_address, sqlite_file
from metrics.storage.permissions import NotPrivateError, make_database_private
from sysmon_project.env import SettingError

SQLITE_OPTIONS = {
    # Readers wait this long for a lock (seconds); the recorder sets a shorter time of its own.
    "timeout": 10,
    "transaction_mode": "IMMEDIATE",
    # What a file keeps for itself is in metrics/storage/connections.py.
    "init_command": "PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=16777216; PRAGMA temp_store=MEMORY",
}
# A server that is gone without a word is given up after some seconds; the address may say otherwise.
POSTGRESQL_OPTIONS = {
    "connect_timeout": 3,
    "tcp_user_timeout": 5000,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
}


def database_settings(address: str, default_file: Path, base: Path, host_name: str) -> dict[str, Any]:
    """Django's settings for an address, or for a file of SQLite where there is none. A SettingError for one that cannot
    be used, or whose file is in the hand of another user."""
    try:
        if not address or is_sqlite_address(address):
            return _of_file(sqlite_file(address, base) if address else default_file, is_ours=not address)
        # A connection that the server has closed meanwhile is noticed before a request, and not by it.
        database: dict[str, Any] = {**dj_database_url.parse(address, conn_max_age=None, conn_health_checks=True)}
    except ValueError as error:
        # What Python says of a port holds a piece of the address, and so perhaps of its password.
        is_said = address and is_sqlite_address(address)
        raise SettingError("DATABASE_URL", "…", str(error) if is_said else "is no address of a database") from None
    options = {"application_name": f"sysmon {host_name}", **POSTGRESQL_OPTIONS}
    database["OPTIONS"] = {**options, **database.get("OPTIONS", {})}
    return database


def _of_file(file: Path | str, *, is_ours: bool) -> dict[str, Any]:
    # As a Path: Django would take a text with `mode=memory` in it for no file at all.
    settings = {"ENGINE": "metrics.storage.sqlite", "NAME": file, "CONN_MAX_AGE": None, "OPTIONS": SQLITE_OPTIONS}
    if isinstance(file, Path):
        try:
            mended = make_database_private(file)
        except NotPrivateError as error:
            name, value = ("SYSMON_DATA_DIR", file.parent) if is_ours else ("DATABASE_URL", "…")
            raise SettingError(name, value, str(error)) from None
        except OSError as error:
            raise SettingError("DATABASE_URL", "…", f"{file} cannot be used: {error.strerror}") from None
        if mended:
            print(
                f"sysmon: {' '.join(str(mended[0]).split())} could be read by others and is 0600 now", file=sys.stderr
            )
    return settings
