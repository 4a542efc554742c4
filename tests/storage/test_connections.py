"""How a file of SQLite is set up."""

import contextlib
import sqlite3

import pytest

from metrics.storage.connections import set_up_file


@pytest.fixture
def connect(tmp_path):
    with contextlib.ExitStack() as opened:

        def connect():
            file = sqlite3.connect(tmp_path / "file.sqlite3", isolation_level=None, timeout=0)
            return opened.enter_context(contextlib.closing(file))

        yield connect


def test_a_new_file_can_shrink_and_is_read_while_it_is_written(connect):
    file = connect()
    set_up_file(file)
    file.execute("CREATE TABLE t (x)")
    assert file.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_one_that_is_there_is_not_written_when_somebody_connects(connect):
    first = connect()
    set_up_file(first)
    first.execute("CREATE TABLE t (x)")
    first.execute("BEGIN IMMEDIATE")
    second = connect()
    set_up_file(second)
    assert second.execute("SELECT COUNT(*) FROM t").fetchone() == (0,)
