"""One point for each step of a series: mean and extremes of what goes up and down, the last value of everything else.

The rows of a step may come from several tiers (the newest minutes of a quarter are still raw); their sums are added up
before the mean is taken, so that it is the mean over all raw points, weighted by the time that each stands for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil
from typing import Any, Literal, NamedTuple

from metrics import conf
from metrics.history.columns import (
    Point,
    Row,
    column,
    convert,
    converters,
    decoded,
    extreme_column,
    fetch,
    table,
    weight_of,
)
from metrics.history.lists import list_values
from metrics.history.metadata import extreme_names, has_maximum
from metrics.history.pieces import Piece, aggregates, whole_buckets
from metrics.history.sources import Source, cut, ends_of, union
from metrics.models import Sample
from metrics.models.fields import Averaged, Rate, ShareList
from metrics.tiers import RAW

Labels = Mapping[str, tuple[Any, ...]]

# The seconds that a row stands for: its interval, or what a roll-up covers.
WEIGHT = "COALESCE(covered_seconds, resolution)"


def resolved_step(
    model: type[Sample],
    pieces: Iterable[Piece],
    step: int | Literal["auto"],
    limit: int,
    wanted: Labels | None = None,
) -> int:
    """The step in seconds, a multiple of the resolution of what it is made from; `pieces` are the finest, newest first.

    `auto` is the smallest one that cuts what is stored into no more than `limit` steps.
    """
    found = (_extent(model, whole_buckets(piece), wanted or {}) for piece in pieces)
    extents = [extent for extent in found if extent]
    if not extents:
        return 1 if step == "auto" else step
    if step != "auto":
        return _rounded_up(model, step, extents, limit, wanted or {})
    first, last = min(extent.first for extent in extents), max(extent.last for extent in extents)
    return smallest_step(first, last, limit, max(extent.resolution for extent in extents))


class Extent(NamedTuple):
    """Coarsest resolution, first and last moment of what a piece has."""

    piece: Piece
    resolution: int
    first: int
    last: int


def _extent(model: type[Sample], piece: Piece, wanted: Labels) -> Extent | None:
    """None where the piece has nothing."""
    expressions = ["MIN(timestamp)", "MAX(timestamp)", *(["MAX(resolution)"] if piece.tier == RAW else [])]
    first, last, *coarsest = aggregates(model, piece, wanted, *expressions)
    return None if first is None else Extent(piece, coarsest[0] if coarsest else piece.tier, first, last)


def _rounded_up(model: type[Sample], step: int, extents: Iterable[Extent], limit: int, wanted: Labels) -> int:
    """A multiple of the coarsest resolution among the pieces that the newest `limit` steps reach back to."""
    rounded, newer = step, list[Piece]()
    for extent in extents:
        if newer and _has_more_steps(model, newer, rounded, limit, wanted):
            break
        rounded = ceil(step / extent.resolution) * extent.resolution
        newer.append(extent.piece)
    return rounded


def _has_more_steps(model: type[Sample], pieces: list[Piece], step: int, limit: int, wanted: Labels) -> bool:
    sources = [Source(piece, piece.tier or 1) for piece in pieces]
    starts, values = union(model, sources, 1, wanted, lambda _tier: f"{start_of(step)} AS step_start")
    distinct = f"SELECT DISTINCT step_start FROM ({starts}) moments LIMIT %s"  # noqa: S608
    return bool(fetch(f"SELECT COUNT(*) FROM ({distinct}) found", [*values, limit + 1])[0][0] > limit)  # noqa: S608


def start_of(step: int) -> str:
    """SQL for the start of the step in which a row lies."""
    return f"timestamp - timestamp %% {int(step)}"


def recorded_seconds(model: type[Sample], sources: Iterable[Source], step: int) -> dict[int, int]:
    """By start of the step: the seconds that were recorded; the table has one row a tick."""
    rows, values = union(model, sources, step, {}, lambda _tier: f"{start_of(step)} AS start, {WEIGHT} AS seconds")
    return dict(fetch(f"SELECT start, SUM(seconds) FROM ({rows}) moments GROUP BY start", values))  # noqa: S608


def smallest_step(first: int, last: int, limit: int, resolution: int) -> int:
    """The smallest multiple of the resolution that cuts a stretch into no more than `limit` aligned steps."""

    def rounded_up(seconds: int) -> int:
        return max(1, ceil(seconds / resolution)) * resolution

    step = rounded_up(ceil((last - first) / limit))
    while last // step - first // step + 1 > limit:
        # The next width at which the last moment falls into an earlier step: no width in between has fewer steps.
        step = rounded_up(last // (last // step) + 1)
    return step


def newest_steps(
    lead: type[Sample], sources: Sequence[Source], step: int, most_steps: int, wanted: Labels | None = None
) -> list[int]:
    """The starts of the newest steps in which there is a sample, newest first."""
    ends = ends_of(lead, sources, wanted or {})
    if ends is None:
        return []
    first, last = ends
    # Where nothing is missing they lie close together: look there first, and only then at all of it.
    near = last - last % step - most_steps * step
    starts = _starts(lead, cut(sources, near, last), step, most_steps, wanted or {})
    if len(starts) < most_steps and first < near:
        starts = _starts(lead, sources, step, most_steps, wanted or {})
    return starts


def _starts(lead: type[Sample], sources: Sequence[Source], step: int, most_steps: int, wanted: Labels) -> list[int]:
    rows, values = union(lead, sources, step, wanted, lambda _tier: f"{start_of(step)} AS step_start")
    statement = f"SELECT DISTINCT step_start FROM ({rows}) moments ORDER BY step_start DESC LIMIT %s"  # noqa: S608
    return [start for (start,) in fetch(statement, [*values, most_steps])]


def stepped_points(
    model: type[Sample],
    names: tuple[str, ...],
    sources: Sequence[Source],
    wanted: Labels,
    step: int,
    recorded: Mapping[int, int] | None = None,
) -> Iterator[tuple[int, Point]]:
    """The start and the values of each step; a table with labels gives one of them for each step and thing.

    `recorded` says for each step how many seconds of it were recorded: where it is given, a thing that was not there
    had no rate, and its rates are means over those seconds instead of over those at which it was there.
    """
    columns = StepColumns(model, names, has_recorded=recorded is not None)
    width = 1 + len(model.key)
    rows = _rows(columns, sources, step, wanted)
    # By start and label, which no two rows share; as text is compared here and not in the language of the database.
    rows.sort()
    lists = list_values(model, columns.lists, sources, wanted, step)
    functions = converters(model, tuple(columns.lasting))
    rates = columns.rates if recorded is not None else []
    for row in rows:
        point = dict(zip(names, row[width:], strict=True))
        if functions:
            convert(point, functions)
        for name, is_whole in rates:
            point[name] = _mean_over(point[name], (recorded or {}).get(row[0]), is_whole)
        if lists:
            point |= {name: value for name, value in lists.get(row[:width], {}).items() if name in point}
        yield row[0], point


def _rows(columns: "StepColumns", sources: Sequence[Source], step: int, wanted: Labels) -> list[Row]:
    """A row a step and thing: start, labels, and the values in the order of the names."""
    if step <= conf.interval_seconds() and all(source.tier == RAW for source in sources):
        # Most likely each tick is at the start of a step, and so alone in it.
        rows = _single_rows(columns, sources, step, wanted)
        if all(row[0] % step == 0 for row in rows):
            return rows
    # A bucket that is as wide as a step is one.
    single = [source for source in sources if source.width == step and source.tier != RAW]
    several = [source for source in sources if source not in single]
    rows = _single_rows(columns, single, step, wanted)
    return rows + fetch(*_statement(columns, several, step, wanted)) if several else rows


def _single_rows(columns: "StepColumns", sources: Sequence[Source], step: int, wanted: Labels) -> list[Row]:
    """Of rows that are steps by themselves: to group each of them would take twice the time."""
    return fetch(*union(columns.model, sources, step, wanted, columns.of_single_rows)) if sources else []


def _mean_over(total: float | None, seconds: int | None, is_whole: bool) -> float | int | None:
    if total is None or not seconds:
        return None
    return round(total / seconds) if is_whole else round(total / seconds, 3)


class StepColumns:
    """The columns of a stepped query: what is read of each row, and what is made of the rows of a step."""

    def __init__(self, model: type[Sample], names: tuple[str, ...], *, has_recorded: bool) -> None:
        self.model, self.names, self.has_recorded = model, names, has_recorded
        fields: list[Any] = [f for f in model.measures() if not {f.name, *extreme_names(f)}.isdisjoint(names)]
        self.averaged = [field for field in fields if isinstance(field, Averaged)]
        self.means = {name: field for field in self.averaged for name in extreme_names(field)}
        self.lists = [field for field in fields if isinstance(field, ShareList)]
        self.lasting = [field.name for field in fields if not has_maximum(field) and field.name not in model.key]
        self.rates = [(f.name, f.scale == 1) for f in self.averaged if isinstance(f, Rate) and f.name in names]
        self.keys = [column(model._meta.get_field(name)) for name in model.key]

    def of_rows(self, step: int, tier: int) -> str:
        """What is read of a row: start of its step, labels, when and where it is, its weight, means and extremes."""
        read = [f"{start_of(step)} AS step_start", *self.keys, f"{weight_of(tier)} AS weight"]
        if self.lasting:
            read += [f"timestamp * {PLACE} + tier AS place"]
        for field in self.averaged:
            read += [column(field)]
            for extreme in field.extremes:
                name = extreme_column(field, extreme)
                read += [f"{column(field)} AS {name}" if tier == RAW else name]
        return ", ".join(read)

    def of_steps(self) -> list[str]:
        """What is made of the rows of a step: its start, labels, the place of the newest, means and extremes."""
        made = ["step_start", *self.keys, *(["MAX(place) AS newest"] if self.lasting else [])]
        for field in self.averaged:
            made += [f"{self._mean(field)} AS {column(field)}"]
            for extreme in field.extremes:
                name = extreme_column(field, extreme)
                made += [f"{decoded(field, f'{extreme.upper()}({name})')} AS {name}"]
        return made

    def _mean(self, field: Averaged) -> str:
        """With no more digits than what it was made from; bytes stay whole. A sample that is null covers nothing."""
        name = column(field)
        total = f"SUM(CAST({name} AS DOUBLE PRECISION) * weight)"
        known = f"SUM(CASE WHEN {name} IS NOT NULL THEN weight END)"
        if self.has_recorded and isinstance(field, Rate):
            return f"{total} * {field.step} / {field.scale}"
        if field.scale == 1:
            return f"CAST(ROUND({total} * {field.step} / {known}) AS BIGINT)"
        return f"ROUND({total} * {field.step * 1000} / {field.scale} / {known}) / 1000"

    def of_single_rows(self, tier: int) -> str:
        """What is read of a row that is a step by itself."""
        return ", ".join(["timestamp", *self.keys, *(self._single(name, tier) for name in self.names)])

    def _single(self, name: str, tier: int) -> str:
        field = self.model._meta.get_field(name)
        if isinstance(field, ShareList):
            return "NULL"
        if self.has_recorded and isinstance(field, Rate):
            return f"CAST({column(field)} AS DOUBLE PRECISION) * {weight_of(tier)} * {field.step} / {field.scale}"
        # A raw point is its own extreme.
        return decoded(field, column(self.means.get(name, field) if tier == RAW else field))

    def shown(self) -> str:
        """In the order of the names; a list is put in later."""
        lists = {name for field in self.lists for name in (field.name, *extreme_names(field))}
        return "".join(f", {'NULL' if name in lists else self._shown(name)}" for name in self.names)

    def _shown(self, name: str) -> str:
        field = self.model._meta.get_field(name)
        return decoded(field, f"s.{column(field)}") if name in self.lasting else f"g.{column(field)}"


# A timestamp and a tier, which is no wider than a day, as one number: the newest of the rows of a step is its MAX.
PLACE = 100_000


def _statement(columns: StepColumns, sources: Sequence[Source], step: int, wanted: Labels) -> tuple[str, list[Any]]:
    """A row a step and thing: start, labels, and the values in the order of the names."""
    rows, values = union(columns.model, sources, step, wanted, lambda tier: columns.of_rows(step, tier))
    group = ", ".join(("step_start", *columns.keys))
    grouped = f"SELECT {', '.join(columns.of_steps())} FROM ({rows}) r GROUP BY {group}"  # noqa: S608
    keys = "".join(f", g.{key}" for key in columns.keys)
    chosen = f"SELECT g.step_start{keys}{columns.shown()} FROM ({grouped}) g"  # noqa: S608
    if not columns.lasting:
        return chosen, values
    same = "".join(f" AND s.{key} = g.{key}" for key in columns.keys)
    newest = f" JOIN {table(columns.model)} s ON s.host_id = %s AND s.tier = g.newest %% {PLACE}"
    return f"{chosen}{newest} AND s.timestamp = g.newest / {PLACE}{same}", [*values, sources[0].piece.host]
