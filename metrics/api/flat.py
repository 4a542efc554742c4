"""Points as the rows of a table, for CSV and NDJSON."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from metrics.history.metadata import EVERY_POINT, output_names, tables
from metrics.history.points import Point

KIND = "kind"


@dataclass(frozen=True, slots=True)
class FlatTable:
    """Column names, and rows with a value for each."""

    header: list[str]
    rows: Iterable[Sequence[Any]]


def series_table(family: str, fields: Sequence[str] | None, maxima: bool, points: Iterable[Point]) -> FlatTable:
    """A row a point, or one for each thing in the point's lists; `kind` tells the lists apart where there are two.

    The point's own fields stand in each of its rows; a point with fields of its own and empty lists is one row.
    The columns follow from the query alone, so that they are the same whatever was found.
    """
    shown = {model: output_names(model, fields, maxima=maxima) for model in tables(family)}
    kinds = {model.collection: model.kind for model, names in shown.items() if model.collection and names}
    own = [name for model, names in shown.items() if not model.collection for name in names]
    nested = dict.fromkeys(name for model, names in shown.items() if model.collection for name in names)
    has_kinds = sum(bool(model.collection) for model in shown) > 1
    header = [*EVERY_POINT, *([KIND] if has_kinds else []), *own, *(name for name in nested if name not in own)]
    return FlatTable(header, _rows(header, kinds, bool(own), points))


def _rows(header: list[str], kinds: dict[str, str], has_own: bool, points: Iterable[Point]) -> Iterator[list[Any]]:
    for point in points:
        things = [{KIND: kind, **thing} for collection, kind in kinds.items() for thing in point[collection]]
        for thing in things or ([{}] if has_own or not kinds else []):
            row = {**point, **thing}
            yield [row.get(name) for name in header]
