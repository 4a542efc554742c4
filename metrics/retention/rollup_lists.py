"""The means and maxima of lists, such as the cores' shares, which SQL cannot average element by element."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import islice, zip_longest
from operator import mul

import orjson
from django.db import connection

from metrics.models import Sample
from metrics.models.fields import ExtremeList, ShareList
from metrics.retention.rollup_statements import SOURCE, Columns, Stretch, list_fields, quoted, table

WeightedLists = list[tuple[int, Sequence[float | None], Sequence[float | None]]]
# The values of one element, in the order of the lists that it is in; None also where a list is too short.
Element = tuple[float | None, ...]
CODEC = ExtremeList()


def roll_up_lists(model: type[Sample], stretch: Stretch, columns: Columns) -> None:
    """Fill the list columns of the roll-up rows that are there already."""
    for field in list_fields(model):
        _roll_up(model, field, stretch, columns)


def _roll_up(model: type[Sample], field: ShareList, stretch: Stretch, columns: Columns) -> None:
    mean, highest = quoted(field), connection.ops.quote_name(f"{field.name}_max")
    update = (
        f"UPDATE {table(model)} SET {mean} = %s, {highest} = %s"  # noqa: S608
        " WHERE host_id = %s AND tier = %s AND timestamp = %s"
    )
    rows = [
        (*encoded(lists), stretch.host.pk, stretch.tier.width_seconds, start)
        for start, lists in _by_bucket(model, field, stretch, columns).items()
    ]
    with connection.cursor() as cursor:
        cursor.executemany(update, rows)


def _by_bucket(model: type[Sample], field: ShareList, stretch: Stretch, columns: Columns) -> dict[int, WeightedLists]:
    select = (
        f"SELECT timestamp, {columns.weight}, {quoted(field)}, {columns.extreme(field, 'max')} FROM {table(model)}"  # noqa: S608
        f" WHERE {SOURCE} ORDER BY timestamp"
    )
    found: dict[int, WeightedLists] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(select, stretch.source)
        for timestamp, weight, text, text_of_maxima in cursor.fetchall():
            if text is not None:
                values = orjson.loads(text)
                maxima = values if columns.is_raw else orjson.loads(text_of_maxima)
                found[timestamp - timestamp % stretch.tier.width_seconds].append((weight, values, maxima))
    return found


def encoded(lists: WeightedLists) -> tuple[str | None, str | None]:
    """Mean and maximum, element by element, as they are stored; a list comes with its weight and its maxima."""
    weights, values, maxima = zip(*lists, strict=True)
    # A core that came or went changes the length: the newest length is the one that counts.
    length = len(values[-1])
    means = [_mean(weights, element) for element in islice(zip_longest(*values), length)]
    highest = [_maximum(element) for element in islice(zip_longest(*maxima), length)]
    return CODEC.get_prep_value(means), CODEC.get_prep_value(highest)


def _mean(weights: Sequence[int], values: Element) -> float | None:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        weights = [weight for weight, value in zip(weights, values, strict=True) if value is not None]
    total: float = sum(map(mul, weights, known))
    return total / sum(weights) if known else None


def _maximum(values: Element) -> float | None:
    known = [value for value in values if value is not None]
    return max(known) if known else None
