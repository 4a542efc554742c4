"""`manage.py copy-history`: from SQLite to a real PostgreSQL and back, row for row."""

import sqlite3
from contextlib import closing

import psycopg
import pytest

from tests.postgresql import running
from tests.supervision.running import Up, eventually

pytestmark = pytest.mark.live
TABLES = ("metrics_host", "metrics_tick", "metrics_cpusample", "metrics_processsample", "metrics_newestreading")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A data directory with a history of a day, whose newest tick was a minute ago."""
    settings = {"SYSMON_HOSTNAME": "web-1", "SYSMON_INTERVAL": "60"}
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
