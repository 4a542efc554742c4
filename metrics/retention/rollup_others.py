"""Roll-ups of a list of which some ticks kept the busiest things only: totals stay right, and rows bounded.

A thing that was in the sum of the others for a part of a bucket counts for nothing in that part: the mean over the rest
would count its share twice, once in the sum. And of all that was among the busiest at some tick of a bucket, the
busiest of the bucket are kept.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from metrics.models import Sample
from metrics.models.fields import Kind
from metrics.models.others import MAX_NAMED, NAMES, others_name
from metrics.models.sql import column, delete, execute_many, fetch, nested, select, select_range, update
from metrics.retention.buckets import Buckets, Columns, averaged_fields


class Row(NamedTuple):
    """A roll-up row of a list, or the sum that `sum_name` names itself; values are those of the summed fields, as they
    are stored."""

    pk: int
    name: str
    sum_name: str
    covered_seconds: int
    busy: float
    means: list[int | None]
    maxima: list[int | None]


def roll_up_others(model: type[Sample], buckets: Buckets, columns: Columns) -> None:
    """Bring the rows of those buckets in line that have a sum of others."""
    for start, rows in _rows_with_others(model, buckets).items() if model.busiest else ():
        seconds = _recorded_seconds(model, buckets, start, columns)
        if not seconds:  # its source is gone, and it stays what it is
            continue
        kept, dropped = _divided([_over(model, row, seconds) for row in rows])
        _update(model, [_with_its_share(row, dropped, seconds) for row in kept])
        _delete(model, dropped)


def _rows_with_others(model: type[Sample], buckets: Buckets) -> dict[int, list[Row]]:
    """By start of the bucket."""
    named = {model.named_by: NAMES}
    starts = {start for (start,) in fetch(*select_range(model, buckets.made, ["DISTINCT timestamp"], named))}
    found: defaultdict[int, list[Row]] = defaultdict(list)
    if starts:
        rows = fetch(*select_range(model, buckets.made, _read(model), order_by="timestamp, id"))
        for start, *values in rows:
            if start in starts:
                found[start].append(_row(model, *values))
    return found


@lru_cache
def _read(model: type[Sample]) -> list[str]:
    has_flag = any(field.name == "is_counted" for field in model.measures())
    read = ["timestamp", "id", column(model._meta.get_field(model.named_by)), "is_counted" if has_flag else "NULL"]
    return [
        *(*read, "covered_seconds", *_columns(model, model.busiest)),
        *(*_columns(model, model.summed), *_columns(model, _maxima(model))),
    ]


def _columns(model: type[Sample], names: Iterable[str]) -> list[str]:
    return [column(model._meta.get_field(name)) for name in names]


def _maxima(model: type[Sample]) -> list[str]:
    return [f"{name}_max" for name in model.summed]


def _row(model: type[Sample], pk: int, name: str, flag: Any, covered_seconds: int, *values: int | None) -> Row:
    busy, fields = len(model.busiest), len(model.summed)
    return Row(
        pk,
        name,
        others_name(model, {"is_counted": None if flag is None else bool(flag)}),
        covered_seconds,
        sum(value or 0 for value in values[:busy]),
        list(values[busy : busy + fields]),
        list(values[busy + fields :]),
    )


def _recorded_seconds(model: type[Sample], buckets: Buckets, start: int, columns: Columns) -> int:
    """How many seconds of a bucket were recorded; each tick has a row of something."""
    of = buckets.source._replace(start=start, end=start + buckets.tier.width_seconds - 1)
    ticks, values = select_range(model, of, [f"MAX({columns.weight}) AS seconds"], group_by=["timestamp"])
    [(seconds,)] = fetch(select(["SUM(seconds)"], nested(ticks, "ticks")), values)
    return int(seconds or 0)


def _over(model: type[Sample], row: Row, seconds: int) -> Row:
    """A row whose rates are means over all of the bucket. How full something is stays the mean while it was kept."""
    part = min(1.0, row.covered_seconds / seconds)
    are_rates = [field.kind == Kind.RATE for field in averaged_fields(model) if field.name in model.busiest]
    if not all(are_rates):
        return row
    means = [None if mean is None else round(mean * part) for mean in row.means]
    return row._replace(busy=row.busy * part, means=means, covered_seconds=max(seconds, row.covered_seconds))


def _divided(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """The sums with the busiest of the others, and what goes into a sum: only where there is one that it belongs to."""
    sums = [row for row in rows if row.name in NAMES]
    there = {row.name for row in sums}
    named = sorted((row for row in rows if row.name not in NAMES), key=lambda row: row.busy, reverse=True)
    kept = [row for place, row in enumerate(named) if place < MAX_NAMED or row.sum_name not in there]
    pks = {row.pk for row in kept}
    return sums + kept, [row for row in named if row.pk not in pks]


def _with_its_share(row: Row, dropped: Iterable[Row], seconds: int) -> Row:
    """A sum with what goes into it now; its maxima are the least that they can be."""
    for other in dropped:
        if row.name == other.sum_name:
            part = min(1.0, other.covered_seconds / seconds)
            shares = [None if mean is None else round(mean * part) for mean in other.means]
            means = [_known(sum, pair) for pair in zip(row.means, shares, strict=True)]
            maxima = [_known(max, pair) for pair in zip(row.maxima, other.maxima, means, strict=True)]
            row = row._replace(means=means, maxima=maxima)
    return row


def _known(function: Callable[[list[int]], int], values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return function(known) if known else None


def _update(model: type[Sample], rows: Iterable[Row]) -> None:
    names = ["covered_seconds", *_columns(model, model.summed), *_columns(model, _maxima(model))]
    values = [(row.covered_seconds, *row.means, *row.maxima, row.pk) for row in rows]
    execute_many(update(model, names, "id = %s"), values)


def _delete(model: type[Sample], rows: Iterable[Row]) -> None:
    execute_many(delete(model, "id = %s"), [(row.pk,) for row in rows])
