"""Damaged files are noticed and set aside; sound ones are left alone."""

import contextlib
import sqlite3

import pytest

from metrics.storage import damage
from metrics.storage.damage import damage_in, set_aside


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sysmon.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE t (x TEXT UNIQUE)")
        database.executemany("INSERT INTO t VALUES (?)", [(f"{number:0200}",) for number in range(2000)])
        database.commit()
    return path


def overwrite(path, at, data):
    with path.open("r+b") as stream:
        stream.seek(at)
        stream.write(data)


def test_a_sound_file_has_no_damage(file):
    assert damage_in(file) is None


def test_no_file_has_no_damage(tmp_path):
    assert damage_in(tmp_path / "sysmon.sqlite3") is None


def test_an_empty_file_is_a_new_one(tmp_path):
    (tmp_path / "sysmon.sqlite3").touch()
    assert damage_in(tmp_path / "sysmon.sqlite3") is None


@pytest.mark.parametrize(
    ("at", "data"), [(0, b"this is not SQLite at all"), (8192, b"\xff" * 4096), (100, b"\x00" * 3000)]
)
def test_damage_is_found_wherever_it_is(file, at, data):
    overwrite(file, at, data)
    assert damage_in(file)
    assert "\n" not in damage_in(file)


def test_a_file_that_was_cut_is_damaged(file):
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size // 2)
    assert damage_in(file)


def test_a_start_does_not_wait_for_a_long_check(file, monkeypatch):
    monkeypatch.setattr(damage, "INSTRUCTIONS_BETWEEN_LOOKS", 1)
    overwrite(file, 8192, b"\xff" * 4096)
    assert damage_in(file, seconds=-1.0) is None


def test_a_file_in_use_can_be_checked(file):
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert damage_in(file) is None


def test_what_is_set_aside_keeps_every_byte_and_what_belongs_to_it(file):
    with contextlib.closing(sqlite3.connect(file)) as writer:
        writer.execute("INSERT INTO t VALUES ('only in the log')")
        writer.commit()
        kept = set_aside(file, "damaged")
        assert sorted(path.name for path in file.parent.iterdir()) == [
            kept.name,
            f"{kept.name}-shm",
            f"{kept.name}-wal",
        ]
        with contextlib.closing(sqlite3.connect(kept)) as found:
            assert found.execute("SELECT COUNT(*) FROM t").fetchone() == (2001,)


def test_two_in_one_second_are_both_kept(tmp_path):
    for number in range(2):
        (tmp_path / "sysmon.sqlite3").write_text(str(number))
        set_aside(tmp_path / "sysmon.sqlite3", "damaged")
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == ["0", "1"]
