"""A backup brings samples and users along, and nothing that runs."""

import sqlite3
from contextlib import closing

import pytest

from metrics.schedules import JOBS
from tests.skips import only_on_sqlite
from tests.supervision.planted import pickled
from tests.supervision.running import Up

pytestmark = only_on_sqlite("about its file")
PAST = "2020-01-01 00:00:00"
TABLES = ("schedule", "ormq", "task")
INSERT = f"""INSERT INTO django_q_schedule (name, func, schedule_type, repeats, next_run, cluster)
             VALUES ('n', 'os.system', 'O', -1, '{PAST}', 'web-1')"""
TRIGGERS = {'"back" again': "DELETE ON django_q_schedule", "with a host": "INSERT ON metrics_host"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A directory with a database of this version."""
    up = Up(tmp_path_factory.mktemp("restore") / "data", SYSMON_HOSTNAME="web-1")
    assert up.run("migrate", "-v0").returncode == 0
    yield up
    up.end_for_sure()


def rows(file, sql):
    with closing(sqlite3.connect(file)) as database:
        return database.execute(sql).fetchall()


@pytest.fixture(scope="module")
def backup(made, tmp_path_factory):
    """A copy of it, with a task of somebody's in every table of django-q2, and triggers that would put one back."""
    file = tmp_path_factory.mktemp("copy") / "copy.sqlite3"
    assert made.run("backup", str(file)).returncode == 0
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(INSERT)
        database.execute(f"INSERT INTO django_q_ormq (key, payload, lock) VALUES ('web-1', 'os.system', '{PAST}')")
        database.execute(
            "INSERT INTO django_q_task (id, name, func, started, stopped, success, attempt_count, result) "
            "VALUES ('1', 'n', 'f', ?, ?, 1, 1, ?)",
            [PAST, PAST, pickled(file.parent / "ran")],
        )
        for name, moment in TRIGGERS.items():
            quoted = name.replace('"', '""')
            database.execute(f'CREATE TRIGGER "{quoted}" AFTER {moment} BEGIN {INSERT}; END')
        database.execute("INSERT INTO auth_group (name) VALUES ('kept')")
    return file


@pytest.fixture(scope="module")
def restored(made, backup):
    done = made.run("restore", str(backup))
    assert done.returncode == 0, done.stderr
    return made.file


@pytest.mark.parametrize("table", TABLES)
def test_no_row_of_django_q2_comes_along(backup, restored, table):
    planted = {"schedule": "func = 'os.system'"}.get(table, "1")
    assert rows(backup, f"SELECT COUNT(*) FROM django_q_{table} WHERE {planted}") == [(1,)]
    assert rows(restored, f"SELECT COUNT(*) FROM django_q_{table} WHERE {planted}") == [(0,)]
    assert not (backup.parent / "ran").exists()


def test_the_programs_own_jobs_are_scheduled_anew(restored):
    assert rows(restored, "SELECT func FROM django_q_schedule ORDER BY func") == sorted((job.func,) for job in JOBS)


def test_no_trigger_comes_along(backup, restored):
    triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    assert len(rows(backup, triggers)) == len(TRIGGERS)
    assert rows(restored, triggers) == []


def test_everything_else_does(restored):
    assert rows(restored, "SELECT name FROM auth_group WHERE name = 'kept'") == [("kept",)]
    assert rows(restored, "PRAGMA integrity_check") == [("ok",)]


def test_sysmon_itself_makes_no_trigger_and_these_are_all_tables_of_django_q2(made):
    assert rows(made.file, "SELECT name FROM sqlite_master WHERE type = 'trigger'") == []
    tables = rows(
        made.file, "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'django~_q~_%' ESCAPE '~'"
    )
    assert {name for (name,) in tables} == {f"django_q_{table}" for table in TABLES}
