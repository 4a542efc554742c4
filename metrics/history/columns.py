"""SQL over a table of samples, written out: at each request Django's compiler would take longer than the query.

What a column holds is decoded by the database where it can be, which is cheaper than a call for each value.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from django.db import connection, models

from metrics.models import Sample
from metrics.models.fields import ExtremeList, Flag, NumberField, ShareList
from metrics.tiers import RAW

Point = dict[str, Any]
Row = tuple[Any, ...]

# The condition that the index of every sample table serves: a host, a tier, a stretch of time (inclusive). Its values
# are those of a Piece.
STRETCH = "host_id = %s AND tier = %s AND timestamp >= %s AND timestamp <= %s"


def fetch(statement: str, parameters: Sequence[Any]) -> list[Row]:
    """All rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[Row] = cursor.fetchall()
    return rows


def table(model: type[models.Model]) -> str:
    """A table's name in SQL."""
    return connection.ops.quote_name(model._meta.db_table)


def column(field: Any) -> str:
    """A column's name in SQL, as it is stored."""
    return connection.ops.quote_name(field.column)


def extreme_column(field: Any, extreme: str) -> str:
    """The column, in SQL, that keeps an extreme of a field in a roll-up."""
    return connection.ops.quote_name(f"{field.column}_{extreme}")


def weight_of(tier: int) -> str:
    """The column, in SQL, of the seconds that a row of a tier stands for."""
    return "resolution" if tier == RAW else "covered_seconds"


def decoded(field: Any, stored: str = "") -> str:
    """SQL for what NumberField.decode does to a stored value; the division comes last for the same reason."""
    sql = stored or column(field)
    if not isinstance(field, NumberField):
        return sql
    if field.scale == 1:
        return sql if field.step == 1 else f"{sql} * {field.step}"
    return f"CAST({sql} AS DOUBLE PRECISION) * {field.step} / {field.scale}"


@lru_cache(maxsize=256)
def columns_of(model: type[Sample], names: tuple[str, ...], prefix: str = "") -> str:
    """Decoded columns joined by commas, to follow others in a SELECT: it begins with a comma where there are any."""
    fields = (model._meta.get_field(name) for name in names)
    return "".join(f", {decoded(field, prefix + column(field))}" for field in fields)


@lru_cache(maxsize=256)
def converters(model: type[Sample], names: tuple[str, ...]) -> list[tuple[str, Callable[[Any], Any]]]:
    """What is left to do in Python for some of the fields, by their names."""
    by_type = {ShareList: orjson.loads, ExtremeList: orjson.loads, Flag: bool}
    return [(name, by_type[kind]) for name in names if (kind := type(model._meta.get_field(name))) in by_type]


def only(model: type[Sample], wanted: Mapping[str, Iterable[Any]]) -> tuple[str, list[Any]]:
    """The condition that keeps the things that were asked for, by those labels that the table has, and its values."""
    condition = ""
    values: list[Any] = []
    for name in (name for name in model.key if name in wanted):
        condition += f" AND {column(model._meta.get_field(name))} IN ({', '.join('%s' for _ in wanted[name])})"
        values += wanted[name]
    return condition, values


def stretch_of(model: type[Sample], wanted: Mapping[str, Iterable[Any]]) -> tuple[str, list[Any]]:
    """STRETCH for the things that were asked for, and the values that follow those of STRETCH."""
    condition, values = only(model, wanted)
    # A process has one host: the sign keeps SQLite from walking through all processes of the host instead of its line.
    sign = "+" if "process" in wanted else ""
    return f"{sign}{STRETCH}{condition}", values


def convert(point: Point, functions: Iterable[tuple[str, Callable[[Any], Any]]]) -> Point:
    """Apply `converters` to the values that are there."""
    for name, function in functions:
        if point[name] is not None:
            point[name] = function(point[name])
    return point
