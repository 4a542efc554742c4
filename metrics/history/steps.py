"""One point for each step of a series: mean and maximum of what goes up and down, the last value of everything else."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from math import ceil
from typing import Any, Literal

import orjson

from metrics.history.catalogue import has_maximum, maximum_name
from metrics.history.columns import STRETCH, Point, Row, column, columns_of, convert, converters, fetch, only, table
from metrics.models import Sample
from metrics.models.fields import NumberField, ShareList

Stretch = tuple[int, int, int]
Labels = Mapping[str, tuple[str, ...]]
WeightedList = tuple[int, list[float | None]]

STEP_START = "timestamp - timestamp %% %s"


def resolved_step(lead: type[Sample], stretch: Stretch, step: int | Literal["auto"] | None, limit: int) -> int | None:
    """The step in seconds, a multiple of the resolution of what is stored in the stretch; None for no step.

    `auto` is the smallest one that cuts what is stored into no more than `limit` steps.
    """
    if step is None:
        return None
    statement = f"SELECT MAX(resolution), MIN(timestamp), MAX(timestamp) FROM {table(lead)} WHERE {STRETCH}"  # noqa: S608
    [(resolution, first, last)] = fetch(statement, stretch)
    resolution = resolution or 1
    if step == "auto":
        return resolution if first is None else smallest_step(first, last, limit, resolution)
    return ceil(step / resolution) * resolution


def smallest_step(first: int, last: int, limit: int, resolution: int) -> int:
    """The smallest multiple of the resolution that cuts a stretch into no more than `limit` aligned steps."""

    def rounded_up(seconds: int) -> int:
        return max(1, ceil(seconds / resolution)) * resolution

    step = rounded_up(ceil((last - first) / limit))
    while last // step - first // step + 1 > limit:
        # The next width at which the last moment falls into an earlier step: no width in between has fewer steps.
        step = rounded_up(last // (last // step) + 1)
    return step


def newest_steps(lead: type[Sample], stretch: Stretch, step: int, most_steps: int) -> list[int]:
    """The starts of the newest steps in which there is a sample, newest first."""
    statement = (
        f"SELECT DISTINCT {STEP_START} AS step_start FROM {table(lead)} WHERE {STRETCH}"  # noqa: S608
        " ORDER BY step_start DESC LIMIT %s"
    )
    return [start for (start,) in fetch(statement, (step, *stretch, most_steps))]


def stepped_points(
    model: type[Sample], names: tuple[str, ...], stretch: Stretch, wanted: Labels, step: int
) -> Iterator[tuple[int, Point]]:
    """The start and the values of each step; a table with labels gives one of them for each step and thing."""
    fields: list[Any] = [f for f in model.measures() if f.name in names or maximum_name(f) in names]
    averaged = [f for f in fields if isinstance(f, NumberField) and has_maximum(f)]
    last_names = tuple(f.name for f in fields if not has_maximum(f))
    lists = _list_values(model, [f for f in fields if isinstance(f, ShareList)], stretch, wanted, step)
    functions = converters(model, last_names)
    width = 1 + len(model.key)
    for row in fetch(*_statement(model, averaged, last_names, stretch, wanted, step)):
        values = convert(dict(zip(last_names, row[width + 1 + 3 * len(averaged) :], strict=True)), functions)
        values |= _means(averaged, row[width + 1 :]) | lists.get(row[:width], {})
        yield row[0], {name: values.get(name) for name in names}


def _statement(
    model: type[Sample], averaged: list[Any], last_names: tuple[str, ...], stretch: Stretch, wanted: Labels, step: int
) -> tuple[str, list[Any]]:
    """A row a step and thing: start, labels, time of the last sample, three sums a field, last values."""
    condition, values = only(model, wanted)
    keys = [column(model._meta.get_field(name)) for name in model.key]
    grouped = (
        f"SELECT {', '.join((f'{STEP_START} AS step_start', *keys, 'MAX(timestamp) AS newest'))}"  # noqa: S608
        f"{''.join(map(_aggregates, averaged))} FROM {table(model)} WHERE {STRETCH}{condition}"
        f" GROUP BY {', '.join(('step_start', *keys))}"
    )
    parameters = [step, *stretch, *values]
    order = f" ORDER BY {', '.join(('step_start', *keys))}"
    if not last_names:
        return grouped + order, parameters
    join = " AND ".join(("s.timestamp = g.newest", *(f"s.{key} = g.{key}" for key in keys)))
    order = f" ORDER BY {', '.join(('g.step_start', *(f'g.{key}' for key in keys)))}"
    joined = (
        f"SELECT g.*{columns_of(model, last_names, 's.')} FROM ({grouped}) g JOIN {table(model)} s"  # noqa: S608
        f" ON s.host_id = %s AND s.tier = 0 AND {join}"
    )
    return joined + order, [*parameters, stretch[0]]


def _aggregates(field: NumberField) -> str:
    """The weighted sum, what was covered, and the maximum. A sample whose value is null covers nothing."""
    name = column(field)
    return (
        f", SUM(CAST({name} AS DOUBLE PRECISION) * resolution)"
        f", SUM(CASE WHEN {name} IS NOT NULL THEN resolution END), MAX({name})"
    )


def _means(fields: list[Any], sums: Row) -> Point:
    """Mean and maximum of each field, with no more digits than what they were made from; bytes stay whole."""
    point: Point = {}
    for place, field in enumerate(fields):
        total, covered, highest = sums[3 * place : 3 * place + 3]
        mean = None if not covered else total * field.step / field.scale / covered
        point[field.name] = None if mean is None else round(mean) if field.scale == 1 else round(mean, 3)
        point[maximum_name(field)] = None if highest is None else field.decode(highest)
    return point


def _list_values(
    model: type[Sample], fields: list[Any], stretch: Stretch, wanted: Labels, step: int
) -> dict[Row, Point]:
    """By (start of the step, labels): element by element the mean and the maximum of each list."""
    found: dict[Row, Point] = defaultdict(dict)
    condition, values = only(model, wanted)
    keys = "".join(f", {column(model._meta.get_field(name))}" for name in model.key)
    for field in fields:
        gathered: dict[Row, list[WeightedList]] = defaultdict(list)
        statement = (
            f"SELECT resolution, {column(field)}, {STEP_START}{keys} FROM {table(model)}"  # noqa: S608
            f" WHERE {STRETCH}{condition} ORDER BY timestamp"
        )
        for row in fetch(statement, (step, *stretch, *values)):
            if row[1] is not None:
                gathered[row[2:]].append((row[0], orjson.loads(row[1])))
        for thing, lists in gathered.items():
            found[thing] |= _list_means(field, lists)
    return found


def _list_means(field: ShareList, lists: list[WeightedList]) -> Point:
    # A core that came or went changes the length: the newest length is the one to show.
    length = len(lists[-1][1])
    elements = [[(weight, row[i]) for weight, row in lists if i < len(row)] for i in range(length)]
    return {
        field.name: [_weighted_mean(element) for element in elements],
        maximum_name(field): [max((v for _w, v in element if v is not None), default=None) for element in elements],
    }


def _weighted_mean(element: Iterable[tuple[int, float | None]]) -> float | None:
    known = [(weight, value) for weight, value in element if value is not None]
    covered = sum(weight for weight, _value in known)
    return round(sum(weight * value for weight, value in known) / covered, 2) if covered else None
