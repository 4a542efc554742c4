"""Buckets of a tier, and how the samples of one table are rolled up into them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from metrics.models import Host, Sample, Tick
from metrics.models.fields import Averaged, ShareList
from metrics.models.sql import (
    TierRange,
    column,
    execute,
    extreme_column,
    fetch,
    in_range,
    insert_or_replace,
    joined,
    key_columns,
    nested,
    select,
    table,
)
from metrics.tiers import RAW, Tier


@dataclass(frozen=True, slots=True)
class Buckets:
    """Buckets of one tier and host: from `start` up to but not including `end`, both multiples of the width."""

    host: Host
    tier: Tier
    start: int
    end: int

    @property
    def source(self) -> TierRange:
        """The rows that they are made from."""
        return TierRange(self.host.pk, self.tier.source_seconds, self.start, self.end - 1)

    @property
    def made(self) -> TierRange:
        """Their own rows."""
        return TierRange(self.host.pk, self.tier.width_seconds, self.start, self.end - 1)


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
        return column(field) if self.is_raw else extreme_column(field, extreme)

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


def source_columns(buckets: Buckets) -> Columns:
    """The columns of what buckets are made from."""
    is_raw = buckets.tier.source_seconds == RAW
    return Columns(is_raw, _interval(buckets) if is_raw else None)


def _interval(buckets: Buckets) -> int | None:
    """The interval of all their ticks, which the samples have as well; None where it changes."""
    statement = select(
        ["MIN(resolution)", "MAX(resolution)"], table(Tick), "host_id = %s AND timestamp >= %s AND timestamp < %s"
    )
    shortest, longest = fetch(statement, [buckets.host.pk, buckets.start, buckets.end])[0]
    return shortest if shortest == longest else None


def roll_up_table(model: type[Sample], buckets: Buckets, columns: Columns) -> None:
    """Compute the roll-up rows of a table that keeps all of its things."""
    width = buckets.tier.width_seconds
    _where, values = in_range(buckets.source)
    newest = [buckets.host.pk, buckets.tier.source_seconds] if lasting_fields(model) else []
    execute(_statement(model, columns), [buckets.host.pk, width, width, width, *values, *newest])


@lru_cache
def _statement(model: type[Sample], columns: Columns) -> str:
    """Means and extremes by bucket and thing, joined with the newest row of each for what keeps its last value."""
    averaged, lasting, keys = averaged_fields(model), lasting_fields(model), key_columns(model)
    names = [name for field in averaged for name in _targets(field)]
    grouped = ["timestamp - timestamp %% %s AS start", "MAX(timestamp) AS newest", "SUM(points) AS points"]
    grouped += [f"SUM({columns.weight}) AS covered", *keys]
    grouped += [sql for field in averaged for sql in _aggregates(field, columns)]
    where, _values = in_range(TierRange(0, 0, 0, 0))
    source = nested(select(grouped, table(model), where, group_by=["start", *keys]), "g")
    if lasting:
        same = "".join(f" AND s.{key} = g.{key}" for key in keys)
        newest = f"s.host_id = %s AND s.tier = %s AND s.timestamp = g.newest{same}"
        source = joined(source, (f"{table(model)} s", newest))
    chosen = ["%s", "%s", "g.start", "%s", "g.points", "g.covered", *(f"g.{name}" for name in (*keys, *names))]
    chosen += [column(field, "s") for field in lasting]
    targets = ["host_id", "tier", "timestamp", "resolution", "points", "covered_seconds", *keys, *names]
    return insert_or_replace(model, [*targets, *map(column, lasting)], select(chosen, source))


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


def _targets(field: Averaged) -> Sequence[str]:
    return [column(field), *(extreme_column(field, extreme) for extreme in field.extremes)]


def _aggregates(field: Averaged, columns: Columns) -> Sequence[str]:
    extremes = [(extreme, columns.extreme(field, extreme)) for extreme in field.extremes]
    highest = [f"{extreme.upper()}({stored}) AS {extreme_column(field, extreme)}" for extreme, stored in extremes]
    return [f"{columns.stored_mean(column(field))} AS {column(field)}", *highest]
