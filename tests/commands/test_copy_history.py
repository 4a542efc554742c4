"""`manage.py copy-history`: from SQLite to a real PostgreSQL and back, row for row."""

import re
import sqlite3
import time
from contextlib import closing

import psycopg
import pytest

from metrics.storage.copy_history import copied_models
from tests.postgresql import running
from tests.supervision.running import Up, eventually

pytestmark = pytest.mark.live
TABLES = ("metrics_host", "metrics_tick", "metrics_cpusample", "metrics_processsample", "metrics_newestreading")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A data directory with a history of a day, whose newest tick was a minute ago."""
    settings = {"SYSMON_HOSTNAME": "web-1", "SYSMON_INTERVAL": "60", "SYSMON_MAX_POINTS": "300"}
    here = Up(tmp_path_factory.mktemp("recorded") / "data", DATABASE_URL="", **settings)
    assert here.run("simulate", "--days", "1").returncode == 0
    with closing(sqlite3.connect(here.file)) as file, file:
        file.execute("DELETE FROM metrics_tick WHERE timestamp > (SELECT MAX(timestamp) - 3600 FROM metrics_tick)")
        file.execute("UPDATE metrics_interfacesample SET is_up = NULL WHERE id % 7 = 0")
    return here


@pytest.fixture(scope="module")
def server():
    with running() as server:
        yield server


@pytest.fixture
def address(server, request):
    """An empty database."""
    return server.create_database(f"copy{abs(hash(request.node.name))}")


def to_postgresql(recorded, address):
    return recorded.run("copy-history", str(recorded.file), DATABASE_URL=address)


def rows_of(file, table):
    with closing(sqlite3.connect(file)) as opened:
        return opened.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()


def test_there_and_back_every_row_is_the_same(recorded, address, tmp_path):
    there = to_postgresql(recorded, address)
    assert there.returncode == 0, there.stderr
    assert "every row is the same in both databases" in there.stdout
    assert "100 %" in there.stdout
    back = Up(tmp_path / "back", DATABASE_URL="")
    done = back.run("copy-history", address)
    assert done.returncode == 0, done.stderr
    for table in TABLES:
        assert rows_of(back.file, table) == rows_of(recorded.file, table) != []


def test_recording_goes_on_behind_what_was_copied(recorded, address):
    assert to_postgresql(recorded, address).returncode == 0
    done = recorded.run("collect", "--interval", "1", "--duration", "2", DATABASE_URL=address)
    assert done.returncode == 0, done.stderr
    with psycopg.connect(address) as database:
        assert database.execute("SELECT COUNT(*) FROM metrics_host").fetchone() == (1,)
        newest, highest = database.execute("SELECT MAX(id), MAX(timestamp) FROM metrics_tick").fetchone()
    assert newest > rows_of(recorded.file, "metrics_tick")[-1][0]
    assert highest > rows_of(recorded.file, "metrics_tick")[-1][1]


def test_an_interrupted_copy_goes_on(recorded, address):
    assert to_postgresql(recorded, address).returncode == 0
    with psycopg.connect(address) as database:
        database.execute("DELETE FROM metrics_processsample WHERE id > (SELECT MAX(id) / 2 FROM metrics_processsample)")
        database.execute("DELETE FROM metrics_tick")
    again = to_postgresql(recorded, address)
    assert again.returncode == 0, again.stderr
    assert "every row is the same in both databases" in again.stdout


@pytest.mark.parametrize(
    "change",
    [
        (
            "INSERT INTO metrics_process (host_id, boot, pid, started_at, name) "
            "SELECT MAX(id), 0, 1, 1, 'x' FROM metrics_host"
        ),
        "UPDATE metrics_cpusample SET percent = percent + 1 WHERE id = (SELECT MAX(id) FROM metrics_cpusample)",
    ],
    ids=["a row", "a value"],
)
def test_a_database_with_anything_else_in_it_is_refused_in_one_line(recorded, address, change):
    assert to_postgresql(recorded, address).returncode == 0
    with psycopg.connect(address) as database:
        database.execute(change)
    refused = to_postgresql(recorded, address)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "has other" in refused.stderr


@pytest.mark.parametrize("end", ["goes on", "was killed", "has ended"])
def test_a_history_is_refused_until_its_recorder_has_ended(recorded, address, tmp_path, end):
    here = Up(tmp_path / "growing", DATABASE_URL="", SYSMON_INTERVAL="5")
    here.launch(command="collect")
    assert eventually(lambda: here.ticks() and here.query("SELECT pid FROM metrics_recorder"), 30)
    if end == "was killed":
        here.process.kill()
    elif end == "has ended":
        assert here.stop() == 0
    there = {"DATABASE_URL": address, "SYSMON_DATA_DIR": str(tmp_path / "there")}
    copied = here.run("copy-history", str(here.file), **there)
    here.end_for_sure()
    assert (copied.returncode, "is being recorded there" in copied.stderr) == (
        (0, False) if end == "has ended" else (1, True)
    )


def rows_by_table(address):
    """How many rows each table of a history has there."""
    with psycopg.connect(address) as database:
        names = [model._meta.db_table for model in copied_models()]
        return {name: database.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in names}


def test_not_a_row_is_written_where_a_table_that_comes_late_has_anything_else(recorded, address):
    assert to_postgresql(recorded, address).returncode == 0
    with psycopg.connect(address) as database:
        database.execute("DELETE FROM metrics_cpusample")
        database.execute("UPDATE metrics_newestreading SET uptime_seconds = uptime_seconds + 1")
    before = rows_by_table(address)
    refused = to_postgresql(recorded, address)
    assert (refused.returncode, "has other newest readings" in refused.stderr) == (1, True)
    assert rows_by_table(address) == before
    assert before["metrics_cpusample"] == 0


def test_a_file_that_is_in_the_way_is_kept_as_it_is_where_that_is_asked(recorded, address, tmp_path):
    assert to_postgresql(recorded, address).returncode == 0
    there = Up(tmp_path / "there", DATABASE_URL="")
    assert there.run("collect", "--duration", "1").returncode == 0
    before = rows_of(there.file, "metrics_tick")
    refused = there.run("copy-history", address)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "--replace keeps it under another name" in refused.stderr
    assert rows_of(there.file, "metrics_tick") == before
    done = there.run("copy-history", "--replace", address)
    assert done.returncode == 0, done.stderr
    assert rows_of(there.file, "metrics_tick") == rows_of(recorded.file, "metrics_tick")
    kept = re.search(r"what was there is kept as (\S+)", done.stdout)[1]
    assert rows_of(kept, "metrics_tick") == before


def test_a_database_of_postgresql_is_not_replaced(recorded, address):
    refused = recorded.run("copy-history", "--replace", str(recorded.file), DATABASE_URL=address)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "--replace is for a file" in refused.stderr


@pytest.mark.parametrize(("released", "is_copied"), [("taken_over_at", True), ("NULL", False)])
def test_a_history_is_copied_at_once_where_its_recorder_has_ended_in_order(address, tmp_path, released, is_copied):
    here = Up(tmp_path / "here", DATABASE_URL="")
    assert here.run("collect", "--duration", "1").returncode == 0
    ahead = int(time.time()) + 30
    with closing(sqlite3.connect(here.file)) as file, file:
        file.execute(f"UPDATE metrics_recorder SET released_at = {released}")
        file.execute("UPDATE metrics_tick SET timestamp = ? WHERE id = (SELECT MAX(id) FROM metrics_tick)", [ahead])
    done = here.run("copy-history", str(here.file), DATABASE_URL=address)
    assert (done.returncode == 0) is is_copied, done.stderr
    assert ("is being recorded there" in done.stderr) is not is_copied


def test_a_history_of_another_version_is_refused_in_one_line(address, tmp_path):
    older = Up(tmp_path / "older", DATABASE_URL="")
    assert older.run("migrate", "django_q").returncode == older.run("migrate", "metrics", "0009").returncode == 0
    refused = older.run("copy-history", str(older.file), DATABASE_URL=address)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "is of another version" in refused.stderr


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("missing.sqlite3", "is no file"),
        ("postgres://nobody@127.0.0.1:1/none", "a database cannot be used"),
        ("{file}", "is the database of the settings itself"),
        ("{empty}", "is none of sysmon"),
    ],
)
def test_a_source_that_cannot_be_used_is_one_line(recorded, tmp_path, source, reason):
    empty = tmp_path / "empty.sqlite3"
    empty.touch()
    done = recorded.run("copy-history", source.format(file=recorded.file, empty=empty))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert reason in done.stderr
