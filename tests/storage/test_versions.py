"""A database that a newer sysmon has migrated is refused by every command, in one line, and stays as it is."""

import contextlib
import sqlite3

import psycopg
import pytest
from django.core.management import get_commands
from django.db import DatabaseError, connection

from metrics.storage import versions
from metrics.storage.versions import NewerDatabaseError, newer_migration, refuse_newer_database
from tests.skips import only_on_sqlite
from tests.supervision.running import Up

# What each command of the program needs to be told, so that it would do something.
OWN_COMMANDS = {
    "up": (("up",), ("up", "--only", "web"), ("up", "--only", "worker")),
    "collect": (("collect", "--duration", "1"), ("collect", "--once"), ("collect", "--once", "--json")),
    "top": (("top",),),
    "prune": (("prune",), ("prune", "--dry-run")),
    "simulate": (("simulate", "--days", "1", "--force"),),
    "copy-history": (("copy-history", "{source}"),),
    "forget-host": (("forget-host", "web-1", "--yes"),),
    "repair": (("repair",),),
    "mark": (("mark", "deployed 1.2"),),
    "qcluster": (("qcluster",),),
    "backup": (("backup", "{copy}"),),
    # The way back: see below.
    "restore": (),
}  # fmt: skip
OTHERS = [
    ("migrate",), ("createsuperuser", "--noinput", "--username=jin", "--email="), ("dumpdata", "metrics.host"),
    ("flush", "--noinput"), ("clearsessions",), ("showmigrations",),
]  # fmt: skip
COMMANDS = [*(command for commands in OWN_COMMANDS.values() for command in commands), *OTHERS]
FLYING = "INSERT INTO django_migrations (app, name, applied) VALUES ('metrics', '9999_flying', '2036-01-01')"


def test_no_command_of_the_program_is_left_out():
    assert set(OWN_COMMANDS) == {name for name, app in get_commands().items() if app == "metrics"}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    up = Up(tmp_path_factory.mktemp("newer") / "data", SYSMON_HOSTNAME="web-1")
    assert up.run("collect", "--interval", "1", "--duration", "1").returncode == 0
    yield up
    up.end_for_sure()


@pytest.fixture(scope="module")
def newer(recorded):
    recorded.run("backup", str(recorded.directory.parent / "before"))
    database = recorded.database
    with (
        psycopg.connect(database.url) if database.url else contextlib.closing(sqlite3.connect(database.file)) as opened
    ):
        opened.execute(FLYING)
        opened.commit()
    return recorded


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A file to copy from, of this version."""
    up = Up(tmp_path_factory.mktemp("source") / "data", DATABASE_URL="")
    assert up.run("migrate").returncode == 0
    return up.file


def contents(database):
    with database.snapshot() as opened:
        return {
            table: opened.execute(f'SELECT * FROM "{table}" ORDER BY 1').fetchall() for table in database.tables(opened)
        }


@pytest.mark.live
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_refuses_it_in_one_line_and_leaves_it_alone(newer, source, command, tmp_path):
    if command[0] == "backup" and connection.vendor != "sqlite":
        pytest.skip("on SQLite only: backup copies its file")
    before = contents(newer.database)
    arguments = [argument.format(copy=tmp_path / "copy", source=source) for argument in command]
    done = newer.run(*arguments, DJANGO_SUPERUSER_PASSWORD="x" * 20)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "made by a newer sysmon, which has the migration 9999_flying" in done.stderr
    assert contents(newer.database) == before
    assert not (tmp_path / "copy").exists()


@pytest.mark.live
@only_on_sqlite("about its file")
def test_the_way_back_is_a_backup_of_this_version(newer):
    done = newer.run("restore", str(newer.directory.parent / "before"))
    assert done.returncode == 0, done.stderr
    assert newer.run("top").returncode == 0


def test_the_migrations_of_this_version_are_no_newer_ones():
    assert newer_migration({"0001_initial"}) is None
    assert newer_migration({"0001_initial", "9998_a", "9999_b"}) == "9999_b"
    assert newer_migration(set()) is None


@pytest.mark.django_db
@pytest.mark.parametrize(("app", "is_refused"), [("metrics", True), ("auth", False), ("gone", False)])
def test_only_what_this_program_makes_counts(monkeypatch, app, is_refused):
    monkeypatch.setattr(versions, "_known", set())
    monkeypatch.setattr(connection, "close", lambda: None)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES (%s, '9999_flying', '2036-01-01')", [app]
        )
    with pytest.raises(NewerDatabaseError) if is_refused else contextlib.nullcontext():
        refuse_newer_database(connection)
    assert (connection.alias in {alias for alias, _file in versions._known}) is not is_refused


def test_it_is_an_error_of_the_database_which_every_command_and_every_page_knows():
    assert issubclass(NewerDatabaseError, DatabaseError)
