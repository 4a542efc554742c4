"""Steps of lists, such as the cores' shares: element by element the mean and the maximum."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import mul
from typing import Any

import orjson

from metrics.history.columns import Point, Row, column, extreme_column, fetch, weight_of
from metrics.history.metadata import extreme_names
from metrics.history.sources import Source, union
from metrics.models import Sample
from metrics.models.fields import ShareList
from metrics.tiers import RAW

Values = Sequence[float | None]
# A row: when it was, its weight, and the texts of its means and of its maxima.
Texts = tuple[int, int, str, str]


def list_values(
    model: type[Sample],
    fields: Iterable[ShareList],
    sources: Sequence[Source],
    wanted: Mapping[str, tuple[Any, ...]],
    step: int,
) -> dict[Row, Point]:
    """By (start of the step, labels): element by element the mean and the maximum of each list."""
    found: dict[Row, Point] = defaultdict(dict)
    for field in fields:
        for thing, rows in _by_step(model, field, sources, wanted, step).items():
            found[thing] |= dict(zip((field.name, *extreme_names(field)), _mean_and_maximum(rows), strict=True))
    return found


def _by_step(
    model: type[Sample], field: ShareList, sources: Sequence[Source], wanted: Mapping[str, tuple[Any, ...]], step: int
) -> dict[Row, list[Texts]]:
    """The rows of each step by its start and labels, in no order."""
    keys = "".join(f", {column(model._meta.get_field(name))}" for name in model.key)
    mean, highest = column(field), extreme_column(field, "max")

    def select(tier: int) -> str:
        # Where a roll-up has no maxima its means are the most that is known.
        extreme = f"{mean} AS {highest}" if tier == RAW else f"COALESCE({highest}, {mean}) AS {highest}"
        read = f"timestamp, {weight_of(tier)} AS weight, {mean}, {extreme}"
        return f"{read}, timestamp - timestamp %% {int(step)} AS start{keys}"

    found: dict[Row, list[Texts]] = defaultdict(list)
    for row in fetch(*union(model, sources, step, wanted, select)):
        if row[2] is not None:
            found[row[4:]].append(row[:4])
    return found


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
