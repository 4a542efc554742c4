"""A history of the first schema goes through every migration up to the newest and keeps each row, on any engine. From
whichever version somebody comes: the rest of the way is among these steps."""

import gzip
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor

from metrics.models.fields import EpochField
from tests.storage.test_upgrade import FIRST, HISTORY

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
# What a table held beside what is kept: only of the newest tick, which the next one replaces.
NOT_KEPT = "DELETE FROM metrics_processsample WHERE NOT is_kept"


def migrate(name):
    call_command("migrate", "metrics", name, verbosity=0, interactive=False)


def models_after(name):
    """Table -> its model, as it is after a migration; what is pointed to first."""
    apps = MigrationExecutor(connection).loader.project_state(("metrics", name)).apps
    waiting = list(apps.get_app_config("metrics").get_models())
    ordered = {}
    while waiting:
        free = [model for model in waiting if not {f.related_model for f in model._meta.concrete_fields} & {*waiting}]
        ordered |= {model._meta.db_table: model for model in free}
        waiting = [model for model in waiting if model not in free]
    return ordered


def load_first_schema(file):
    """The rows of its file, as they are stored."""
    with closing(sqlite3.connect(file)) as source, connection.cursor() as cursor:
        source.execute(NOT_KEPT)
        for table, model in models_after("0001_initial").items():
            if table not in HISTORY and not table.endswith("sample"):
                continue
            fields = model._meta.concrete_fields
            columns = ", ".join(f'"{field.column}"' for field in fields)
            flags = [isinstance(field, models.BooleanField) for field in fields]
            rows = [
                [
                    bool(value) if is_flag and value is not None else value
                    for is_flag, value in zip(flags, row, strict=True)
                ]
                for row in source.execute(f"SELECT {columns} FROM {table}")
            ]
            marks = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)


def value_for(field):
    """Something that a column holds which needs it."""
    if field.related_model:
        return field.related_model._base_manager.order_by("pk").first()
    if isinstance(field, (EpochField, models.DateTimeField)):
        return LONG_AGO
    return b"" if isinstance(field, models.BinaryField) else 1


def fill_what_is_empty(tables):
    """A row into each table that has none yet, so that later migrations have something to keep."""
    for model in tables.values():
        if not model._base_manager.exists():
            needed = [f for f in model._meta.concrete_fields if not (f.null or f.has_default() or f.primary_key)]
            if all(f.related_model is None or f.related_model._base_manager.exists() for f in needed):
                model._base_manager.create(**{field.name: value_for(field) for field in needed})


def contents(tables):
    """Table -> column -> its values, row by row."""
    found = {}
    with connection.cursor() as cursor:
        for table, model in tables.items():
            columns = [field.column for field in model._meta.concrete_fields]
            cursor.execute(f'SELECT {", ".join(map(connection.ops.quote_name, columns))} FROM {table} ORDER BY "id"')
            found[table] = dict(zip(columns, zip(*cursor.fetchall(), strict=True), strict=False))
    return found


@pytest.fixture
def names(transactional_db):
    """Every migration in its order; the tables are as after the first one, until the test has ended."""
    graph = MigrationExecutor(connection).loader.graph
    [newest] = graph.leaf_nodes("metrics")
    names = [name for app, name in graph.forwards_plan(newest) if app == "metrics"]
    migrate(names[0])
    get_user_model().objects.create(username="jin")
    yield names
    migrate(names[-1])


def test_no_row_of_any_table_is_lost_or_changed_on_the_way_from_the_first_schema(names, tmp_path):
    file = tmp_path / "first.sqlite3"
    file.write_bytes(gzip.decompress(FIRST.read_bytes()))
    load_first_schema(file)
    before = contents(models_after(names[0]))
    assert sum(bool(columns) for columns in before.values()) > 9
    for name in names[1:]:
        migrate(name)
        tables = models_after(name)
        after = contents(tables)
        for table, columns in before.items():
            for column in columns.keys() & after[table].keys():
                assert after[table][column] == columns[column], f"{table}.{column} after {name}"
            assert not columns or after[table], f"{table} is empty after {name}"
        fill_what_is_empty(tables)
        before = contents(tables)
    assert all(before.values())
