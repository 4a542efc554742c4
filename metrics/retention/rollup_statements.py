"""SQL that rolls the samples of one table up into the buckets of a tier, on SQLite and PostgreSQL alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection, models

from metrics.models import Host, Sample, Tick
from metrics.models.fields import Averaged, ShareList
from metrics.tiers import RAW, Tier


@dataclass(frozen=True, slots=True)
class Stretch:
    """Buckets of one tier and host: from `start` up to but not including `end`, both multiples of the width."""

    host: Host
    tier: Tier
    start: int
    end: int

    @property
    def source(self) -> tuple[int, int, int, int]:
        """The values for SOURCE."""
        return self.host.pk, self.tier.source_seconds, self.start, self.end


# What a bucket is made from; served by the index of every sample table.
SOURCE = "host_id = %s AND tier = %s AND timestamp >= %s AND timestamp < %s"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of the rows that a bucket is made from: raw samples have no extremes and no coverage of their own.

    `interval` is the seconds that each of them stands for, where that is the same for all.
    """

    is_raw: bool
    interval: int | None = None

    @property
    def weight(self) -> str:
        """The seconds that a row stands for."""
        if self.interval:
            return str(self.interval)
        return "resolution" if self.is_raw else "covered_seconds"

    def extreme(self, field: Averaged | ShareList, extreme: str) -> str:
        """Where the highest or lowest value of a field is."""
        return quoted(field) if self.is_raw else connection.ops.quote_name(f"{field.name}_{extreme}")

    def weighted_sum(self, name: str) -> str:
        """The sum of a column times time; a whole number, which PostgreSQL would make a decimal."""
        total = f"SUM({name}) * {self.interval}" if self.interval else f"SUM({name} * {self.weight})"
        return f"CAST({total} AS BIGINT)"

    def mean(self, name: str) -> str:
        """The mean over the time for which the value is known."""
        if self.interval:
            return f"CAST(AVG({name}) AS DOUBLE PRECISION)"
        return f"CAST({self.weighted_sum(name)} AS DOUBLE PRECISION) / {self._known_seconds(name)}"

    def stored_mean(self, name: str) -> str:
        """The mean, rounded to what a column stores."""
        return f"CAST(ROUND({self.mean(name)}) AS BIGINT)"

    def _known_seconds(self, name: str) -> str:
        """The time for which a column is known: all but that of the few rows without a value, which takes half as long
        as to add up that of all others."""
        return f"(SUM({self.weight}) - COALESCE(SUM({self.weight}) FILTER (WHERE {name} IS NULL), 0))"


def source_columns(stretch: Stretch) -> Columns:
    """The columns of what a stretch is made from."""
    is_raw = stretch.tier.source_seconds == RAW
    return Columns(is_raw, _interval(stretch) if is_raw else None)


def _interval(stretch: Stretch) -> int | None:
    """The interval of all ticks of a stretch, which their samples have as well; None where it changes."""
    statement = (
        f"SELECT MIN(resolution), MAX(resolution) FROM {table(Tick)}"  # noqa: S608
        " WHERE host_id = %s AND timestamp >= %s AND timestamp < %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [stretch.host.pk, stretch.start, stretch.end])
        shortest, longest = cursor.fetchone()
    return shortest if shortest == longest else None


def roll_up_table(model: type[Sample], stretch: Stretch, columns: Columns) -> None:
    """Compute the roll-up rows of a table that keeps all of its things."""
    width = stretch.tier.width_seconds
    parameters = [stretch.host.pk, width, width, width, *stretch.source]
    if lasting_fields(model):
        parameters += [stretch.host.pk, stretch.tier.source_seconds]
    with connection.cursor() as cursor:
        cursor.execute(_statement(model, columns), parameters)


@lru_cache
def _statement(model: type[Sample], columns: Columns) -> str:
    """Means and extremes by bucket and thing, joined with the newest row of each for what keeps its last value."""
    averaged = averaged_fields(model)
    lasting = lasting_fields(model)
    keys = [quoted(model._meta.get_field(name)) for name in model.key]
    targets = ["host_id", "tier", "timestamp", "resolution", "points", "covered_seconds", *keys]
    grouped = ["timestamp - timestamp %% %s AS start", "MAX(timestamp) AS newest", "SUM(points) AS points"]
    grouped += [f"SUM({columns.weight}) AS covered", *keys]
    grouped += [sql for field in averaged for sql in _aggregates(field, columns)]
    chosen = ["%s", "%s", "g.start", "%s", "g.points", "g.covered", *(f"g.{key}" for key in keys)]
    chosen += [f"g.{name}" for field in averaged for name in _targets(field)]
    chosen += [f"s.{quoted(field)}" for field in lasting]
    targets += [name for field in averaged for name in _targets(field)] + [quoted(field) for field in lasting]
    newest = ""
    if lasting:
        same_thing = "".join(f" AND s.{key} = g.{key}" for key in keys)
        newest = f" JOIN {table(model)} s ON s.host_id = %s AND s.tier = %s AND s.timestamp = g.newest{same_thing}"
    return insert_or_replace(
        model,
        targets,
        f"SELECT {', '.join(chosen)} FROM (SELECT {', '.join(grouped)} FROM {table(model)} WHERE {SOURCE}"  # noqa: S608
        f" GROUP BY {', '.join(('start', *keys))}) g{newest}",
    )


def insert_or_replace(model: type[Sample], targets: Iterable[str], select: str) -> str:
    """An INSERT of roll-up rows that takes the place of those that are there."""
    columns = list(targets)
    unique = ["host_id", "tier", "timestamp", *(quoted(model._meta.get_field(name)) for name in model.key)]
    renewed = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns if name not in unique)
    # WHERE true: without it SQLite takes ON CONFLICT for the ON of a join.
    return (
        f"INSERT INTO {table(model)} ({', '.join(columns)}) {select} WHERE true"
        f" ON CONFLICT ({', '.join(unique)}) DO UPDATE SET {renewed}"
    )


@lru_cache
def averaged_fields(model: type[Sample]) -> list[Averaged]:
    """The fields of which a roll-up keeps mean and extremes."""
    return [field for field in model.measures() if isinstance(field, Averaged)]


@lru_cache
def list_fields(model: type[Sample]) -> list[ShareList]:
    """The fields that hold a list, of which SQL knows no mean."""
    return [field for field in model.measures() if isinstance(field, ShareList)]


@lru_cache
def lasting_fields(model: type[Sample]) -> list[Any]:
    """The fields that keep their last value; those of the key say which thing it is, and lists are averaged later."""
    fields = model.measures()
    return [f for f in fields if not isinstance(f, Averaged | ShareList) and f.name not in model.key]


def _targets(field: Averaged) -> list[str]:
    return [quoted(field), *(connection.ops.quote_name(f"{field.name}_{extreme}") for extreme in field.extremes)]


def _aggregates(field: Averaged, columns: Columns) -> list[str]:
    name = quoted(field)
    aggregates = [f"{columns.stored_mean(name)} AS {name}"]
    for extreme in field.extremes:
        target = connection.ops.quote_name(f"{field.name}_{extreme}")
        aggregates.append(f"{extreme.upper()}({columns.extreme(field, extreme)}) AS {target}")
    return aggregates


def table(model: type[models.Model]) -> str:
    """A table's name in SQL."""
    return connection.ops.quote_name(model._meta.db_table)


def quoted(field: Any) -> str:
    """A column's name in SQL."""
    return connection.ops.quote_name(field.column)
