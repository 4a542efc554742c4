"""One process from its start to its end: who it is, and what it used over a range."""

from dataclasses import dataclass
from math import floor
from typing import Literal

from metrics.history.columns import Point, columns_of, fetch, stretch_of, table
from metrics.history.metadata import EVERY_POINT, output_names
from metrics.history.newest_processes import newest_processes
from metrics.history.pieces import (
    FIRST_MOMENT,
    LAST_MOMENT,
    Piece,
    Ranged,
    finest_pieces,
    first_and_last,
)
from metrics.history.series import Series
from metrics.history.sources import Source, cut, sources_for_step
from metrics.history.steps import newest_steps, recorded_seconds, resolved_step, stepped_points
from metrics.models import Host, Process, ProcessSample, ProcessTotals
from metrics.models.present import last_present_moment
from metrics.tiers import RAW


@dataclass(frozen=True, slots=True)
class LifeQuery(Ranged):
    """Which process, and the stretch of its line: as in a SeriesQuery."""

    process: Process
    start: float | None = None
    end: float | None = None
    limit: int = 100
    step: int | Literal["auto"] | None = None
    descending: bool = False

    @property
    def only(self) -> dict[str, tuple[int]]:
        """What tells its samples apart from those of others."""
        return {"process": (self.process.pk,)}

    @property
    def host(self) -> Host:  # type: ignore[override]
        """Where it ran."""
        return self.process.host


@dataclass(frozen=True, slots=True)
class Life:
    """When a process was first and last among those that are kept; None where nothing of it is left."""

    first_seen: int | None
    last_seen: int | None


def line_names(*, maxima: bool) -> list[str]:
    """The names in a point of a line, in their order."""
    return [*EVERY_POINT, *output_names(ProcessSample, None, maxima=maxima)]


def find_process(pk: int) -> Process | None:
    """The process with this id, with its host."""
    return Process.objects.select_related("host").exclude(pid=0, started_at=0).filter(pk=pk).first()


def read_life(process: Process) -> Life:
    """The first and the last moment at which the process was seen, as exactly as the tiers that are left can tell."""
    # What lies ahead is not when it was last seen, unless nothing else is left of it.
    known = _ends(process, last_present_moment()) or _ends(process, LAST_MOMENT) or _newest(process)
    if not known:
        return Life(None, None)
    # A bucket may begin before the process did.
    first = max(min(known), floor(process.started_at.timestamp()))
    return Life(first, max(first, *known))


def _ends(process: Process, last: int) -> list[int]:
    pieces = finest_pieces(ProcessTotals, process.host_id, FIRST_MOMENT, last)
    ends = [first_and_last(ProcessSample, piece, {"process": (process.pk,)}) for piece in pieces]
    return [moment for pair in ends if pair for moment in pair]


def _newest(process: Process) -> list[int]:
    """The newest tick, where the process is among the highest of it only in the longer list that it has."""
    newest = newest_processes(process.host)
    return [newest.timestamp] if newest and any(row["process"] == process.pk for row in newest.rows) else []


def read_line(query: LifeQuery) -> Series:
    """What the process used: a point where it was among the highest, none where it was not. In a step the mean of a
    rate is taken over all the time that was recorded: where the process was not among the highest it used nothing."""
    finest = finest_pieces(ProcessTotals, *query.stretch)
    if query.step is None:
        return _series(query, _stored_points(query, finest), None, any(piece.tier != RAW for piece in finest))
    step = resolved_step(ProcessSample, finest, query.step, query.limit, query.only)
    sources = sources_for_step(ProcessTotals, *query.stretch, step, with_processes=True)
    return _series(query, _stepped_points(query, sources, step), step, True)


def _series(query: LifeQuery, newest_first: list[Point], step: int | None, has_extremes: bool) -> Series:
    shown = newest_first[: query.limit]
    oldest = shown[-1]["timestamp"] if shown else None
    ordered = shown if query.descending else shown[::-1]
    return Series(ordered, oldest, len(newest_first) > query.limit, step, has_extremes)


def _stored_points(query: LifeQuery, pieces: list[Piece]) -> list[Point]:
    points: list[Point] = []
    for piece in pieces:
        if len(points) <= query.limit:
            points += _stored(query, piece, query.limit + 1 - len(points))
    return points


def _stored(query: LifeQuery, piece: Piece, count: int) -> list[Point]:
    names = tuple(output_names(ProcessSample, None, maxima=piece.tier != RAW))
    condition, values = stretch_of(ProcessSample, query.only)
    statement = (
        f"SELECT timestamp, resolution{columns_of(ProcessSample, names)} FROM {table(ProcessSample)}"  # noqa: S608
        f" WHERE {condition} ORDER BY timestamp DESC LIMIT %s"
    )
    rows = fetch(statement, (*piece, *values, count))
    return [dict(zip(("timestamp", "resolution", *names), row, strict=True)) for row in rows]


def _stepped_points(query: LifeQuery, sources: list[Source], step: int) -> list[Point]:
    starts = newest_steps(ProcessSample, sources, step, query.limit + 1, query.only)
    if not starts:
        return []
    shown = cut(sources, starts[-1], starts[0] + step - 1)
    recorded = recorded_seconds(ProcessTotals, shown, step)
    names = tuple(output_names(ProcessSample, None, maxima=True))
    found = dict(stepped_points(ProcessSample, names, shown, query.only, step, recorded))
    return [{"timestamp": start, "resolution": step, **found[start]} for start in starts]
