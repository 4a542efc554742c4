"""Inserts of many rows without a model instance for each."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import chain
from typing import Any

from django.db import connection, models

from metrics.models.fields import EpochField, NumberField, ShareList

Conflict = tuple[tuple[str, ...], tuple[str, ...]]
# Where there are so many rows, so many are one statement; those of a tick are too few to gain by a second one.
MANY_ROWS, ROWS_AT_ONCE = 100, 20
# Of these fields, what the database takes as it is; of all others, whole numbers.
PASSED: dict[type[Any], type] = {models.CharField: str, models.TextField: str, models.BooleanField: bool}


def insert(
    model: type[models.Model],
    rows: Iterable[dict[str, Any]],
    *,
    or_ignore: bool = False,
    or_update: Conflict | None = None,
) -> int:
    """Insert rows given by field name and return how many were; `or_update` is (the unique fields, those to renew).

    `bulk_create` without the model instances, which cost three times as much as the insert itself, at every tick.
    """
    rows = list(rows)
    if not rows:
        return 0
    return _execute(_statement(model, tuple(rows[0]), or_ignore, or_update), _prepared(model, rows))


def insert_stored(model: type[models.Model], names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert rows whose values are those of the database already, in the order of the names of their fields.

    Many at once: SQLite looks up and stores the newest id for each statement, a fifth of what an insert takes.
    """
    if not rows:
        return 0
    statement = _statement(model, names, or_ignore=False, or_update=None)
    rest = len(rows) % ROWS_AT_ONCE if len(rows) >= MANY_ROWS else len(rows)
    several = [
        tuple(chain.from_iterable(rows[first : first + ROWS_AT_ONCE])) for first in range(rest, len(rows), ROWS_AT_ONCE)
    ]
    done = _execute(statement, rows[:rest]) if rest else 0
    return done + (_execute(_several(statement), several) if several else 0)


@cache
def _several(statement: str) -> str:
    """A statement for ROWS_AT_ONCE rows instead of one."""
    into, values = statement.split(" VALUES ")
    return f"{into} VALUES {', '.join([values] * ROWS_AT_ONCE)}"


def _execute(statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)
        return int(cursor.rowcount)


def stored(model: type[models.Model], rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The values of rows given by field name, as the database has them."""
    return _prepared(model, rows) if rows else []


def _prepared(model: type[models.Model], rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    preparers = _preparers(model, tuple(rows[0]))
    return [tuple([prepare(value) for prepare, value in zip(preparers, row.values(), strict=True)]) for row in rows]


@cache
def _preparers(model: type[models.Model], names: tuple[str, ...]) -> list[Callable[[Any], Any]]:
    return [_preparer(model._meta.get_field(name)) for name in names]


def _preparer(db_field: Any) -> Callable[[Any], Any]:
    """What makes a value one of the database: the field's own function, but for what it would only hand through, after
    five calls for each of a tick's two thousand values."""
    if isinstance(db_field, NumberField):
        return _encoder(db_field.scale, db_field.step)
    if isinstance(db_field, EpochField | ShareList):
        prepare: Callable[[Any], Any] = db_field.get_prep_value
        return prepare
    passed = next((kind for base, kind in PASSED.items() if isinstance(db_field, base)), int)
    return lambda value: value if type(value) is passed else db_field.get_db_prep_save(value, connection)


def _encoder(scale: int, step: int) -> Callable[[Any], Any]:
    """`NumberField.get_prep_value` without the attributes, and shorter for 0, which most are."""
    return lambda value: round(value * scale / step) if value else None if value is None else 0


@cache
def _statement(model: type[models.Model], names: tuple[str, ...], or_ignore: bool, or_update: Conflict | None) -> str:
    def columns(of: Iterable[str]) -> list[str]:
        return [connection.ops.quote_name(str(model._meta.get_field(name).column)) for name in of]  # type: ignore[union-attr]

    table = connection.ops.quote_name(model._meta.db_table)
    into = f"INSERT INTO {table} ({', '.join(columns(names))}) VALUES ({', '.join(['%s'] * len(names))})"  # noqa: S608
    if or_ignore:
        return f"{into} ON CONFLICT DO NOTHING"
    if or_update:
        unique, renewed = or_update
        renewals = ", ".join(f"{column} = EXCLUDED.{column}" for column in columns(renewed))
        return f"{into} ON CONFLICT ({', '.join(columns(unique))}) DO UPDATE SET {renewals}"
    return into
