"""The means and maxima of lists, such as the cores' shares, which SQL cannot average element by element."""

from collections import defaultdict
from collections.abc import Sequence

import orjson
from django.db import connection

from metrics.models import Sample
from metrics.models.fields import ExtremeList, ShareList
from metrics.rollup.statements import SOURCE, Stretch, quoted, source_columns, table

WeightedLists = list[tuple[int, Sequence[float | None], Sequence[float | None]]]


def roll_up_lists(model: type[Sample], stretch: Stretch) -> None:
    """Fill the list columns of the roll-up rows that are there already."""
    for field in model.measures():
        if isinstance(field, ShareList):
            _roll_up(model, field, stretch)


def _roll_up(model: type[Sample], field: ShareList, stretch: Stretch) -> None:
    mean, highest = quoted(field), connection.ops.quote_name(f"{field.name}_max")
    update = (
        f"UPDATE {table(model)} SET {mean} = %s, {highest} = %s"  # noqa: S608
        " WHERE host_id = %s AND tier = %s AND timestamp = %s"
    )
    rows = [
        (*encoded(lists), stretch.host.pk, stretch.tier.width_seconds, start)
        for start, lists in _by_bucket(model, field, stretch).items()
    ]
    with connection.cursor() as cursor:
        cursor.executemany(update, rows)


def _by_bucket(model: type[Sample], field: ShareList, stretch: Stretch) -> dict[int, WeightedLists]:
    columns = source_columns(stretch.tier)
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
    # A core that came or went changes the length: the newest length is the one that counts.
    places = range(len(lists[-1][1]))
    means = [_mean([(weight, values[i]) for weight, values, _maxima in lists if i < len(values)]) for i in places]
    maxima = [_maximum([maxima[i] for _weight, _values, maxima in lists if i < len(maxima)]) for i in places]
    codec = ExtremeList()
    return codec.get_prep_value(means), codec.get_prep_value(maxima)


def _mean(weighted: list[tuple[int, float | None]]) -> float | None:
    known = [(weight, value) for weight, value in weighted if value is not None]
    return sum(weight * value for weight, value in known) / sum(weight for weight, _value in known) if known else None


def _maximum(values: list[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
