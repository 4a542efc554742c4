"""Migrations that change a table with much history copy it once, keep every row, and can be taken back."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE, AFTER = ("metrics", "0010_command_masking"), ("metrics", "0031_names_of_devices")
CHANGED = ("metrics_process", "metrics_devicesample")
PROCESS = "INSERT INTO metrics_process (host_id, pid, started_at, name) VALUES (1, %s, %s, 'x')"
DEVICE = (
    "INSERT INTO metrics_devicesample (host_id, tier, timestamp, resolution, points, device)"
    " VALUES (1, 0, %s, 5, 1, %s)"
)


def migrate(target):
    call_command("migrate", *target, verbosity=0, interactive=False)


def rows(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


@pytest.fixture
def older(transactional_db):
    """A history as it was before the two migrations."""
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes("metrics")[0]
    migrate(BEFORE)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO metrics_host (id, name, os_name, kernel, architecture, cpu_model, boot_id)"
            " VALUES (1, 'old', '', '', '', '', '')"
        )
        cursor.executemany(PROCESS, [(pid, 100 * pid) for pid in range(50)])
        cursor.executemany(DEVICE, [(at, device) for at in range(20) for device in ("sda", "sdb")])
    yield
    with connection.cursor() as cursor:
        for table in (*CHANGED, "metrics_host"):
            cursor.execute(f"DELETE FROM {table}")
    migrate(newest)


def test_each_table_is_copied_once_at_the_most(older):
    copied = []

    def watch(execute, sql, params, many, context):
        copied.extend(table for table in CHANGED if sql.startswith(f'INSERT INTO "new__{table}"'))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        migrate(AFTER)
    assert sorted(copied) == (sorted(CHANGED) if connection.vendor == "sqlite" else [])


def test_every_row_is_there_and_says_what_it_said(older):
    before = [rows(f"SELECT id, host_id FROM {table} ORDER BY id") for table in CHANGED]
    migrate(AFTER)
    assert [rows(f"SELECT id, host_id FROM {table} ORDER BY id") for table in CHANGED] == before
    assert rows("SELECT COUNT(*) FROM metrics_process WHERE boot = 0 AND started_at = 100 * pid") == [(50,)]
    assert rows("SELECT COUNT(*) FROM metrics_devicesample WHERE name = device") == [(40,)]


def test_the_constraints_are_the_new_ones(older):
    migrate(AFTER)
    expected = {
        "metrics_process": ("one_process_a_start", ["host_id", "pid", "started_at", "boot"]),
        "metrics_devicesample": ("one_device_sample_a_tick", ["host_id", "tier", "timestamp", "device", "name"]),
    }
    with connection.cursor() as cursor:
        for table, (name, columns) in expected.items():
            found = connection.introspection.get_constraints(cursor, table)
            assert (found[name]["unique"], found[name]["columns"]) == (True, columns)


def test_it_can_be_taken_back_and_made_again(older):
    migrate(AFTER)
    migrate(BEFORE)
    assert rows("SELECT COUNT(*) FROM metrics_process") == [(50,)]
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "metrics_process")
    assert found["one_process_a_start"]["columns"] == ["host_id", "pid", "started_at"]
    migrate(AFTER)
    assert rows("SELECT COUNT(*) FROM metrics_devicesample WHERE name = device") == [(40,)]
