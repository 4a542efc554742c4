"""Migrations of tables with much history keep nobody from writing for long, and go on where they were interrupted."""

from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from tests.skips import only_on_postgresql

TOTALS = (
    "INSERT INTO metrics_processtotals (host_id, tier, timestamp, resolution, points, covered_seconds, total)"
    " VALUES (1, 0, %s, 5, 1, 5, 1)"
)
PROCESSES = "INSERT INTO metrics_process (id, host_id, pid, started_at, name) VALUES (1, 1, 7, 100, 'x')"
SAMPLES = (
    "INSERT INTO metrics_processsample (host_id, process_id, tier, timestamp, resolution, points, status, cpu_percent)"
    " VALUES (1, 1, 0, %s, 5, 1, '', 50)"
)
# Locks that keep others from writing into a table.
SHUT = (
    "SELECT COUNT(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'metrics_processtotals'::regclass"
    " AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')"
)
LINE = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('process_sample_line')"


def migrate(name):
    call_command("migrate", "metrics", name, verbosity=0, interactive=False)


def rows(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


@pytest.fixture
def go_back(transactional_db):
    """To the tables of an older version, until the test has ended, and some history."""
    [(_app, newest)] = MigrationExecutor(connection).loader.graph.leaf_nodes("metrics")

    def go(name):
        migrate(name)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO metrics_host (id, name, os_name, kernel, architecture, cpu_model, boot_id)"
                " VALUES (1, 'old', '', '', '', '', '')"
            )
            cursor.execute(PROCESSES)
            cursor.executemany(TOTALS, [(at,) for at in range(0, 3000, 5)])
            cursor.executemany(SAMPLES, [(at,) for at in range(0, 3000, 5)])

    yield go
    with connection.cursor() as cursor:
        for table in ("processsample", "processtotals", "process", "host"):
            cursor.execute(f"DELETE FROM metrics_{table}")
    migrate(newest)


def interrupt(*_arguments):
    raise KeyboardInterrupt


def test_the_filling_of_cpu_by_process_goes_on_where_it_was_interrupted(go_back, monkeypatch):
    go_back("0007_upkeep_lease")
    with monkeypatch.context() as patch:
        patch.setattr(import_module("metrics.migrations.0008_cpu_by_process"), "fill", interrupt)
        with pytest.raises(KeyboardInterrupt):
            migrate("0008_cpu_by_process")
    migrate("0008_cpu_by_process")
    assert rows("SELECT COUNT(*), COUNT(cpu_by_process) FROM metrics_processtotals") == [(600, 600)]


@only_on_postgresql("SQLite has one writer at a time, and is filled within two seconds")
def test_others_write_while_cpu_by_process_is_filled(go_back):
    go_back("0007_upkeep_lease")
    seen = []

    def watch(execute, sql, params, many, context):
        if sql.startswith("UPDATE metrics_processtotals"):
            seen.append(connection.in_atomic_block or rows(SHUT)[0][0])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        migrate("0008_cpu_by_process")
    assert seen
    assert not any(seen)


@only_on_postgresql("SQLite's integers have any width")
def test_the_index_that_waits_for_the_wider_columns_is_made_though_it_was_interrupted(go_back, monkeypatch):
    go_back("0004_newest_processes")
    with monkeypatch.context() as patch:
        patch.setattr(import_module("metrics.migrations.0005_widen_tiers_on_postgresql"), "MAKE_INDEX", "SELECT 1 / 0")
        with pytest.raises(DatabaseError):
            migrate("0005_widen_tiers_on_postgresql")
    assert rows(LINE) == []
    migrate("0005_widen_tiers_on_postgresql")
    assert rows(LINE) == [(True,)]
    migrate("0004_newest_processes")
    assert rows(LINE) == [(True,)]
    assert rows("SELECT COUNT(*) FROM metrics_processsample") == [(600,)]
