"""A database that a newer sysmon has migrated is refused by every command, in one line, and stays as it is."""

import contextlib
import hashlib
import sqlite3

import pytest
from django.db import DatabaseError, connection

from metrics.storage import versions
from metrics.storage.versions import NewerDatabaseError, newer_migration, refuse_newer_database
from tests.skips import only_on_sqlite
from tests.supervision.running import Up

COMMANDS = [
    ("up",), ("up", "--only", "web"), ("up", "--only", "worker"), ("collect", "--duration", "1"), ("top",), ("prune",),
    ("prune", "--dry-run"), ("simulate", "--days", "1", "--force"), ("backup", "copy"), ("migrate",),
    ("createsuperuser", "--noinput", "--username=jin", "--email="), ("dumpdata", "metrics.host"), ("qcluster",),
]  # fmt: skip


def add_migration(file, name="9999_flying", app="metrics"):
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, '2036-01-01')", [app, name])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    up = Up(tmp_path_factory.mktemp("newer") / "data", DATABASE_URL="")
    assert up.run("collect", "--interval", "1", "--duration", "1").returncode == 0
    return up


@pytest.fixture(scope="module")
def newer(recorded):
    assert recorded.run("backup", str(recorded.directory.parent / "before")).returncode == 0
    add_migration(recorded.file)
    return recorded


def contents(file):
    with contextlib.closing(sqlite3.connect(file)) as database:
        return hashlib.sha256("\n".join(database.iterdump()).encode()).hexdigest()


@pytest.mark.live
@only_on_sqlite("about its file")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_refuses_it_in_one_line_and_leaves_it_alone(newer, command, tmp_path):
    before = contents(newer.file)
    arguments = [str(tmp_path / "copy") if argument == "copy" else argument for argument in command]
    done = newer.run(*arguments, DJANGO_SUPERUSER_PASSWORD="x" * 20)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "made by a newer sysmon, which has the migration 9999_flying" in done.stderr
    assert contents(newer.file) == before
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
    assert (connection.alias in versions._known) is not is_refused


def test_it_is_an_error_of_the_database_which_every_command_and_every_page_knows():
    assert issubclass(NewerDatabaseError, DatabaseError)
