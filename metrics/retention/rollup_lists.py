"""The means and maxima of lists, such as the cores' shares, which SQL cannot average element by element."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import islice, zip_longest
from operator import mul

import orjson

from metrics.models import Sample
from metrics.models.fields import ExtremeList, ShareList
from metrics.models.sql import column, execute_many, extreme_column, fetch, select_range, update
from metrics.retention.buckets import Buckets, Columns, list_fields

WeightedLists = list[tuple[int, Sequence[float | None], Sequence[float | None]]]
# The values of one element, in the order of the lists that it is in; None also where a list is too short.
Element = tuple[float | None, ...]
CODEC = ExtremeList()


def roll_up_lists(model: type[Sample], buckets: Buckets, columns: Columns) -> None:
    """Fill the list columns of the roll-up rows that are there already."""
    host, width = buckets.host.pk, buckets.tier.width_seconds
    for field in list_fields(model):
        targets = (column(field), extreme_column(field, "max"))
        statement = update(model, targets, "host_id = %s AND tier = %s AND timestamp = %s")
        found = _by_bucket(model, field, buckets, columns)
        execute_many(statement, [(*encoded(lists), host, width, start) for start, lists in found.items()])


def _by_bucket(model: type[Sample], field: ShareList, buckets: Buckets, columns: Columns) -> dict[int, WeightedLists]:
    read = ("timestamp", columns.weight, column(field), columns.extreme(field, "max"))
    found: dict[int, WeightedLists] = defaultdict(list)
    for at, weight, text, text_of_maxima in fetch(*select_range(model, buckets.source, read, order_by="timestamp")):
        if text is not None:
            values = orjson.loads(text)
            maxima = values if columns.is_raw else orjson.loads(text_of_maxima)
            found[at - at % buckets.tier.width_seconds].append((weight, values, maxima))
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
