"""Time series of a family: the points that are stored, or one point for each step."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol

from metrics.history.metadata import output_names, tables
from metrics.history.others import seconds_with_others
from metrics.history.points import Point, convert, converters
from metrics.history.steps import Step, newest_steps, stepped_points
from metrics.history.tier_ranges import Ranged, cut, finest_ranges
from metrics.models import Host, Sample
from metrics.models.sql import Labels, TierRange, decoded_columns, fetch, select_range
from metrics.tiers import RAW


@dataclass(frozen=True, slots=True)
class SeriesQuery(Ranged):
    """What is asked for. `start` and `end` are inclusive seconds since the epoch; `only` maps a label of a list, such
    as `device`, to the values that are wanted; the newest `limit` points of the range are returned."""

    host: Host
    family: str
    start: float | None = None
    end: float | None = None
    limit: int = 100
    step: Step | None = None
    descending: bool = False
    fields: tuple[str, ...] | None = None
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Series:
    """Points in the order that was asked for. `oldest` is the time of the oldest one, `has_older` whether the range
    goes on before it, `step` the width of the points where a step was asked for, `has_extremes` whether any point is
    more than a raw sample."""

    points: list[Point]
    oldest: int | None
    has_older: bool
    step: int | None
    has_extremes: bool = False


class Newest(Protocol):
    """A query for the newest `limit` points of a range."""

    @property
    def limit(self) -> int:
        """So many points at the most."""

    @property
    def descending(self) -> bool:
        """Whether the newest comes first."""


def newest_points(
    query: Newest,
    moments: Sequence[int],
    points: Mapping[int, Point],
    step: int | None = None,
    *,
    has_extremes: bool = True,
) -> Series:
    """The points of the newest `limit` moments, of which there is one more where the range goes on before them; a
    moment without a point is left out."""
    shown = moments[: query.limit]
    found = [points[moment] for moment in shown if moment in points]
    has_older = len(moments) > query.limit
    ordered = found if query.descending else found[::-1]
    return Series(ordered, shown[-1] if shown else None, has_older, step, has_extremes)


def read_series(query: SeriesQuery) -> Series:
    """The newest points of the range that was asked for."""
    return _stored_series(query) if query.step is None else _stepped_series(query, query.step)


def _stored_series(query: SeriesQuery) -> Series:
    finest = finest_ranges(tables(query.family)[0], query.time_range)
    found = _lead_points(query, finest)
    points = dict(list(found.items())[: query.limit])
    ranges = cut(finest, min(points), max(points)) if points else []
    for model in tables(query.family):
        if model.collection and output_names(model, query.fields, maxima=True):
            _put(points, model, _samples(model, query, ranges))
    return newest_points(query, list(found), points, has_extremes=any(of.tier != RAW for of in ranges))


def _stepped_series(query: SeriesQuery, step: Step) -> Series:
    steps = newest_steps(tables(query.family)[0], query.time_range, step, query.limit)
    points: dict[int, Point] = {
        start: {"timestamp": start, "resolution": steps.width} for start in steps.starts[: query.limit]
    }
    if points:
        shown = cut(steps.ranges, min(points), max(points) + steps.width - 1)
        for model in tables(query.family):
            if names := tuple(output_names(model, query.fields, maxima=True)):
                seconds = seconds_with_others(model, shown, steps.width)
                only = _labels(model, query.only)
                _put(points, model, stepped_points(model, names, shown, only, steps.width, seconds))
    return newest_points(query, steps.starts, points, steps.width)


def read_moment(host: Host, family: str, timestamp: int) -> Point | None:
    """The point of one tick without its time; None where the family has no sample of it."""
    points: dict[int, Point] = {timestamp: {}}
    for model in tables(family):
        names = tuple(output_names(model, None, maxima=False))
        _put(points, model, _stored(model, names, TierRange(host.pk, RAW, timestamp, timestamp)))
    has_any = any(value != [] for value in points[timestamp].values())
    return points[timestamp] if has_any else None


def raw_points_of(query: SeriesQuery, of: TierRange) -> dict[int, Point]:
    """All points of a tier range by their time, of a family of one table whose fields are the point's own."""
    return _lead_points_of(query, of, of.end - of.start + 1)


def _lead_points(query: SeriesQuery, ranges: list[TierRange]) -> dict[int, Point]:
    """The newest moments at which the family was sampled, one more than asked for, with the point's own fields."""
    points: dict[int, Point] = {}
    for of in ranges:
        if len(points) <= query.limit:
            points |= _lead_points_of(query, of, query.limit + 1 - len(points))
    return points


def _lead_points_of(query: SeriesQuery, of: TierRange, count: int) -> dict[int, Point]:
    lead = tables(query.family)[0]
    names = () if lead.collection else tuple(output_names(lead, query.fields, maxima=of.tier != RAW))
    resolution, groups = ("MAX(resolution)", ["timestamp"]) if lead.collection else ("resolution", [])
    columns = ["timestamp", resolution, *decoded_columns(lead, names)]
    statement, values = select_range(lead, of, columns, group_by=groups, order_by="timestamp DESC", limit=True)
    keys, functions = ("timestamp", "resolution", *names), converters(lead, names)
    rows = fetch(statement, [*values, count])
    return {row[0]: convert(dict(zip(keys, row, strict=True)), functions) for row in rows}


def _samples(model: type[Sample], query: SeriesQuery, ranges: list[TierRange]) -> Iterable[tuple[int, Point]]:
    named = [(of, tuple(output_names(model, query.fields, maxima=of.tier != RAW))) for of in ranges]
    only = _labels(model, query.only)
    return chain.from_iterable(_stored(model, names, of, only) for of, names in named if names)


def _labels(model: type[Sample], only: Labels) -> Labels:
    """What is wanted by those labels that the table has."""
    return {name: only[name] for name in model.key if name in only}


def _stored(
    model: type[Sample], names: tuple[str, ...], of: TierRange, wanted: Labels | None = None
) -> Iterable[tuple[int, Point]]:
    """Each sample of a tier range with its time, ordered by time and label."""
    columns = ["timestamp", *decoded_columns(model, names)]
    order = ", ".join(("timestamp", *model.key))
    functions = converters(model, names)
    for row in fetch(*select_range(model, of, columns, wanted, order_by=order)):
        yield row[0], convert(dict(zip(names, row[1:], strict=True)), functions)


def _put(points: Mapping[int, Point], model: type[Sample], samples: Iterable[tuple[int, Point]]) -> None:
    """Put samples into their points, or into the list of the point where they belong."""
    if not model.collection:
        for timestamp, values in samples:
            if timestamp in points:
                points[timestamp].update(values)
        return
    lists: dict[int, list[Any]] = {}
    for timestamp, point in points.items():
        lists[timestamp] = point[model.collection] = []
    for timestamp, values in samples:
        found = lists.get(timestamp)
        if found is not None:
            found.append(values)
