"""Time series of a family: the points that are stored, or one point for each step."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

from metrics.history.columns import STRETCH, Point, columns_of, convert, converters, fetch, stretch_of, table
from metrics.history.metadata import output_names, tables
from metrics.history.others import seconds_with_others
from metrics.history.pieces import Piece, Ranged, finest_pieces
from metrics.history.sources import Source, cut, sources_for_step
from metrics.history.steps import newest_steps, resolved_step, stepped_points
from metrics.models import Host, Sample
from metrics.tiers import RAW


@dataclass(frozen=True, slots=True)
class SeriesQuery(Ranged):
    """What is asked for. `start` and `end` are inclusive seconds since the epoch; `only` maps a label of a list, such
    as `device`, to the values that are wanted; the newest `limit` points of the range are returned."""

    host: Host
    family: str
    start: float | None = None
    end: float | None = None
    limit: int = 100
    step: int | Literal["auto"] | None = None
    descending: bool = False
    fields: tuple[str, ...] | None = None
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Series:
    """Points in the order that was asked for. `oldest` is the time of the oldest one, `has_older` whether the range
    goes on before it, `step` the width of the points where a step was asked for, `has_extremes` whether any point is
    more than a raw sample."""

    points: list[Point]
    oldest: int | None
    has_older: bool
    step: int | None
    has_extremes: bool = False


def read_series(query: SeriesQuery) -> Series:
    """The newest points of the range that was asked for."""
    stretch = query.stretch
    finest = finest_pieces(tables(query.family)[0], *stretch)
    return _stored_series(query, finest) if query.step is None else _stepped_series(query, stretch, finest, query.step)


def _stored_series(query: SeriesQuery, finest: list[Piece]) -> Series:
    points = _lead_points(query, finest)
    has_older = _has_more(points, query.limit)
    pieces = _within(finest, points)
    for model in tables(query.family):
        if model.collection and output_names(model, query.fields, maxima=True):
            _put(points, model, _samples(model, query, pieces))
    return _series(query, points, has_older, None, any(piece.tier != RAW for piece in pieces))


def _stepped_series(
    query: SeriesQuery, stretch: tuple[int, int, int], finest: list[Piece], asked: int | Literal["auto"]
) -> Series:
    lead = tables(query.family)[0]
    step = resolved_step(lead, finest, asked, query.limit)
    sources = sources_for_step(lead, *stretch, step)
    starts = newest_steps(lead, sources, step, query.limit + 1)
    points: dict[int, Point] = {start: {"timestamp": start, "resolution": step} for start in starts}
    has_older = _has_more(points, query.limit)
    if points:
        _fill(points, query, cut(sources, min(points), max(points) + step - 1), step)
    return _series(query, points, has_older, step, has_extremes=True)


def _has_more(points: dict[int, Point], limit: int) -> bool:
    """Whether there is one more than was asked for, which then goes."""
    has_older = len(points) > limit
    if has_older:
        points.popitem()
    return has_older


def _series(
    query: SeriesQuery, points: dict[int, Point], has_older: bool, step: int | None, has_extremes: bool
) -> Series:
    newest_first = list(points.values())
    oldest = newest_first[-1]["timestamp"] if newest_first else None
    return Series(newest_first if query.descending else newest_first[::-1], oldest, has_older, step, has_extremes)


def read_moment(host: Host, family: str, timestamp: int) -> Point | None:
    """The point of one tick without its time; None where the family has no sample of it."""
    points: dict[int, Point] = {timestamp: {}}
    for model in tables(family):
        names = tuple(output_names(model, None, maxima=False))
        _put(points, model, _stored(model, names, Piece(host.pk, RAW, timestamp, timestamp)))
    has_any = any(value != [] for value in points[timestamp].values())
    return points[timestamp] if has_any else None


def raw_points_of(query: SeriesQuery, piece: Piece) -> dict[int, Point]:
    """All of a piece's points by their time, of a family of one table whose fields are the point's own."""
    return _lead_points_of(query, piece, piece.end - piece.start + 1)


def _lead_points(query: SeriesQuery, pieces: list[Piece]) -> dict[int, Point]:
    """The newest moments at which the family was sampled, one more than asked for, with the point's own fields."""
    points: dict[int, Point] = {}
    for piece in pieces:
        if len(points) <= query.limit:
            points |= _lead_points_of(query, piece, query.limit + 1 - len(points))
    return points


def _lead_points_of(query: SeriesQuery, piece: Piece, count: int) -> dict[int, Point]:
    lead = tables(query.family)[0]
    names = () if lead.collection else tuple(output_names(lead, query.fields, maxima=piece.tier != RAW))
    resolution, group = ("MAX(resolution)", " GROUP BY timestamp") if lead.collection else ("resolution", "")
    statement = (
        f"SELECT timestamp, {resolution}{columns_of(lead, names)} FROM {table(lead)} WHERE {STRETCH}{group}"  # noqa: S608
        " ORDER BY timestamp DESC LIMIT %s"
    )
    keys, functions = ("timestamp", "resolution", *names), converters(lead, names)
    rows = fetch(statement, (*piece, count))
    return {row[0]: convert(dict(zip(keys, row, strict=True)), functions) for row in rows}


def _fill(points: dict[int, Point], query: SeriesQuery, sources: Sequence[Source], step: int) -> None:
    """Put the steps of every table that was asked for into the points."""
    for model in tables(query.family):
        if names := tuple(output_names(model, query.fields, maxima=True)):
            seconds = seconds_with_others(model, sources, step)
            _put(points, model, stepped_points(model, names, sources, query.only, step, seconds))


def _within(pieces: Iterable[Piece], points: Collection[int]) -> list[Piece]:
    """What of the pieces lies in the points that are shown."""
    if not points:
        return []
    start, end = min(points), max(points)
    inside = (piece._replace(start=max(piece.start, start), end=min(piece.end, end)) for piece in pieces)
    return [piece for piece in inside if piece.start <= piece.end]


def _samples(model: type[Sample], query: SeriesQuery, pieces: list[Piece]) -> Iterable[tuple[int, Point]]:
    named = [(piece, tuple(output_names(model, query.fields, maxima=piece.tier != RAW))) for piece in pieces]
    return chain.from_iterable(_stored(model, names, piece, query.only) for piece, names in named if names)


def _stored(
    model: type[Sample], names: tuple[str, ...], piece: Piece, wanted: Mapping[str, tuple[str, ...]] | None = None
) -> Iterable[tuple[int, Point]]:
    """Each sample of a piece with its time, ordered by time and label."""
    condition, values = stretch_of(model, wanted or {})
    statement = (
        f"SELECT timestamp{columns_of(model, names)} FROM {table(model)} WHERE {condition}"  # noqa: S608
        f" ORDER BY {', '.join(('timestamp', *model.key))}"
    )
    functions = converters(model, names)
    for row in fetch(statement, (*piece, *values)):
        yield row[0], convert(dict(zip(names, row[1:], strict=True)), functions)


def _put(points: dict[int, Point], model: type[Sample], samples: Iterable[tuple[int, Point]]) -> None:
    """Put samples into their points, or into the list of the point where they belong."""
    if not model.collection:
        for timestamp, values in samples:
            if timestamp in points:
                points[timestamp].update(values)
        return
    lists: dict[int, list[Any]] = {}
    for timestamp, point in points.items():
        lists[timestamp] = point[model.collection] = []
    for timestamp, values in samples:
        found = lists.get(timestamp)
        if found is not None:
            found.append(values)
