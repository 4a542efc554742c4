"""One process from its start to its end: who it is, and what it used over a range."""

from dataclasses import dataclass
from math import floor

from metrics.history.metadata import EVERY_POINT, output_names
from metrics.history.newest_processes import newest_processes
from metrics.history.points import Point
from metrics.history.series import Series, newest_points
from metrics.history.steps import Step, newest_steps, recorded_seconds, stepped_points
from metrics.history.tier_ranges import Ranged, TimeRange, finest_ranges, first_and_last
from metrics.models import Host, Process, ProcessSample, ProcessTotals
from metrics.models.present import last_present_moment
from metrics.models.sql import FIRST_MOMENT, LAST_MOMENT, TierRange, decoded_columns, fetch, select_range
from metrics.tiers import RAW


@dataclass(frozen=True, slots=True)
class LifeQuery(Ranged):
    """Which process, and the range of its line: as in a SeriesQuery."""

    process: Process
    start: float | None = None
    end: float | None = None
    limit: int = 100
    step: Step | None = None
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
    ranges = finest_ranges(ProcessTotals, TimeRange(process.host_id, FIRST_MOMENT, last))
    ends = [first_and_last(ProcessSample, of, {"process": (process.pk,)}) for of in ranges]
    return [moment for pair in ends if pair for moment in pair]


def _newest(process: Process) -> list[int]:
    """The newest tick, where the process is among the highest of it only in the longer list that it has."""
    newest = newest_processes(process.host)
    return [newest.timestamp] if newest and any(row["process"] == process.pk for row in newest.rows) else []


def read_line(query: LifeQuery) -> Series:
    """What the process used: a point where it was among the highest, none where it was not. In a step the mean of a
    rate is taken over all the time that was recorded: where the process was not among the highest it used nothing."""
    return _stored_line(query) if query.step is None else _stepped_line(query, query.step)


def _stored_line(query: LifeQuery) -> Series:
    ranges = finest_ranges(ProcessTotals, query.time_range)
    points: dict[int, Point] = {}
    for of in ranges:
        if len(points) <= query.limit:
            points |= _stored(query, of, query.limit + 1 - len(points))
    return newest_points(query, list(points), points, has_extremes=any(of.tier != RAW for of in ranges))


def _stored(query: LifeQuery, of: TierRange, count: int) -> dict[int, Point]:
    names = tuple(output_names(ProcessSample, None, maxima=of.tier != RAW))
    columns = ["timestamp", "resolution", *decoded_columns(ProcessSample, names)]
    statement, values = select_range(ProcessSample, of, columns, query.only, order_by="timestamp DESC", limit=True)
    keys = ("timestamp", "resolution", *names)
    return {row[0]: dict(zip(keys, row, strict=True)) for row in fetch(statement, [*values, count])}


def _stepped_line(query: LifeQuery, step: Step) -> Series:
    steps = newest_steps(ProcessSample, query.time_range, step, query.limit, clock=ProcessTotals, wanted=query.only)
    recorded = recorded_seconds(ProcessTotals, steps.ranges, steps.width) if steps.ranges else {}
    names = tuple(output_names(ProcessSample, None, maxima=True))
    found = dict(stepped_points(ProcessSample, names, steps.ranges, query.only, steps.width, recorded))
    points = {start: {"timestamp": start, "resolution": steps.width, **point} for start, point in found.items()}
    return newest_points(query, steps.starts, points, steps.width)
