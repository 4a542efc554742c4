"""The top processes at a moment or over a range."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from math import floor
from typing import Any, NamedTuple

from metrics.history.metadata import output_names
from metrics.history.newest_processes import ranked
from metrics.history.points import Point
from metrics.history.tier_ranges import Ranged, TimeRange, finest_ranges, stored_tiers, whole_buckets, wide_ranges
from metrics.history.worst_ticks import read_worst_ticks, worst_points
from metrics.models import Host, NewestProcesses, Process, ProcessSample, ProcessTotals
from metrics.models.present import last_present_moment
from metrics.models.sql import (
    FIRST_MOMENT,
    WEIGHT,
    Row,
    Sql,
    TierRange,
    all_of,
    column,
    decoded,
    decoded_columns,
    extreme_column,
    fetch,
    in_range,
    joined,
    nested,
    select,
    select_range,
    sum_of,
    table,
    union,
)
from metrics.tiers import RAW, WIDTHS

IDENTITY = ("pid", "name", "username")
IDENTITY_COLUMNS = (*IDENTITY, "started_at", "command")
RATES = ("cpu_percent", "children_cpu_percent", "read_bytes_per_second", "write_bytes_per_second")
LEVELS = ("memory_percent", "rss_bytes", "threads")
# The identity that stands for all processes without a row of their own in a roll-up.
NOT_OTHERS = "NOT (p.pid = 0 AND p.started_at = 0)"
# A range is read in so many buckets at the least, where that many are stored: a year is not read minute by minute.
MIN_BUCKETS = 200
# When a process was seen is told to a quarter of an hour at the least.
FINE_ENOUGH_SECONDS = 900


@dataclass(frozen=True, slots=True)
class ProcessQuery(Ranged):
    """Which processes: those of the newest tick, of the tick at or before `at`, or those from `start` to `end`; with
    `search` those that have this text in name, user or PID, and in the command line where that may be searched."""

    host: Host
    sort_by: str = "cpu"
    limit: int = 10
    at: float | None = None
    start: float | None = None
    end: float | None = None
    search: str | None = None
    searches_commands: bool = False

    @property
    def is_range(self) -> bool:
        """Whether it asks about a range of time."""
        return self.start is not None or self.end is not None

    @property
    def searched(self) -> tuple[str, ...]:
        """The columns of an identity in which to search; none where nothing is searched for."""
        columns = (*IDENTITY, "command") if self.searches_commands else IDENTITY
        return columns if self.search else ()

    @property
    def pattern(self) -> list[str]:
        """What LIKE is to find, for each column that is searched; its own signs stand for themselves."""
        escaped = "".join(f"\\{sign}" if sign in "\\%_" else sign for sign in self.search or "")
        return [f"%{escaped}%"] * len(self.searched)


@dataclass(frozen=True, slots=True)
class RankedProcesses:
    """The highest processes first, from `timestamp` on for `resolution` seconds; `total` is how many processes ran at
    the most. All of it is None where nothing was recorded. Of a bucket `worst` is its worst tick by each order."""

    sort_by: str
    timestamp: int | None
    resolution: int | None
    total: int | None
    results: list[Point]
    worst: dict[str, Point | None] | None = None


def sort_orders() -> list[str]:
    """What `sort_by` may name; the first one is the default."""
    return list(ProcessSample.orders)


def process_fields() -> list[Any]:
    """What is measured of a process."""
    return ProcessSample.measures()


def totals_fields() -> list[Any]:
    """What is measured of all processes together."""
    return ProcessTotals.measures()


def point_names(*, is_range: bool) -> list[str]:
    """The names in a result, in their order."""
    names = ["id", *IDENTITY, *output_names(ProcessSample, None, maxima=False), "started_at", "command"]
    return [*names, "cpu_seconds", "rss_bytes_max", "first_seen", "last_seen"] if is_range else names


def read_processes(query: ProcessQuery) -> RankedProcesses:
    """Rank the processes that the query is about."""
    return _over_range(query) if query.is_range else _at_moment(query)


def read_totals(host: Host, timestamp: int) -> Point | None:
    """How many processes there were at a tick; None where nobody counted."""
    names = tuple(output_names(ProcessTotals, None, maxima=False))
    of = TierRange(host.pk, RAW, timestamp, timestamp)
    rows = fetch(*select_range(ProcessTotals, of, decoded_columns(ProcessTotals, names)))
    return dict(zip(names, rows[0], strict=True)) if rows else None


def _at_moment(query: ProcessQuery) -> RankedProcesses:
    found = _moment(query)
    if found is None:
        return RankedProcesses(query.sort_by, None, None, None, [])
    moment = TierRange(query.host.pk, found.tier, found.timestamp, found.timestamp)
    rows = fetch(*_ranking(query, moment)) if found.newest is None else _newest_rows(query, found.newest)
    worst = None if found.tier == RAW else worst_points(read_worst_ticks(moment))
    results = [_point(row) for row in rows]
    return RankedProcesses(query.sort_by, found.timestamp, found.resolution, found.total, results, worst)


def _newest_rows(query: ProcessQuery, newest: str) -> list[Row]:
    """Of the newest tick, of which all are in one row of the database: a search takes place here."""
    stored = NewestProcesses.decoded(newest)
    if not query.search:
        return ranked(stored, query.sort_by, query.limit, IDENTITY_COLUMNS)
    text, places = query.search.lower(), [1 + IDENTITY_COLUMNS.index(name) for name in query.searched]
    rows = ranked(stored, query.sort_by, len(stored), IDENTITY_COLUMNS)
    return [row for row in rows if any(text in str(row[place] or "").lower() for place in places)][: query.limit]


class _Moment(NamedTuple):
    """The moment that a query is about; `newest` has its processes where it is the newest tick."""

    tier: int
    timestamp: int
    resolution: int
    total: int | None
    newest: str | None


def _moment(query: ProcessQuery) -> _Moment | None:
    """From the finest tier that has it; not older than one resolution where a time was asked for."""
    if query.at is None:
        return _last_moment(TierRange(query.host.pk, RAW, FIRST_MOMENT, last_present_moment()))
    for tier in (RAW, *WIDTHS):
        found = _last_moment(TierRange(query.host.pk, tier, FIRST_MOMENT, floor(query.at)))
        if found and query.at - found.timestamp <= found.resolution:
            return found
    return None


def _last_moment(of: TierRange) -> _Moment | None:
    """The totals of the last moment of a tier range, and what there is only for the newest tick: in one statement, so
    that both are of one tick."""
    columns = ["t.tier", "t.timestamp", "t.resolution", column(_total(), "t"), column(_rows(), "n")]
    newest = f"t.tier = {RAW} AND n.host_id = t.host_id AND n.timestamp = t.timestamp"
    source = f"{table(ProcessTotals)} t LEFT JOIN {table(NewestProcesses)} n ON {newest}"
    where, values = in_range(of, alias="t")
    rows = fetch(select(columns, source, where, order_by="t.timestamp DESC", limit=True), [*values, 1])
    return _Moment(*rows[0]) if rows else None


def _found(searched: Iterable[str]) -> str:
    """The condition, in SQL, for an identity to be what is searched for; its values are the patterns of the query.

    What is lower case, the database says for both: SQLite knows it of ASCII only.
    """
    found = " OR ".join(f"LOWER(CAST(p.{name} AS TEXT)) LIKE LOWER(%s) ESCAPE '\\'" for name in searched)
    return f"({found})" if found else ""


def _ranking(query: ProcessQuery, of: TierRange) -> Sql:
    """The samples of a moment with their identities, the highest first."""
    names = tuple(output_names(ProcessSample, None, maxima=False))
    columns = ["s.process_id", *_identity(), *decoded_columns(ProcessSample, names, "s")]
    source = joined(f"{table(ProcessSample)} s", (f"{table(Process)} p", "p.id = s.process_id"))
    where, values = in_range(of, alias="s")
    order = ", ".join([*(f"{_used(name)} DESC" for name in (query.sort_by, "cpu", "memory")), "s.process_id"])
    wanted = all_of(where, NOT_OTHERS, _found(query.searched))
    return select(columns, source, wanted, order_by=order, limit=True), [*values, *query.pattern, query.limit]


def _used(sort_by: str) -> str:
    """The sum of the columns of an order, as they are stored: they share one scale."""
    return sum_of(column(_field(name), "s") for name in ProcessSample.orders[sort_by])


def _identity() -> list[str]:
    return [f"p.{name}" for name in IDENTITY_COLUMNS]


def _point(row: tuple[Any, ...]) -> Point:
    pk, pid, name, username, started_at, command, *values = row
    return {
        "id": pk,
        "pid": pid,
        "name": name,
        "username": username,
        **dict(zip(output_names(ProcessSample, None, maxima=False), values, strict=True)),
        "started_at": started_at / 100,
        "command": command,
    }


def _over_range(query: ProcessQuery) -> RankedProcesses:
    """CPU and I/O are means over the time that was recorded, in which an absent process used nothing; memory is the
    mean over the moments at which the process was seen."""
    of = query.time_range
    ranges = wide_ranges(ProcessTotals, of, _width_for(of))
    covered = [_covered(of) for of in ranges]
    seconds = sum(row[0] or 0 for row in covered)
    if not seconds:
        return RankedProcesses(query.sort_by, None, None, None, [])
    total = max((row[1] for row in covered if row[1] is not None), default=None)
    first = min(row[2] for row in covered if row[2] is not None)
    results = [_range_point(row, seconds) for row in _summed(query, ranges)]
    return RankedProcesses(query.sort_by, first, seconds, total, results)


def _width_for(of: TimeRange) -> int:
    """The widest tier of which a range has enough buckets."""
    span = min(of.end, int(time.time())) - of.start
    return max((width for width in WIDTHS if span >= MIN_BUCKETS * width), default=1)


def _covered(of: TierRange) -> Row:
    """Recorded seconds, the highest number of processes, and the first moment of a tier range."""
    highest = f"MAX(COALESCE({extreme_column(_total(), 'max')}, {column(_total())}))"
    return fetch(*select_range(ProcessTotals, of, [f"SUM({WEIGHT})", highest, "MIN(timestamp)"]))[0]


def _summed(query: ProcessQuery, ranges: list[TierRange]) -> list[dict[str, Any]]:
    """What SUMS names for each of the highest processes, with its identity."""
    sums = [dict(zip((*SUMS, *IDENTITY_COLUMNS), row, strict=True)) for row in fetch(*_sums(query, ranges))]
    if wide := [of for of in ranges if of.tier > FINE_ENOUGH_SECONDS]:
        _look_closer(sums, wide)
    statuses = _newest_statuses(sums, [of for of in ranges if of.tier == RAW])
    return [{**row, "status": statuses.get((row["id"], row["last_seen"]))} for row in sums]


def _look_closer(sums: Iterable[dict[str, Any]], wide: list[TierRange]) -> None:
    """A bucket may be hours wide: when a process was first and last seen in it, finer ones say."""
    known = stored_tiers(ProcessTotals, wide[0].host)
    for row in sums:
        for name, extreme in (("first_seen", "MIN"), ("last_seen", "MAX")):
            if of := next((of for of in wide if of.start <= row[name] <= of.end), None):
                bucket = TimeRange(of.host, row[name], row[name] + of.tier - 1)
                row[name] = _seen(finest_ranges(ProcessTotals, bucket, known), row["id"], extreme, row[name])


def _seen(bucket: list[TierRange], process: int, extreme: str, otherwise: int) -> int:
    """When a process was first (MIN) or last (MAX) seen in a bucket."""
    wanted = {"process": [process]}
    parts = (select_range(ProcessSample, whole_buckets(of), ["timestamp"], wanted) for of in bucket)
    moments, values = union(parts)
    found = fetch(select([f"{extreme}(timestamp)"], nested(moments, "moments")), values)[0][0]
    return otherwise if found is None else int(found)


SUMS = ("id", "seen_seconds", "rss_bytes_max", "first_seen", "last_seen", *RATES, *LEVELS)


def _sums(query: ProcessQuery, ranges: list[TierRange]) -> Sql:
    """A row a process: what SUMS names, and its identity; rates and levels are sums weighted by time, as stored."""
    levels = (*RATES, *LEVELS)
    sums = [f"SUM(CAST({name} AS DOUBLE PRECISION) * {WEIGHT}) AS sum_{name}" for name in levels]
    seen = [f"SUM({WEIGHT}) AS seen", "MAX(COALESCE(rss_bytes_max, rss_bytes)) AS highest"]
    ends = ["MIN(timestamp) AS first_seen", "MAX(timestamp) AS last_seen"]
    columns = ["process_id", *seen, *ends, *sums]
    parts, values = union(select_range(ProcessSample, of, columns, group_by=["process_id"]) for of in ranges)
    highest = decoded(_field("rss_bytes"), "MAX(highest)")
    seen = ["CAST(SUM(seen) AS BIGINT) AS seen_seconds", f"{highest} AS rss_bytes_max"]
    ends = ["MIN(first_seen) AS first_seen", "MAX(last_seen) AS last_seen"]
    columns = ["process_id", *seen, *ends, *(f"SUM(sum_{name}) AS sum_{name}" for name in levels)]
    totals = select(columns, nested(parts, "ranges"), group_by=["process_id"])
    order = sum_of(f"sum_{name}" for name in ProcessSample.orders[query.sort_by])
    if query.sort_by == "memory":
        order = f"({order}) / seen_seconds"
    source = joined(nested(totals, "t"), (f"{table(Process)} p", "p.id = t.process_id"))
    wanted = all_of(NOT_OTHERS, _found(query.searched))
    statement = select(["t.*", *_identity()], source, wanted, order_by=f"{order} DESC, process_id", limit=True)
    return statement, [*values, *query.pattern, query.limit]


def _range_point(row: dict[str, Any], covered_seconds: int) -> Point:
    means = {
        **{name: _mean(name, row[name], covered_seconds) for name in RATES},
        **{name: _mean(name, row[name], row["seen_seconds"]) for name in LEVELS},
        "status": row["status"],
    }
    cpu_percent = [means[name] for name in ProcessSample.orders["cpu"] if means[name] is not None]
    started_at = row["started_at"] / 100
    # A bucket may begin before the process did.
    first_seen = max(row["first_seen"], floor(started_at))
    return {
        "id": row["id"],
        **{name: row[name] for name in IDENTITY},
        **{name: means[name] for name in output_names(ProcessSample, None, maxima=False)},
        "started_at": started_at,
        "command": row["command"],
        "cpu_seconds": round(sum(cpu_percent) * covered_seconds / 100, 2) if cpu_percent else None,
        "rss_bytes_max": row["rss_bytes_max"],
        "first_seen": first_seen,
        "last_seen": max(first_seen, row["last_seen"]),
    }


def _mean(name: str, weighted_sum: float | None, seconds: int) -> float | int | None:
    if weighted_sum is None:
        return None
    field = _field(name)
    mean: float = weighted_sum * field.step / field.scale / seconds
    return round(mean) if field.scale == 1 else round(mean, 3)


def _newest_statuses(sums: Iterable[dict[str, Any]], raw: Iterable[TierRange]) -> dict[tuple[int, int], str]:
    """What each process was doing when it was last seen, by its id and that time; a roll-up does not know."""
    moments = [(of.host, row["id"], row["last_seen"]) for row in sums for of in raw if _holds(of, row)]
    if not moments:
        return {}
    # One seek each: for a list of conditions SQLite would walk through all raw samples.
    where = f"host_id = %s AND tier = {RAW} AND process_id = %s AND timestamp = %s"
    sample = select(("process_id", "timestamp", "status"), table(ProcessSample), where)
    rows = fetch(*union((sample, list(moment)) for moment in moments))
    return {(pk, timestamp): status for pk, timestamp, status in rows}


def _holds(of: TierRange, row: dict[str, Any]) -> bool:
    return bool(of.start <= row["last_seen"] <= of.end)


def _field(name: str) -> Any:
    return ProcessSample._meta.get_field(name)


def _rows() -> Any:
    return NewestProcesses._meta.get_field("rows")


def _total() -> Any:
    return ProcessTotals._meta.get_field("total")
