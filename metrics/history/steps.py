"""One point for each step of a series: mean and extremes of what goes up and down, the last value of everything else.

The sums of a step may come from several pieces (the newest minutes of a quarter are still raw); they are added up
before the mean is taken, so that it is the mean over all raw points, weighted by the time that each stands for.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import ceil
from operator import add
from typing import Any, Literal, NamedTuple

import orjson

from metrics.history.catalogue import extreme_names, has_maximum
from metrics.history.columns import (
    STRETCH,
    Point,
    Row,
    column,
    columns_of,
    convert,
    converters,
    extreme_column,
    fetch,
    stretch_of,
    table,
)
from metrics.history.pieces import Piece, aggregates, first_and_last, whole_buckets
from metrics.models import Sample
from metrics.models.fields import Averaged, Rate, ShareList
from metrics.tiers import RAW

Labels = Mapping[str, tuple[Any, ...]]
WeightedLists = list[tuple[int, list[float | None], list[float | None]]]

Merge = Callable[[Any, Any], Any]

STEP_START = "timestamp - timestamp %% %s"
# The seconds that a row stands for: its interval, or what a roll-up covers.
WEIGHT = "COALESCE(covered_seconds, resolution)"


def resolved_step(
    model: type[Sample],
    pieces: Iterable[Piece],
    step: int | Literal["auto"],
    limit: int,
    wanted: Labels | None = None,
) -> int:
    """The step in seconds, a multiple of the resolution of what it is made from; `pieces` are the finest, newest first.

    `auto` is the smallest one that cuts what is stored into no more than `limit` steps.
    """
    found = (_extent(model, whole_buckets(piece), wanted or {}) for piece in pieces)
    extents = [extent for extent in found if extent]
    if not extents:
        return 1 if step == "auto" else step
    if step != "auto":
        return _rounded_up(model, step, extents, limit, wanted or {})
    first, last = min(extent.first for extent in extents), max(extent.last for extent in extents)
    return smallest_step(first, last, limit, max(extent.resolution for extent in extents))


class Extent(NamedTuple):
    """Coarsest resolution, first and last moment of what a piece has."""

    piece: Piece
    resolution: int
    first: int
    last: int


def _extent(model: type[Sample], piece: Piece, wanted: Labels) -> Extent | None:
    """None where the piece has nothing."""
    expressions = ["MIN(timestamp)", "MAX(timestamp)", *(["MAX(resolution)"] if piece.tier == RAW else [])]
    first, last, *coarsest = aggregates(model, piece, wanted, *expressions)
    return None if first is None else Extent(piece, coarsest[0] if coarsest else piece.tier, first, last)


def _rounded_up(model: type[Sample], step: int, extents: Iterable[Extent], limit: int, wanted: Labels) -> int:
    """A multiple of the coarsest resolution among the pieces that the newest `limit` steps reach back to."""
    rounded, newer = step, list[Piece]()
    for extent in extents:
        if newer and _has_more_steps(model, newer, rounded, limit, wanted):
            break
        rounded = ceil(step / extent.resolution) * extent.resolution
        newer.append(extent.piece)
    return rounded


def _has_more_steps(model: type[Sample], pieces: list[Piece], step: int, limit: int, wanted: Labels) -> bool:
    condition, values = stretch_of(model, wanted)
    in_piece = f"SELECT {STEP_START} AS step_start FROM {table(model)} WHERE {condition}"  # noqa: S608
    starts = f"SELECT DISTINCT step_start FROM ({' UNION ALL '.join([in_piece] * len(pieces))}) moments LIMIT %s"  # noqa: S608
    parameters = [value for piece in pieces for value in (step, *piece, *values)]
    return bool(fetch(f"SELECT COUNT(*) FROM ({starts}) found", [*parameters, limit + 1])[0][0] > limit)  # noqa: S608


def recorded_seconds(model: type[Sample], pieces: Sequence[Piece], step: int) -> dict[int, int]:
    """By start of the step: the seconds that were recorded; the table has one row a tick."""
    in_piece = f"SELECT {STEP_START} AS start, {WEIGHT} AS seconds FROM {table(model)} WHERE {STRETCH}"  # noqa: S608
    union = " UNION ALL ".join([in_piece] * len(pieces))
    statement = f"SELECT start, SUM(seconds) FROM ({union}) moments GROUP BY start"  # noqa: S608
    return dict(fetch(statement, [value for piece in pieces for value in (step, *piece)]))


def smallest_step(first: int, last: int, limit: int, resolution: int) -> int:
    """The smallest multiple of the resolution that cuts a stretch into no more than `limit` aligned steps."""

    def rounded_up(seconds: int) -> int:
        return max(1, ceil(seconds / resolution)) * resolution

    step = rounded_up(ceil((last - first) / limit))
    while last // step - first // step + 1 > limit:
        # The next width at which the last moment falls into an earlier step: no width in between has fewer steps.
        step = rounded_up(last // (last // step) + 1)
    return step


def newest_steps(
    lead: type[Sample], pieces: Iterable[Piece], step: int, most_steps: int, wanted: Labels | None = None
) -> list[int]:
    """The starts of the newest steps in which there is a sample, newest first."""
    starts: set[int] = set()
    for piece in sorted(pieces, key=lambda piece: -piece.start):
        starts |= _newest_steps_of(lead, piece, step, most_steps, wanted or {})
        if len(starts) > most_steps:
            break
    return sorted(starts, reverse=True)[:most_steps]


def _newest_steps_of(lead: type[Sample], piece: Piece, step: int, most_steps: int, wanted: Labels) -> set[int]:
    """Where nothing is missing they lie close together: look there first, and only then at all of the piece."""
    ends = first_and_last(lead, piece, wanted)
    if ends is None:
        return set()
    first, last = ends
    near = max(first, last - most_steps * step)
    starts = _starts(lead, piece._replace(start=near), step, most_steps, wanted)
    if len(starts) < most_steps and near > first:
        starts = _starts(lead, piece, step, most_steps, wanted)
    return starts


def _starts(lead: type[Sample], piece: Piece, step: int, most_steps: int, wanted: Labels) -> set[int]:
    condition, values = stretch_of(lead, wanted)
    statement = (
        f"SELECT DISTINCT {STEP_START} AS step_start FROM {table(lead)} WHERE {condition}"  # noqa: S608
        " ORDER BY step_start DESC LIMIT %s"
    )
    return {start for (start,) in fetch(statement, (step, *piece, *values, most_steps))}


def stepped_points(
    model: type[Sample],
    names: tuple[str, ...],
    pieces: Iterable[Piece],
    wanted: Labels,
    step: int,
    recorded: Mapping[int, int] | None = None,
) -> Iterator[tuple[int, Point]]:
    """The start and the values of each step; a table with labels gives one of them for each step and thing.

    `recorded` says for each step how many seconds of it were recorded: where it is given, a thing that was not there
    had no rate, and its rates are means over those seconds instead of over those at which it was there.
    """
    fields: list[Any] = [f for f in model.measures() if not {f.name, *extreme_names(f)}.isdisjoint(names)]
    averaged = [field for field in fields if isinstance(field, Averaged)]
    last_names = tuple(field.name for field in fields if not has_maximum(field))
    pieces = list(pieces)
    rows = _merged(model, averaged, last_names, pieces, wanted, step)
    lists = _list_values(model, [field for field in fields if isinstance(field, ShareList)], pieces, wanted, step)
    functions = converters(model, last_names)
    width = 1 + len(model.key)
    sums_end = width + 1 + sum(map(_width, averaged))
    for thing in sorted(rows):
        row = rows[thing]
        values = convert(dict(zip(last_names, row[sums_end:], strict=True)), functions)
        seconds = None if recorded is None else recorded.get(row[0])
        values |= _means(averaged, row[width + 1 : sums_end], seconds) | lists.get(thing, {})
        yield row[0], {name: values.get(name) for name in names}


def _merged(
    model: type[Sample],
    averaged: list[Averaged],
    last_names: tuple[str, ...],
    pieces: list[Piece],
    wanted: Labels,
    step: int,
) -> dict[Row, Row]:
    """By start and labels: start, labels, time of the last sample, the sums of each field, last values."""
    found: dict[Row, Row] = {}
    width = 1 + len(model.key)
    merge: list[Merge] = [max, *(function for field in averaged for function in (add, add, *_extreme_functions(field)))]
    for piece in pieces:
        for row in fetch(*_statement(model, averaged, last_names, piece, wanted, step)):
            other = found.get(row[:width])
            found[row[:width]] = row if other is None else _added(row, other, width, merge)
    return found


def _added(row: Row, other: Row, width: int, merge: list[Merge]) -> Row:
    """Two rows of one step and thing as one; the last values are those of the newer row."""
    newer = row if row[width] >= other[width] else other
    end = width + len(merge)
    pairs = zip(merge, row[width:end], other[width:end], strict=True)
    sums = (two if one is None else one if two is None else function(one, two) for function, one, two in pairs)
    return (*row[:width], *sums, *newer[end:])


def _extreme_functions(field: Averaged) -> list[Merge]:
    return [max if extreme == "max" else min for extreme in field.extremes]


def _width(field: Averaged) -> int:
    return 2 + len(field.extremes)


def _statement(
    model: type[Sample],
    averaged: list[Averaged],
    last_names: tuple[str, ...],
    piece: Piece,
    wanted: Labels,
    step: int,
) -> tuple[str, list[Any]]:
    """A row a step and thing: start, labels, time of the last sample, sums and extremes of each field, last values."""
    condition, values = stretch_of(model, wanted)
    keys = [column(model._meta.get_field(name)) for name in model.key]
    grouped = (
        f"SELECT {', '.join((f'{STEP_START} AS step_start', *keys, 'MAX(timestamp) AS newest'))}"  # noqa: S608
        f"{''.join(_aggregates(field, piece.tier) for field in averaged)} FROM {table(model)}"
        f" WHERE {condition} GROUP BY {', '.join(('step_start', *keys))}"
    )
    parameters = [step, *piece, *values]
    if not last_names:
        return grouped, parameters
    join = " AND ".join(("s.timestamp = g.newest", *(f"s.{key} = g.{key}" for key in keys)))
    joined = (
        f"SELECT g.*{columns_of(model, last_names, 's.')} FROM ({grouped}) g JOIN {table(model)} s"  # noqa: S608
        f" ON s.host_id = %s AND s.tier = %s AND {join}"
    )
    return joined, [*parameters, piece.host, piece.tier]


def _aggregates(field: Averaged, tier: int) -> str:
    """The weighted sum, what was covered, and the extremes. A sample whose value is null covers nothing."""
    name = column(field)
    sums = f", SUM(CAST({name} AS DOUBLE PRECISION) * {WEIGHT}), SUM(CASE WHEN {name} IS NOT NULL THEN {WEIGHT} END)"
    extremes = (
        f", {extreme.upper()}({name if tier == RAW else extreme_column(field, extreme)})" for extreme in field.extremes
    )
    return sums + "".join(extremes)


def _means(fields: list[Averaged], sums: Row, recorded: int | None) -> Point:
    """Mean and extremes of each field, with no more digits than what they were made from; bytes stay whole."""
    point: Point = {}
    place = 0
    for field in fields:
        total, covered, *extremes = sums[place : place + _width(field)]
        seconds = recorded if recorded and isinstance(field, Rate) else covered
        mean = None if not covered else total * field.step / field.scale / seconds
        point[field.name] = None if mean is None else round(mean) if field.scale == 1 else round(mean, 3)
        for name, value in zip(extreme_names(field), extremes, strict=True):
            point[name] = None if value is None else field.decode(value)
        place += _width(field)
    return point


def _list_values(
    model: type[Sample], fields: list[ShareList], pieces: list[Piece], wanted: Labels, step: int
) -> dict[Row, Point]:
    """By (start of the step, labels): element by element the mean and the maximum of each list."""
    found: dict[Row, Point] = defaultdict(dict)
    for field in fields:
        gathered: dict[Row, WeightedLists] = defaultdict(list)
        # Oldest first, so that the last list of a step is its newest one.
        for piece in sorted(pieces, key=lambda piece: piece.start):
            _gather(gathered, model, field, piece, wanted, step)
        for thing, lists in gathered.items():
            found[thing] |= _list_means(field, lists)
    return found


def _gather(
    gathered: dict[Row, WeightedLists], model: type[Sample], field: ShareList, piece: Piece, wanted: Labels, step: int
) -> None:
    condition, values = stretch_of(model, wanted)
    keys = "".join(f", {column(model._meta.get_field(name))}" for name in model.key)
    mean, highest = column(field), extreme_column(field, "max")
    statement = (
        f"SELECT {WEIGHT}, {mean}, {highest}, {STEP_START}{keys} FROM {table(model)}"  # noqa: S608
        f" WHERE {condition} ORDER BY timestamp"
    )
    for weight, text, text_of_maxima, *thing in fetch(statement, (step, *piece, *values)):
        if text is not None:
            means = orjson.loads(text)
            maxima = means if text_of_maxima is None else orjson.loads(text_of_maxima)
            gathered[tuple(thing)].append((weight, means, maxima))


def _list_means(field: ShareList, lists: WeightedLists) -> Point:
    # A core that came or went changes the length: the newest length is the one to show.
    places = range(len(lists[-1][1]))
    means = [_weighted_mean((weight, values[i]) for weight, values, _m in lists if i < len(values)) for i in places]
    maxima = [_maximum(maxima[i] for _weight, _v, maxima in lists if i < len(maxima)) for i in places]
    return {field.name: means, extreme_names(field)[0]: maxima}


def _weighted_mean(element: Iterable[tuple[int, float | None]]) -> float | None:
    known = [(weight, value) for weight, value in element if value is not None]
    covered = sum(weight for weight, _value in known)
    return round(sum(weight * value for weight, value in known) / covered, 2) if covered else None


def _maximum(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
