"""One point for each step of a series: mean and extremes of what goes up and down, the last value of everything else.

The sums of a step may come from several pieces (the newest minutes of a quarter are still raw); they are added up
before the mean is taken, so that it is the mean over all raw points, weighted by the time that each stands for.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import ceil
from operator import add
from typing import Any, Literal

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
    only,
    table,
)
from metrics.history.pieces import Piece, finest_pieces
from metrics.models import Sample
from metrics.models.fields import Averaged, ShareList
from metrics.tiers import RAW

Labels = Mapping[str, tuple[Any, ...]]
WeightedLists = list[tuple[int, list[float | None], list[float | None]]]

Merge = Callable[[Any, Any], Any]

STEP_START = "timestamp - timestamp %% %s"
# The seconds that a row stands for: its interval, or what a roll-up covers.
WEIGHT = "COALESCE(covered_seconds, resolution)"


def resolved_step(
    lead: type[Sample], stretch: tuple[int, int, int], step: int | Literal["auto"] | None, limit: int
) -> int | None:
    """The step in seconds, a multiple of the resolution of what it is made from; None for no step.

    `auto` is the smallest one that cuts what is stored into no more than `limit` steps.
    """
    if step is None:
        return None
    pieces = [found for piece in finest_pieces(lead, *stretch) if (found := _extent(lead, piece))]
    if not pieces:
        return 1 if step == "auto" else step
    first, last = min(piece[1] for piece in pieces), max(piece[2] for piece in pieces)
    if step == "auto":
        return smallest_step(first, last, limit, max(piece[0] for piece in pieces))
    return _rounded_up(step, pieces, last, limit)


def _extent(lead: type[Sample], piece: Piece) -> tuple[int, int, int] | None:
    """Coarsest resolution, first and last moment of what a piece has; None where it has nothing."""
    statement = f"SELECT MIN(timestamp), MAX(timestamp) FROM {table(lead)} WHERE {STRETCH}"  # noqa: S608
    [(first, last)] = fetch(statement, piece)
    if first is None:
        return None
    if piece.tier != RAW:
        return piece.tier, first, last
    coarsest = f"SELECT MAX(resolution) FROM {table(lead)} WHERE {STRETCH}"  # noqa: S608
    return fetch(coarsest, piece)[0][0], first, last


def _rounded_up(step: int, pieces: Iterable[tuple[int, int, int]], last: int, limit: int) -> int:
    """A multiple of the coarsest resolution among the pieces that the newest `limit` steps reach back to."""
    wanted = step
    for resolution, _first, piece_last in sorted(pieces, key=lambda piece: -piece[2]):
        if piece_last >= last - limit * wanted:
            wanted = ceil(step / resolution) * resolution
    return wanted


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
    condition, values = only(lead, wanted or {})
    statement = (
        f"SELECT DISTINCT {STEP_START} AS step_start FROM {table(lead)} WHERE {STRETCH}{condition}"  # noqa: S608
        " ORDER BY step_start DESC LIMIT %s"
    )
    starts: set[int] = set()
    for piece in sorted(pieces, key=lambda piece: -piece.start):
        starts |= {start for (start,) in fetch(statement, (step, *piece, *values, most_steps))}
        if len(starts) > most_steps:
            break
    return sorted(starts, reverse=True)[:most_steps]


def stepped_points(
    model: type[Sample], names: tuple[str, ...], pieces: Iterable[Piece], wanted: Labels, step: int
) -> Iterator[tuple[int, Point]]:
    """The start and the values of each step; a table with labels gives one of them for each step and thing."""
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
        values |= _means(averaged, row[width + 1 : sums_end]) | lists.get(thing, {})
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
    condition, values = only(model, wanted)
    keys = [column(model._meta.get_field(name)) for name in model.key]
    grouped = (
        f"SELECT {', '.join((f'{STEP_START} AS step_start', *keys, 'MAX(timestamp) AS newest'))}"  # noqa: S608
        f"{''.join(_aggregates(field, piece.tier) for field in averaged)} FROM {table(model)}"
        f" WHERE {STRETCH}{condition} GROUP BY {', '.join(('step_start', *keys))}"
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


def _means(fields: list[Averaged], sums: Row) -> Point:
    """Mean and extremes of each field, with no more digits than what they were made from; bytes stay whole."""
    point: Point = {}
    place = 0
    for field in fields:
        total, covered, *extremes = sums[place : place + _width(field)]
        mean = None if not covered else total * field.step / field.scale / covered
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
    condition, values = only(model, wanted)
    keys = "".join(f", {column(model._meta.get_field(name))}" for name in model.key)
    mean, highest = column(field), extreme_column(field, "max")
    statement = (
        f"SELECT {WEIGHT}, {mean}, {highest}, {STEP_START}{keys} FROM {table(model)}"  # noqa: S608
        f" WHERE {STRETCH}{condition} ORDER BY timestamp"
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
