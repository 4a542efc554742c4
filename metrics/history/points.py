"""What a sample becomes when it is read: a point, a dict of plain values by the names of the fields."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import orjson

from metrics.models import Sample
from metrics.models.fields import ExtremeList, Flag, ShareList

Point = dict[str, Any]


@lru_cache(maxsize=256)
def converters(model: type[Sample], names: tuple[str, ...]) -> list[tuple[str, Callable[[Any], Any]]]:
    """What the database has not decoded of some fields, by their names."""
    by_type = {ShareList: orjson.loads, ExtremeList: orjson.loads, Flag: bool}
    return [(name, by_type[kind]) for name in names if (kind := type(model._meta.get_field(name))) in by_type]


def convert(point: Point, functions: Iterable[tuple[str, Callable[[Any], Any]]]) -> Point:
    """Apply `converters` to the values that are there."""
    for name, function in functions:
        if point[name] is not None:
            point[name] = function(point[name])
    return point
