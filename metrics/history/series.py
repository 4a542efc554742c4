"""Time series of a family: the points that are stored, or one point for each step."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, floor
from typing import Any, Literal

from metrics.history.catalogue import output_names, tables
from metrics.history.columns import STRETCH, Point, columns_of, convert, converters, fetch, only, table
from metrics.history.steps import newest_steps, resolved_step, stepped_points
from metrics.models import Host, Sample

# Seconds since the epoch that no moment reaches, for a range that is open at one end.
FIRST_MOMENT, LAST_MOMENT = -(2**50), 2**50


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """What is asked for. `start` and `end` are inclusive seconds since the epoch; `only` maps a label of a list, such
    as `device`, to the values that are wanted; the newest `limit` points of the range are returned."""

    host: Host
    family: str
    start: float | None = None
    end: float | None = None
    limit: int = 100
    step: int | Literal["auto"] | None = None
    descending: bool = False
    fields: tuple[str, ...] | None = None
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def stretch(self) -> tuple[int, int, int]:
        """Host, first and last second: the values for columns.STRETCH."""
        start = FIRST_MOMENT if self.start is None else ceil(self.start)
        return self.host.pk, start, LAST_MOMENT if self.end is None else floor(self.end)


@dataclass(frozen=True, slots=True)
class Series:
    """Points in the order that was asked for. `oldest` is the time of the oldest one, `has_older` whether the range
    goes on before it, `step` the width of the points where a step was asked for."""

    points: list[Point]
    oldest: int | None
    has_older: bool
    step: int | None


def read_series(query: SeriesQuery) -> Series:
    """The newest points of the range that was asked for."""
    step = resolved_step(tables(query.family)[0], query.stretch, query.step, query.limit)
    points = _lead_points(query) if step is None else _empty_steps(query, step)
    has_older = len(points) > query.limit
    if has_older:
        points.popitem()
    if points:
        _fill(points, query, step)
    newest_first = list(points.values())
    oldest = newest_first[-1]["timestamp"] if newest_first else None
    return Series(newest_first if query.descending else newest_first[::-1], oldest, has_older, step)


def read_moment(host: Host, family: str, timestamp: int) -> Point | None:
    """The point of one tick without its time; None where the family has no sample of it."""
    points: dict[int, Point] = {timestamp: {}}
    for model in tables(family):
        names = tuple(output_names(model, None, maxima=False))
        _put(points, model, _stored(model, names, (host.pk, timestamp, timestamp)))
    has_any = any(value != [] for value in points[timestamp].values())
    return points[timestamp] if has_any else None


def _lead_points(query: SeriesQuery) -> dict[int, Point]:
    """The newest moments at which the family was sampled, one more than asked for, with the point's own fields."""
    lead = tables(query.family)[0]
    names = () if lead.collection else tuple(output_names(lead, query.fields, maxima=False))
    resolution, group = ("MAX(resolution)", " GROUP BY timestamp") if lead.collection else ("resolution", "")
    statement = (
        f"SELECT timestamp, {resolution}{columns_of(lead, names)} FROM {table(lead)} WHERE {STRETCH}{group}"  # noqa: S608
        " ORDER BY timestamp DESC LIMIT %s"
    )
    keys, functions = ("timestamp", "resolution", *names), converters(lead, names)
    rows = fetch(statement, (*query.stretch, query.limit + 1))
    return {row[0]: convert(dict(zip(keys, row, strict=True)), functions) for row in rows}


def _empty_steps(query: SeriesQuery, step: int) -> dict[int, Point]:
    starts = newest_steps(tables(query.family)[0], query.stretch, step, query.limit + 1)
    return {start: {"timestamp": start, "resolution": step} for start in starts}


def _fill(points: dict[int, Point], query: SeriesQuery, step: int | None) -> None:
    """Put the samples of every table that was asked for into the points; the lead's own fields are there unstepped."""
    host, start, end = query.stretch
    stretch = host, max(start, min(points)), min(end, max(points) + (step or 1) - 1)
    for model in tables(query.family):
        names = tuple(output_names(model, query.fields, maxima=step is not None))
        if not names or not (model.collection or step):
            continue
        if step is None:
            samples = _stored(model, names, stretch, query.only)
        else:
            samples = stepped_points(model, names, stretch, query.only, step)
        _put(points, model, samples)


def _stored(
    model: type[Sample],
    names: tuple[str, ...],
    stretch: tuple[int, int, int],
    wanted: Mapping[str, tuple[str, ...]] | None = None,
) -> Iterable[tuple[int, Point]]:
    """Each sample of a stretch with its time, ordered by time and label."""
    condition, values = only(model, wanted or {})
    statement = (
        f"SELECT timestamp{columns_of(model, names)} FROM {table(model)} WHERE {STRETCH}{condition}"  # noqa: S608
        f" ORDER BY {', '.join(('timestamp', *model.key))}"
    )
    functions = converters(model, names)
    for row in fetch(statement, (*stretch, *values)):
        yield row[0], convert(dict(zip(names, row[1:], strict=True)), functions)


def _put(points: dict[int, Point], model: type[Sample], samples: Iterable[tuple[int, Point]]) -> None:
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
        if timestamp in lists:
            lists[timestamp].append(values)
