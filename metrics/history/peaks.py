"""The highest moments of a range, found without knowing them: neighbours are merged into episodes."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from statistics import median
from typing import Any, NamedTuple

from metrics.history.metadata import tables
from metrics.history.points import Point
from metrics.history.processes import ProcessQuery, read_processes
from metrics.history.tier_ranges import Ranged, TimeRange, finest_ranges, first_and_last, wide_ranges
from metrics.history.worst_ticks import read_worst_ticks, worst_points
from metrics.models import Host, Sample
from metrics.models.fields import Averaged
from metrics.models.sql import TierRange, column, decoded, extreme_column, fetch, in_range, select, table
from metrics.models.worst_ticks import MACHINE, WorstTick
from metrics.tiers import RAW, WIDTHS

# A range is searched in so many points at the least, where that many are stored; the peak itself is then looked up in
# the finest tier that has it.
MIN_POINTS = 300
TOP_PROCESSES, MAX_PROCESSES = 5, 100
# What is busy is not so at every moment: an episode goes on behind a dip of this length.
MAX_DIP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class PeakQuery(Ranged):
    """What to look for: a field of one of a family's tables, and at most `limit` episodes."""

    host: Host
    family: str
    field: str = ""
    start: float | None = None
    end: float | None = None
    limit: int = 10


class Level(NamedTuple):
    """How high a value was: its mean from `timestamp` on for `resolution` seconds, and its maximum. What it was made
    from lies within `width` seconds; 1 for a raw point."""

    timestamp: int
    resolution: int
    mean: float
    highest: float
    width: int


def peak_fields(family: str) -> dict[str, tuple[type[Sample], Any]]:
    """What `field` may name: every field that goes up and down, with its table; a name of two tables is the first's."""
    found: dict[str, tuple[type[Sample], Any]] = {}
    for model in tables(family):
        for field in model.measures():
            if isinstance(field, Averaged):
                found.setdefault(field.name, (model, field))
    return found


def headline(family: str) -> str:
    """The field that stands for the family: the first that a table of it names."""
    names = [model.headline for model in tables(family) if model.headline]
    return names[0]


def read_peaks(query: PeakQuery) -> list[Point]:
    """The episodes, the highest first: start, end, peak, when that was, mean, and who was at work."""
    model, field = peak_fields(query.family)[query.field or headline(query.family)]
    levels = sorted(_levels(model, field, query), key=itemgetter(0))
    return [_episode(query, model, field, run) for run in _runs(levels, query.limit)]


def _levels(model: type[Sample], field: Any, query: PeakQuery) -> Iterator[Level]:
    """One level a moment: where the table has several things, the highest of them."""
    for of in wide_ranges(model, query.time_range, _width_for(model, query)):
        yield from _levels_of(model, field, of)


def _levels_of(model: type[Sample], field: Any, of: TierRange) -> list[Level]:
    highest = column(field) if of.tier == RAW else f"COALESCE({extreme_column(field, 'max')}, {column(field)})"
    mean, top = decoded(field, f"MAX({column(field)})"), decoded(field, f"MAX({highest})")
    where, values = in_range(of)
    known = f"{where} AND {column(field)} IS NOT NULL"
    columns = ("timestamp", "MAX(resolution)", mean, top)
    rows = fetch(select(columns, table(model), known, group_by=["timestamp"]), values)
    return [Level(at, resolution, low, high, of.tier or 1) for at, resolution, low, high in rows]


def _width_for(model: type[Sample], query: PeakQuery) -> int:
    """The widest tier of which the range has enough points."""
    ends = [first_and_last(model, of) for of in finest_ranges(model, query.time_range)]
    known = [moment for pair in ends if pair for moment in pair]
    span = max(known, default=0) - min(known, default=0)
    return max((width for width in WIDTHS if span >= MIN_POINTS * width), default=1)


def _runs(levels: list[Level], limit: int) -> list[list[Level]]:
    """Stretches around the highest moments: as far as it stays nearer to the peak than to what is usual."""
    if not levels:
        return []
    usual = median([level.mean for level in levels])
    free = [True] * len(levels)
    runs: list[list[Level]] = []
    highest = [level.highest for level in levels]
    for place in sorted(range(len(levels)), key=highest.__getitem__, reverse=True):
        if len(runs) == limit or levels[place].highest <= max(usual, 0):
            break
        if free[place]:
            first, last = _spread(levels, free, place, (levels[place].highest + usual) / 2)
            free[first : last + 1] = [False] * (last + 1 - first)
            runs.append(levels[first : last + 1])
    return runs


def _spread(levels: list[Level], free: list[bool], place: int, threshold: float) -> tuple[int, int]:
    first, last = (_furthest(levels, free, place, direction, threshold) for direction in (-1, 1))
    return first, last


def _furthest(levels: list[Level], free: list[bool], place: int, direction: int, threshold: float) -> int:
    """The last high level in a direction, past short dips, but over no gap."""
    furthest = place
    while 0 <= place + direction < len(levels) and free[place + direction]:
        here, place = levels[place], place + direction
        if not _adjoin(*sorted((here, levels[place]))):
            break
        if levels[place].highest >= threshold:
            furthest = place
        elif abs(levels[place].timestamp - levels[furthest].timestamp) > MAX_DIP_SECONDS:
            break
    return furthest


def _adjoin(earlier: Level, later: Level) -> bool:
    """Whether no more than one point is missing in between."""
    return later.timestamp - earlier.timestamp <= 2 * max(earlier.resolution, later.resolution)


def _episode(query: PeakQuery, model: type[Sample], field: Any, run: list[Level]) -> Point:
    start, end = run[0].timestamp, run[-1].timestamp + run[-1].resolution
    peak = max(run, key=lambda level: level.highest)
    exact = _exact_peak(model, field, query, peak)
    weight = sum(level.resolution for level in run)
    worst = _worst_tick(query, model, exact)
    is_of_peak = worst is not None and MACHINE[model.culprits] == (model, (field.name,))
    return {
        "start": start,
        "end": end,
        "peak": exact.highest,
        "peak_at": worst.timestamp if worst and is_of_peak else exact.timestamp,
        "resolution": exact.resolution,
        "mean": round(sum(level.mean * level.resolution for level in run) / weight, 3),
        "processes": _culprits(query, model, (start, end), worst),
        "worst": worst_points({model.culprits: worst})[model.culprits] if worst else None,
    }


def _worst_tick(query: PeakQuery, model: type[Sample], peak: Level) -> WorstTick | None:
    """That of the peak, where it is a bucket."""
    if peak.width == 1:
        return None
    bucket = TierRange(query.host.pk, peak.width, peak.timestamp, peak.timestamp)
    return read_worst_ticks(bucket).get(model.culprits)


def _culprits(query: PeakQuery, model: type[Sample], episode: tuple[int, int], worst: WorstTick | None) -> list[Point]:
    """Who used the most over an episode; but first who did at its worst tick, where the ticks are gone."""
    first = [process for process, _used in worst.processes] if worst else []
    count = MAX_PROCESSES if first else TOP_PROCESSES
    start, end = episode
    found = read_processes(ProcessQuery(query.host, model.culprits, count, start=start, end=end - 1)).results
    by_worst = [point for process in first for point in found if point["id"] == process]
    return [*by_worst, *(point for point in found if point["id"] not in first)][:TOP_PROCESSES]


def _exact_peak(model: type[Sample], field: Any, query: PeakQuery, peak: Level) -> Level:
    """The peak in the finest tier that still has it."""
    bucket = TimeRange(query.host.pk, peak.timestamp, peak.timestamp + peak.width - 1)
    finer = [level for of in finest_ranges(model, bucket) for level in _levels_of(model, field, of)]
    return max(finer, key=lambda level: level.highest, default=peak)
