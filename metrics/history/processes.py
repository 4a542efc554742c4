"""The top processes at a moment or over a range."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import floor
from typing import Any, NamedTuple

from metrics.history.columns import (
    STRETCH,
    Point,
    Row,
    column,
    columns_of,
    decoded,
    extreme_column,
    fetch,
    stretch_of,
    table,
)
from metrics.history.metadata import output_names
from metrics.history.newest_processes import ranked
from metrics.history.pieces import FIRST_MOMENT, Piece, Ranged, pieces_for_range, summary_layers
from metrics.history.steps import WEIGHT
from metrics.models import Host, NewestProcesses, Process, ProcessSample, ProcessTotals
from metrics.models.present import last_present_moment
from metrics.tiers import RAW, summaries, tiers

IDENTITY = ("pid", "name", "username")
IDENTITY_COLUMNS = (*IDENTITY, "started_at", "command")
RATES = ("cpu_percent", "children_cpu_percent", "read_bytes_per_second", "write_bytes_per_second")
LEVELS = ("memory_percent", "rss_bytes", "threads")
# The identity that stands for all processes without a row of their own in a roll-up.
NOT_OTHERS = "NOT (p.pid = 0 AND p.started_at = 0)"
MIN_BUCKETS, MIN_SUMMARIES = 200, 20


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
        """Whether it asks about a stretch of time."""
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
    the most. All of it is None where nothing was recorded."""

    sort_by: str
    timestamp: int | None
    resolution: int | None
    total: int | None
    results: list[Point]


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
    statement = f"SELECT timestamp{columns_of(ProcessTotals, names)} FROM {table(ProcessTotals)} WHERE {STRETCH}"  # noqa: S608
    rows = fetch(statement, Piece(host.pk, RAW, timestamp, timestamp))
    return dict(zip(names, rows[0][1:], strict=True)) if rows else None


def _at_moment(query: ProcessQuery) -> RankedProcesses:
    found = _moment(query)
    if found is None:
        return RankedProcesses(query.sort_by, None, None, None, [])
    if found.newest is not None:
        rows = _newest_rows(query, found.newest)
    else:
        moment = Piece(query.host.pk, found.tier, found.timestamp, found.timestamp)
        rows = fetch(_ranking_statement(query.sort_by, query.searched), (*moment, *query.pattern, query.limit))
    return RankedProcesses(query.sort_by, found.timestamp, found.resolution, found.total, [_point(row) for row in rows])


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
        return _last_moment(Piece(query.host.pk, RAW, FIRST_MOMENT, last_present_moment()))
    for tier in (RAW, *(tier.width_seconds for tier in tiers())):
        found = _last_moment(Piece(query.host.pk, tier, FIRST_MOMENT, floor(query.at)))
        if found and query.at - found.timestamp <= found.resolution:
            return found
    return None


def _last_moment(piece: Piece) -> _Moment | None:
    rows = fetch(_moment_statement(), piece)
    return _Moment(*rows[0]) if rows else None


@lru_cache
def _moment_statement() -> str:
    """The totals of the last moment of a stretch, and what there is only for the newest tick: in one statement, so that
    both are of one tick."""
    return (
        f"SELECT t.tier, t.timestamp, t.resolution, t.{column(_total())}, n.{column(_rows())}"  # noqa: S608
        f" FROM {table(ProcessTotals)} t LEFT JOIN {table(NewestProcesses)} n"
        f" ON t.tier = {RAW} AND n.host_id = t.host_id AND n.timestamp = t.timestamp"
        f" WHERE t.{STRETCH.replace(' AND ', ' AND t.')} ORDER BY t.timestamp DESC LIMIT 1"
    )


def _found(searched: Iterable[str]) -> str:
    """The condition, in SQL, for an identity to be what is searched for; its values are the patterns of the query.

    What is lower case, the database says for both: SQLite knows it of ASCII only.
    """
    found = " OR ".join(f"LOWER(CAST(p.{name} AS TEXT)) LIKE LOWER(%s) ESCAPE '\\'" for name in searched)
    return f" AND ({found})" if found else ""


@lru_cache
def _ranking_statement(sort_by: str, searched: tuple[str, ...]) -> str:
    """The samples of a moment with their identities, the highest first."""
    names = tuple(output_names(ProcessSample, None, maxima=False))
    identity = "".join(f", p.{name}" for name in IDENTITY_COLUMNS)
    return (
        f"SELECT s.process_id{identity}{columns_of(ProcessSample, names, 's.')}"  # noqa: S608
        f" FROM {table(ProcessSample)} s JOIN {table(Process)} p ON p.id = s.process_id"
        f" WHERE s.{STRETCH.replace(' AND ', ' AND s.')} AND {NOT_OTHERS}{_found(searched)}"
        f" ORDER BY {_order(sort_by)} DESC, {_order('cpu')} DESC, {_order('memory')} DESC, s.process_id LIMIT %s"
    )


def _order(sort_by: str) -> str:
    """The sum of the columns of an order, as they are stored: they share one scale."""
    return " + ".join(f"COALESCE(s.{column(_field(name))}, 0)" for name in ProcessSample.orders[sort_by])


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
    width = _width_for(query)
    is_long = width > tiers()[-1].width_seconds
    host, start, end = query.stretch
    summed_up = summary_layers(ProcessTotals, host, start, with_processes=True) if is_long else []
    pieces = pieces_for_range(ProcessTotals, host, start, end, width, summed_up)
    covered = [_covered(piece) for piece in pieces]
    seconds = sum(row[0] or 0 for row in covered)
    if not seconds:
        return RankedProcesses(query.sort_by, None, None, None, [])
    total = max((row[1] for row in covered if row[1] is not None), default=None)
    first = min(row[2] for row in covered if row[2] is not None)
    summaries_used = [piece for piece in pieces if piece.tier in {layer.tier for layer in summed_up}]
    results = [_range_point(row, seconds) for row in _summed(query, pieces, summaries_used)]
    return RankedProcesses(query.sort_by, first, seconds, total, results)


def _width_for(query: ProcessQuery) -> int:
    """The widest tier of which a range has some hundred buckets: a year is not read minute by minute. A summary knows
    more processes, so that some of its buckets are enough."""
    _host, start, end = query.stretch
    span = min(end, int(time.time())) - start
    wide = [tier.width_seconds for tier in tiers() if span >= MIN_BUCKETS * tier.width_seconds]
    with_processes = (tier.width_seconds for tier in summaries() if tier.top_processes)
    wide += [width for width in with_processes if span >= MIN_SUMMARIES * width]
    return max(wide, default=1)


def _covered(piece: Piece) -> tuple[Any, ...]:
    """Recorded seconds, the highest number of processes, and the first moment of a piece."""
    highest = f"MAX(COALESCE({extreme_column(_total(), 'max')}, {column(_total())}))"
    statement = f"SELECT SUM({WEIGHT}), {highest}, MIN(timestamp) FROM {table(ProcessTotals)} WHERE {STRETCH}"  # noqa: S608
    return fetch(statement, piece)[0]


def _summed(query: ProcessQuery, pieces: list[Piece], summaries_used: list[Piece]) -> list[dict[str, Any]]:
    """What SUMS names for each of the highest processes, with its identity."""
    statement = _sums_statement(query.sort_by, len(pieces), query.searched)
    rows = fetch(statement, (*(value for piece in pieces for value in piece), *query.pattern, query.limit))
    sums = [dict(zip((*SUMS, *IDENTITY_COLUMNS), row, strict=True)) for row in rows]
    for piece in summaries_used:
        _look_closer(sums, piece)
    statuses = _newest_statuses(sums, [piece for piece in pieces if piece.tier == RAW])
    return [{**row, "status": statuses.get((row["id"], row["last_seen"]))} for row in sums]


def _look_closer(sums: Iterable[dict[str, Any]], piece: Piece) -> None:
    """A bucket of a summary is hours wide: when a process was first and last seen in it, its points say."""
    finest = tiers()[-1].width_seconds
    for row in sums:
        for name, extreme in (("first_seen", "MIN"), ("last_seen", "MAX")):
            if piece.start <= row[name] <= piece.end and row[name] % piece.tier == 0:
                bucket = Piece(piece.host, finest, row[name], row[name] + piece.tier - 1)
                condition, values = stretch_of(ProcessSample, {"process": [row["id"]]})
                statement = f"SELECT {extreme}(timestamp) FROM {table(ProcessSample)} WHERE {condition}"  # noqa: S608
                row[name] = fetch(statement, [*bucket, *values])[0][0] or row[name]


SUMS = ("id", "seen_seconds", "rss_bytes_max", "first_seen", "last_seen", *RATES, *LEVELS)


@lru_cache
def _sums_statement(sort_by: str, pieces: int, searched: tuple[str, ...]) -> str:
    """A row a process: what SUMS names, and its identity; rates and levels are sums weighted by time, as stored."""
    levels = (*RATES, *LEVELS)
    sums = "".join(f", SUM(CAST({name} AS DOUBLE PRECISION) * {WEIGHT}) AS sum_{name}" for name in levels)
    in_piece = (
        f"SELECT process_id, SUM({WEIGHT}) AS seen, MAX(COALESCE(rss_bytes_max, rss_bytes)) AS highest,"  # noqa: S608
        f" MIN(timestamp) AS first_seen, MAX(timestamp) AS last_seen{sums} FROM {table(ProcessSample)}"
        f" WHERE {STRETCH} GROUP BY process_id"
    )
    joined = "".join(f", SUM(sum_{name}) AS sum_{name}" for name in levels)
    highest = decoded(_field("rss_bytes"), "MAX(highest)")
    totals = (
        f"SELECT process_id, CAST(SUM(seen) AS BIGINT) AS seen_seconds, {highest} AS rss_bytes_max,"  # noqa: S608
        f" MIN(first_seen) AS first_seen, MAX(last_seen) AS last_seen{joined}"
        f" FROM ({' UNION ALL '.join([in_piece] * pieces)}) pieces GROUP BY process_id"
    )
    order = " + ".join(f"COALESCE(sum_{name}, 0)" for name in ProcessSample.orders[sort_by])
    if sort_by == "memory":
        order = f"({order}) / seen_seconds"
    identity = "".join(f", p.{name}" for name in IDENTITY_COLUMNS)
    return (
        f"SELECT t.*{identity} FROM ({totals}) t JOIN {table(Process)} p ON p.id = t.process_id"  # noqa: S608
        f" WHERE {NOT_OTHERS}{_found(searched)} ORDER BY {order} DESC, process_id LIMIT %s"
    )


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


def _newest_statuses(sums: Iterable[dict[str, Any]], raw: Iterable[Piece]) -> dict[tuple[int, int], str]:
    """What each process was doing when it was last seen, by its id and that time; a roll-up does not know."""
    moments = [(piece.host, row["id"], row["last_seen"]) for row in sums for piece in raw if _holds(piece, row)]
    if not moments:
        return {}
    # One seek each: for a list of conditions SQLite would walk through all raw samples.
    sample = (
        f"SELECT process_id, timestamp, status FROM {table(ProcessSample)}"  # noqa: S608
        f" WHERE host_id = %s AND tier = {RAW} AND process_id = %s AND timestamp = %s"
    )
    rows = fetch(" UNION ALL ".join([sample] * len(moments)), [value for moment in moments for value in moment])
    return {(pk, timestamp): status for pk, timestamp, status in rows}


def _holds(piece: Piece, row: dict[str, Any]) -> bool:
    return bool(piece.start <= row["last_seen"] <= piece.end)


def _field(name: str) -> Any:
    return ProcessSample._meta.get_field(name)


def _rows() -> Any:
    return NewestProcesses._meta.get_field("rows")


def _total() -> Any:
    return ProcessTotals._meta.get_field("total")
