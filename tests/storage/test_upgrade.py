"""A history that the first schema recorded is read after every later migration.

first_schema.sqlite3.gz was written by the program as it was with migration 0001 alone, by `simulate` under the name
web-1, a tick a minute, of which ten ticks, twenty minutes and two hours of quarters are left.
"""

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from metrics.formatting.moments import iso
from tests.skips import only_on_sqlite
from tests.supervision.running import Up

FIRST = Path(__file__).with_name("first_schema.sqlite3.gz")
pytestmark = only_on_sqlite("about its file")
HISTORY = ("metrics_host", "metrics_process", "metrics_tick")


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    file = tmp_path_factory.mktemp("first") / "first.sqlite3"
    file.write_bytes(gzip.decompress(FIRST.read_bytes()))
    return file


@pytest.fixture(scope="module")
def upgraded(old):
    """The data directory into which it was restored, by which it was migrated too."""
    up = Up(old.parent / "data", SYSMON_HOSTNAME="web-1", SYSMON_INTERVAL="60")
    done = up.run("restore", str(old))
    assert done.returncode == 0, done.stderr
    yield up
    up.end_for_sure()


def tables(database):
    """The tables that hold history -> their columns."""
    names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    columns = {name: [row[1] for row in database.execute(f"PRAGMA table_info({name})")] for name in names}
    return {name: found for name, found in columns.items() if name in HISTORY or {"tier", "timestamp"} <= set(found)}


def rows(database, table, columns, kept=""):
    return database.execute(f"SELECT {', '.join(columns)} FROM {table} {kept} ORDER BY id").fetchall()


def test_every_row_is_there_with_all_that_it_said(old, upgraded):
    with closing(sqlite3.connect(old)) as before, closing(sqlite3.connect(upgraded.file)) as after:
        old_tables, new_tables = tables(before), tables(after)
        assert len(old_tables) > 9
        for table, columns in old_tables.items():
            # Marked as not kept: what only the newest tick has.
            kept = "WHERE is_kept" if "is_kept" in columns else ""
            shared = [name for name in columns if name in new_tables[table]]
            assert {"id", "timestamp"} <= set(shared) or table in HISTORY
            assert set(columns) - set(shared) <= {"is_kept"}
            expected = set(rows(before, table, shared, kept))
            assert expected
            assert expected <= set(rows(after, table, shared)), table


def test_it_is_read_through_the_api(old, upgraded):
    with closing(sqlite3.connect(old)) as before:
        percents = dict(
            before.execute("SELECT timestamp, percent / 100.0 FROM metrics_cpusample WHERE tier = 0").fetchall()
        )
        newest = max(percents)
        quarters = before.execute("SELECT COUNT(*) FROM metrics_cpusample WHERE tier = 900").fetchone()[0]
        top = before.execute(
            "SELECT p.name FROM metrics_processsample s JOIN metrics_process p ON p.id = s.process_id"
            " WHERE s.tier = 0 AND s.timestamp = ? ORDER BY s.cpu_percent DESC LIMIT 3",
            [newest],
        ).fetchall()
    upgraded.start("--only", "web")
    status, answer = upgraded.get(f"/api/v1/metrics/cpu?limit=1000&start={iso(min(percents))}&end={iso(newest)}")
    assert status == 200
    assert {point["timestamp"]: point["percent"] for point in answer["results"]} == {
        iso(timestamp): percent for timestamp, percent in percents.items()
    }
    assert len(upgraded.get("/api/v1/metrics/cpu?limit=1000&step=15m")[1]["results"]) >= quarters
    processes = upgraded.get(f"/api/v1/metrics/processes?limit=3&at={iso(newest)}")[1]
    assert [process["name"] for process in processes["results"]] == [row[0] for row in top]
