"""What other tests ask of the database of a real program would notice."""

import sqlite3
from contextlib import closing

import pytest

from tests.skips import only_on_postgresql, only_on_sqlite
from tests.supervision.databases import database_of

pytestmark = pytest.mark.live


@pytest.fixture
def database(tmp_path):
    database = database_of(tmp_path, None)
    yield database
    database.drop()


@only_on_sqlite("about its file")
def test_damage_of_a_file_is_noticed(database):
    with closing(sqlite3.connect(database.file)) as file:
        file.execute("CREATE TABLE t (x TEXT UNIQUE)")
        file.executemany("INSERT INTO t VALUES (?)", [(f"{number:0200}",) for number in range(200)])
        file.commit()
        assert database.damage() == []
        file.execute("PRAGMA writable_schema = ON")
        file.execute("UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 't')")
        file.commit()
    assert database.damage()


@only_on_postgresql("its indexes")
def test_an_index_that_lacks_a_row_is_noticed(database):
    same = "CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1'"
    for statement in (same, "CREATE TABLE t AS SELECT 1 AS x", "CREATE INDEX ON t (f(x))"):
        database.query(statement)
    assert database.damage() == []
    database.query(same.replace("$1", "-$1"))
    assert "lacks matching index tuple" in database.damage()[0]


@only_on_postgresql("a database for each data directory")
def test_each_data_directory_has_a_database_of_its_own_with_the_tables_of_the_program(database, tmp_path):
    other = database_of(tmp_path / "other", None)
    try:
        database.query("DELETE FROM django_migrations")
        assert database.query("SELECT * FROM django_migrations") == []
        assert other.query("SELECT * FROM django_migrations") != []
        assert database_of(tmp_path, None).url == database.url
    finally:
        other.drop()
    assert other.query("SELECT 1") == []
