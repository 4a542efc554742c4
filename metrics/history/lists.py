"""Steps of lists, such as the cores' shares: element by element the mean and the maximum."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import mul
from typing import Any

import orjson

from metrics.history.metadata import extreme_names
from metrics.history.points import Point
from metrics.models import Sample
from metrics.models.fields import ShareList
from metrics.models.sql import (
    Labels,
    Row,
    TierRange,
    column,
    extreme_column,
    fetch,
    key_columns,
    select_range,
    start_of,
    union,
    weight_of,
)
from metrics.tiers import RAW

Values = Sequence[float | None]
# A row: when it was, its weight, and the texts of its means and of its maxima.
Texts = tuple[int, int, str, str]


def list_values(
    model: type[Sample], fields: Iterable[ShareList], ranges: Sequence[TierRange], wanted: Labels, step: int
) -> dict[Row, Point]:
    """By (start of the step, labels): element by element the mean and the maximum of each list."""
    found: dict[Row, Point] = defaultdict(dict)
    for field in fields:
        for thing, rows in _by_step(model, field, ranges, wanted, step).items():
            found[thing] |= dict(zip((field.name, *extreme_names(field)), _mean_and_maximum(rows), strict=True))
    return found


def _by_step(
    model: type[Sample], field: ShareList, ranges: Sequence[TierRange], wanted: Labels, step: int
) -> dict[Row, list[Texts]]:
    """The rows of each step by its start and labels, in no order."""
    keys = key_columns(model)
    parts = [select_range(model, of, [*_read(field, of.tier), start_of(step), *keys], wanted) for of in ranges]
    found: dict[Row, list[Texts]] = defaultdict(list)
    for row in fetch(*union(parts)):
        if row[2] is not None:
            found[row[4:]].append(row[:4])
    return found


def _read(field: ShareList, tier: int) -> Iterator[str]:
    mean, highest = column(field), extreme_column(field, "max")
    # Where a roll-up has no maxima its means are the most that is known.
    yield from ("timestamp", weight_of(tier), mean, mean if tier == RAW else f"COALESCE({highest}, {mean})")


def _mean_and_maximum(rows: list[Texts]) -> tuple[Values, Values]:
    # All lists of the step by one call of the parser.
    means: list[Any] = orjson.loads(f"[{','.join([row[2] for row in rows])}]")
    maxima: list[Any] = orjson.loads(f"[{','.join([row[3] for row in rows])}]")
    if len(rows) == 1:
        return means[0], maxima[0]
    weights = [row[1] for row in rows]
    try:
        covered = sum(weights)
        totals = [sum(map(mul, weights, element)) for element in zip(*means, strict=True)]
        return [round(total / covered, 2) for total in totals], list(map(max, zip(*maxima, strict=True)))
    except (TypeError, ValueError):
        places = sorted(range(len(rows)), key=lambda place: rows[place][0])
        weights, means, maxima = ([values[place] for place in places] for values in (weights, means, maxima))
        return _patchy(weights, means, maxima)


def _patchy(
    weights: Sequence[int], means: Sequence[Values], maxima: Sequence[Values]
) -> tuple[list[float | None], list[float | None]]:
    """Where something is unknown, or a core came or went: the newest length is the one to show, which comes last."""
    places = range(len(means[-1]))
    return (
        [_weighted_mean([(w, v[i]) for w, v in zip(weights, means, strict=True) if i < len(v)]) for i in places],
        [_maximum([values[i] for values in maxima if i < len(values)]) for i in places],
    )


def _weighted_mean(element: Iterable[tuple[int, float | None]]) -> float | None:
    known = [(weight, value) for weight, value in element if value is not None]
    covered = sum(weight for weight, _value in known)
    return round(sum(weight * value for weight, value in known) / covered, 2) if covered else None


def _maximum(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
