"""The SQL that the program puts together, for those who read samples and those who roll them up.

Written out: at each request Django's compiler would take longer than the query. What a column holds is decoded by the
database where it can be, which is cheaper than a call for each value. The same text serves SQLite and PostgreSQL.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection, models

from metrics.models.fields import NumberField
from metrics.models.samples import Sample
from metrics.tiers import RAW

Row = tuple[Any, ...]
# A statement or a condition, and its values.
Sql = tuple[str, list[Any]]
# What is wanted of a table with labels: the values that each label may have.
Labels = Mapping[str, Iterable[Any]]
# Seconds since the epoch that no moment reaches, for a range that is open at one end.
FIRST_MOMENT, LAST_MOMENT = -(2**50), 2**50
# The seconds that a row stands for: its interval, or what a roll-up covers.
WEIGHT = "COALESCE(covered_seconds, resolution)"


class TierRange(NamedTuple):
    """The rows of a host and tier from `start` to `end`, both included."""

    host: int
    tier: int
    start: int
    end: int


def fetch(statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
    """All rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[Row] = cursor.fetchall()
    return rows


def execute(statement: str, parameters: Sequence[Any] = ()) -> int:
    """Run a statement that writes, and say how many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def execute_many(statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run a statement that writes, once for each row of values."""
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)


# Names --------------------------------------------------------------------------------------------------------------
def table(model: type[models.Model]) -> str:
    """A table's name in SQL."""
    return connection.ops.quote_name(model._meta.db_table)


def column(field: Any, alias: str = "") -> str:
    """A column's name in SQL, as it is stored."""
    return _of(alias, connection.ops.quote_name(field.column))


def extreme_column(field: Any, extreme: str, alias: str = "") -> str:
    """The column, in SQL, that keeps an extreme of a field in a roll-up."""
    return _of(alias, connection.ops.quote_name(f"{field.column}_{extreme}"))


def key_columns(model: type[Sample], alias: str = "") -> list[str]:
    """The columns of the labels that tell the rows of one moment apart."""
    return [column(model._meta.get_field(name), alias) for name in model.key]


def weight_of(tier: int) -> str:
    """The column, in SQL, of the seconds that a row of a tier stands for."""
    return "resolution" if tier == RAW else "covered_seconds"


def _of(alias: str, name: str) -> str:
    return f"{alias}.{name}" if alias else name


# Expressions --------------------------------------------------------------------------------------------------------
def decoded(field: Any, stored: str = "") -> str:
    """What NumberField.decode does to a stored value; the division comes last for the same reason."""
    sql = stored or column(field)
    if not isinstance(field, NumberField):
        return sql
    if field.scale == 1:
        return sql if field.step == 1 else f"{sql} * {field.step}"
    return f"CAST({sql} AS DOUBLE PRECISION) * {field.step} / {field.scale}"


@lru_cache(maxsize=256)
def decoded_columns(model: type[Sample], names: tuple[str, ...], alias: str = "") -> list[str]:
    """The decoded columns of fields, by their names."""
    fields = (model._meta.get_field(name) for name in names)
    return [decoded(field, column(field, alias)) for field in fields]


def start_of(step: int) -> str:
    """The start of the step in which a row lies."""
    return f"timestamp - timestamp %% {int(step)}"


def sum_of(columns: Iterable[str]) -> str:
    """The sum of columns of which any may be null."""
    return " + ".join(f"COALESCE({name}, 0)" for name in columns)


def extremes_of(field: Any, tier: int) -> list[tuple[str, str]]:
    """The extremes that a field has, each with the column of a tier's rows that it is made of: a raw row is its own."""
    return [(e, column(field) if tier == RAW else extreme_column(field, e)) for e in field.extremes]


# Conditions ---------------------------------------------------------------------------------------------------------
def in_range(of: TierRange, wanted: Labels | None = None, alias: str = "") -> Sql:
    """The rows of a tier range, by the index of every sample table; with `wanted` only those with these labels.

    A process has one host, and a line of its own in another index, which is the shorter way to it.
    """
    labels = wanted or {}
    names = ("tier",) if "process" in labels else ("host_id", "tier")
    values: list[Any] = list(of)[2 - len(names) :]
    conditions = [f"{_of(alias, name)} = %s" for name in names]
    conditions += [f"{_of(alias, 'timestamp')} {sign} %s" for sign in (">=", "<=")]
    for name, among in labels.items():
        given = list(among)
        conditions.append(f"{_of(alias, _label(name))} IN ({places(given)})")
        values += given
    return " AND ".join(conditions), values


def _label(name: str) -> str:
    return connection.ops.quote_name("process_id" if name == "process" else name)


def places(values: Sequence[Any]) -> str:
    """A place for each of some values, joined by commas."""
    return ", ".join(["%s"] * len(values))


def all_of(*conditions: str) -> str:
    """Conditions that all hold; an empty one is none."""
    return " AND ".join(condition for condition in conditions if condition)


# Statements ---------------------------------------------------------------------------------------------------------
def select(
    columns: Iterable[str],
    source: str,
    where: str = "",
    *,
    group_by: Iterable[str] = (),
    order_by: str = "",
    limit: bool = False,
) -> str:
    """A query; with `limit` its last value says how many rows it gives."""
    parts = [f"SELECT {', '.join(columns)} FROM {source}"]  # noqa: S608
    if where:
        parts.append(f"WHERE {where}")
    if groups := ", ".join(group_by):
        parts.append(f"GROUP BY {groups}")
    if order_by:
        parts.append(f"ORDER BY {order_by}")
    if limit:
        parts.append("LIMIT %s")
    return " ".join(parts)


def nested(statement: str, alias: str) -> str:
    """A query that another one selects from."""
    return f"({statement}) {alias}"


def joined(source: str, *joins: tuple[str, str]) -> str:
    """Tables or queries with their aliases, each after the first with the condition by which it is joined."""
    return " ".join([source, *(f"JOIN {other} ON {condition}" for other, condition in joins)])


def union(parts: Iterable[Sql]) -> Sql:
    """All rows of some queries, one below the other."""
    found = list(parts)
    return " UNION ALL ".join(sql for sql, _values in found), [value for _sql, values in found for value in values]


def select_range(
    model: type[Sample], of: TierRange, columns: Iterable[str], wanted: Labels | None = None, **more: Any
) -> Sql:
    """A query over the rows of a tier range; `more` is that of `select`."""
    where, values = in_range(of, wanted)
    return select(columns, table(model), where, **more), values


def each_by_itself(queries: Iterable[str]) -> str:
    """One row with what each query gives: for MIN and MAX together SQLite would read the whole range."""
    return f"SELECT {', '.join(f'({query})' for query in queries)}"


def insert_or_replace(model: type[Sample], targets: Iterable[str], query: str) -> str:
    """An INSERT of roll-up rows that takes the place of those that are there; `query` ends with no condition."""
    columns = list(targets)
    unique = ["host_id", "tier", "timestamp", *key_columns(model)]
    renewed = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns if name not in unique)
    # WHERE true: without it SQLite takes ON CONFLICT for the ON of a join.
    return (
        f"INSERT INTO {table(model)} ({', '.join(columns)}) {query} WHERE true"
        f" ON CONFLICT ({', '.join(unique)}) DO UPDATE SET {renewed}"
    )


def update(model: type[models.Model], targets: Iterable[str], where: str) -> str:
    """An UPDATE of some columns, whose values come before those of the condition."""
    return f"UPDATE {table(model)} SET {', '.join(f'{name} = %s' for name in targets)} WHERE {where}"  # noqa: S608


def delete(model: type[models.Model], where: str) -> str:
    """A DELETE of the rows for which a condition holds."""
    return f"DELETE FROM {table(model)} WHERE {where}"  # noqa: S608
