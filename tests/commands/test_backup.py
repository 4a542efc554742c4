"""`manage.py backup` and `manage.py restore` on real files, beside a program that records."""

import contextlib
import os
import sqlite3

import pytest

from tests.skips import only_on_sqlite
from tests.supervision.running import Up, eventually

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="django-q2 needs fork"),
    only_on_sqlite("about its file"),
]


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    """A program that has recorded some ticks, and is not running at the beginning of a test."""
    running = Up(tmp_path_factory.mktemp("backup") / "data")
    running.start()
    assert eventually(lambda: len(running.ticks()) >= 3, 20)
    yield running
    running.end_for_sure()


@pytest.fixture(scope="module")
def backup(up):
    """What `backup` wrote while it recorded, and the ticks that were there before."""
    before = up.ticks()
    file = up.directory.parent / "copy.sqlite3"
    done = up.run("backup", str(file))
    assert done.returncode == 0, done.stderr
    return file, before, done.stdout


@pytest.fixture
def stopped(up):
    if up.process.poll() is None:
        up.stop()
    return up


def rows(file, sql):
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return database.execute(sql).fetchall()


def ticks_in(file):
    return [row[0] for row in rows(file, "SELECT timestamp FROM metrics_tick ORDER BY timestamp")]


def test_a_copy_holds_everything_that_was_committed_before(up, backup):
    file, before, said = backup
    assert set(before) <= set(ticks_in(file))
    assert rows(file, "PRAGMA integrity_check") == [("ok",)]
    assert str(file) in said
    assert f"{len(ticks_in(file))} ticks, the newest of 20" in said


def test_a_copy_is_one_file_for_its_owner(backup):
    file, *_ = backup
    assert [path.name for path in file.parent.glob("*copy*")] == [file.name]
    assert file.stat().st_mode & 0o777 == 0o600


def test_recording_goes_on_meanwhile(up, backup):
    assert eventually(lambda: up.newest_tick() > backup[1][-1] + 1, 10)


def test_a_file_that_is_there_is_not_replaced_without_force(up, backup, tmp_path):
    file = tmp_path / "mine"
    file.write_text("precious")
    refused = up.run("backup", str(file))
    assert (refused.returncode, refused.stderr) == (1, f"CommandError: {file} exists; --force replaces it\n")
    assert file.read_text() == "precious"
    assert up.run("backup", str(file), "--force").returncode == 0
    assert ticks_in(file)


@pytest.mark.parametrize("place", ["missing/copy.sqlite3", "."])
def test_a_place_that_cannot_be_written_is_one_line(up, tmp_path, place):
    done = up.run("backup", str(tmp_path / place), "--force")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr


def test_the_database_itself_is_no_place_for_a_copy(up):
    done = up.run("backup", str(up.file), "--force")
    assert (done.returncode, done.stderr) == (1, f"CommandError: {up.file} is the database itself\n")


def test_a_restore_is_refused_while_it_runs(up, backup):
    before = up.ticks()
    done = up.run("restore", str(backup[0]))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "uses the data directory" in done.stderr
    assert up.ticks()[: len(before)] == before


def test_a_restore_brings_it_back_and_keeps_what_was_there(stopped, backup):
    later = stopped.ticks()
    done = stopped.run("restore", str(backup[0]))
    assert done.returncode == 0, done.stderr
    assert stopped.ticks() == ticks_in(backup[0])
    [kept] = stopped.directory.glob("sysmon.sqlite3.replaced-*Z")
    assert ticks_in(kept) == later
    assert str(kept) in done.stdout
    stopped.start()
    assert eventually(lambda: stopped.newest_tick() > later[-1], 10)
    assert set(ticks_in(backup[0])) <= set(stopped.ticks())
    assert stopped.query("PRAGMA auto_vacuum") == [(2,)]
    assert stopped.query("PRAGMA journal_mode") == [("wal",)]


@pytest.fixture
def spoilt(backup, tmp_path):
    """A copy of the copy that a test may change."""
    file = tmp_path / "spoilt.sqlite3"
    file.write_bytes(backup[0].read_bytes())
    return file


def assert_refused(up, file, reason):
    before = up.ticks()
    done = up.run("restore", str(file))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert reason in done.stderr
    assert up.ticks() == before


def test_a_damaged_copy_is_refused(stopped, spoilt):
    with spoilt.open("r+b") as stream:
        stream.seek(4096 * 3)
        stream.write(b"\xff" * 4096)
    assert_refused(stopped, spoilt, "is damaged")


def test_what_is_no_database_is_refused(stopped, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear all," * 100)
    assert_refused(stopped, tmp_path / "letter.txt", "is damaged: file is not a database")


def test_a_database_of_another_program_is_refused(stopped, tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "other.sqlite3")) as other:
        other.execute("CREATE TABLE t (x)")
        other.commit()
    assert_refused(stopped, tmp_path / "other.sqlite3", "is no database of sysmon")


def test_a_copy_of_a_newer_sysmon_is_refused(stopped, spoilt):
    with contextlib.closing(sqlite3.connect(spoilt)) as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('metrics', '9999_flying', '2036-01-01')"
        )
        database.commit()
    assert_refused(stopped, spoilt, "made by a newer sysmon, which has the migration 9999_flying")


@pytest.mark.parametrize(("name", "reason"), [("nowhere", "is not there"), (".", "is not a file")])
def test_what_is_not_there_is_refused(stopped, tmp_path, name, reason):
    assert_refused(stopped, tmp_path / name, reason)
