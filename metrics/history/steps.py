"""One point for each step of a series: mean and extremes of what goes up and down, the last value of everything else.

The rows of a step may come from several tiers (the newest minutes of an hour are still raw); their sums are added up
before the mean is taken, so that it is the mean over all raw points, weighted by the time that each stands for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil
from typing import Any, Literal, NamedTuple

from metrics import conf
from metrics.history.lists import list_values
from metrics.history.metadata import extreme_names, has_maximum
from metrics.history.points import Point, convert, converters
from metrics.history.tier_ranges import (
    TimeRange,
    aggregates,
    cut,
    finest_ranges,
    first_and_last,
    step_ranges,
    stored_tiers,
    whole_buckets,
)
from metrics.models import Sample
from metrics.models.fields import Averaged, Rate, ShareList
from metrics.models.sql import (
    WEIGHT,
    Labels,
    Row,
    Sql,
    TierRange,
    column,
    decoded,
    extreme_column,
    extremes_of,
    fetch,
    joined,
    key_columns,
    nested,
    select,
    select_range,
    start_of,
    table,
    union,
    weight_of,
)
from metrics.tiers import RAW

Step = int | Literal["auto"]
MINUTE, HOUR, DAY = 60, 3600, 86_400
# The steps of which `auto` takes the smallest that fits, in seconds; beyond them whole weeks.
ROUND_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(number * MINUTE for number in (1, 2, 5, 10, 15, 30)),
    *(number * HOUR for number in (1, 2, 3, 6, 12)),
    *(number * DAY for number in (1, 2, 7)),
)
WEEK = ROUND_STEPS[-1]


class Steps(NamedTuple):
    """How wide the steps are, from which rows they are made, and where the newest of them begin, newest first."""

    width: int
    ranges: list[TierRange]
    starts: list[int]


def newest_steps(
    lead: type[Sample],
    of: TimeRange,
    step: Step,
    limit: int,
    *,
    clock: type[Sample] | None = None,
    wanted: Labels | None = None,
) -> Steps:
    """The newest steps in which `lead` has a sample, one more than `limit` where there is one more.

    `clock` is the table that says which tiers tell of the range, where another one does. The ranges are cut to what is
    shown.
    """
    clock = clock or lead
    known = stored_tiers(clock, of.host, of.start)
    width = resolved_step(lead, finest_ranges(clock, of, known), step, limit, wanted)
    ranges = step_ranges(clock, of, width, known)
    starts = _newest_starts(lead, ranges, width, limit + 1, wanted)
    shown = cut(ranges, starts[-1], starts[0] + width - 1) if starts else []
    return Steps(width, shown, starts)


def resolved_step(
    model: type[Sample], finest: Iterable[TierRange], step: Step, limit: int, wanted: Labels | None = None
) -> int:
    """The step in seconds, a multiple of the resolution of what it is made from; `finest` comes newest first.

    `auto` is the smallest round step that cuts what is stored into no more than `limit` steps.
    """
    found = (_extent(model, whole_buckets(of), wanted) for of in finest)
    extents = [extent for extent in found if extent]
    if not extents:
        return 1 if step == "auto" else step
    if step != "auto":
        return _rounded_up(model, step, extents, limit, wanted)
    first, last = min(extent.first for extent in extents), max(extent.last for extent in extents)
    return smallest_step(first, last, limit, max(extent.resolution for extent in extents))


class Extent(NamedTuple):
    """Coarsest resolution, first and last moment of what a tier range has."""

    of: TierRange
    resolution: int
    first: int
    last: int


def _extent(model: type[Sample], of: TierRange, wanted: Labels | None) -> Extent | None:
    """None where the range has nothing."""
    expressions = ["MIN(timestamp)", "MAX(timestamp)", *(["MAX(resolution)"] if of.tier == RAW else [])]
    first, last, *coarsest = aggregates(model, of, wanted, *expressions)
    return None if first is None else Extent(of, coarsest[0] if coarsest else of.tier, first, last)


def _rounded_up(model: type[Sample], step: int, extents: Iterable[Extent], limit: int, wanted: Labels | None) -> int:
    """A multiple of the coarsest resolution among the ranges that the newest `limit` steps reach back to."""
    rounded, newer = step, list[TierRange]()
    for extent in extents:
        if newer and len(_starts(model, newer, rounded, limit + 1, wanted)) > limit:
            break
        rounded = ceil(step / extent.resolution) * extent.resolution
        newer.append(extent.of)
    return rounded


def smallest_step(first: int, last: int, limit: int, resolution: int) -> int:
    """The smallest of ROUND_STEPS, rounded up to a multiple of the resolution, that cuts a stretch into no more than
    `limit` aligned steps; where none does, the smallest number of weeks."""
    for step in ROUND_STEPS:
        width = ceil(step / resolution) * resolution
        if last // width - first // width + 1 <= limit:
            return width
    weeks = max(1, ceil((last - first) / limit / WEEK))
    while last // (weeks * WEEK) - first // (weeks * WEEK) + 1 > limit:
        # The next width at which the last moment falls into an earlier step: no width in between has fewer steps.
        weeks = ceil((last // (last // (weeks * WEEK)) + 1) / WEEK)
    return ceil(weeks * WEEK / resolution) * resolution


def recorded_seconds(model: type[Sample], ranges: Iterable[TierRange], step: int) -> dict[int, int]:
    """By start of the step: the seconds that were recorded; the table has one row a tick."""
    columns = (f"{start_of(step)} AS start", f"{WEIGHT} AS seconds")
    rows, values = union(select_range(model, of, columns) for of in ranges)
    return dict(fetch(select(["start", "SUM(seconds)"], nested(rows, "moments"), group_by=["start"]), values))


def _newest_starts(
    lead: type[Sample], ranges: Sequence[TierRange], step: int, count: int, wanted: Labels | None
) -> list[int]:
    """The starts of the newest steps in which there is a sample, newest first."""
    ends = [ends for of in ranges if (ends := first_and_last(lead, of, wanted))]
    if not ends:
        return []
    first, last = min(first for first, _last in ends), max(last for _first, last in ends)
    # Where nothing is missing they lie close together: look there first, and only then at all of it.
    near = last - last % step - count * step
    starts = _starts(lead, cut(ranges, near, last), step, count, wanted)
    return _starts(lead, ranges, step, count, wanted) if len(starts) < count and first < near else starts


def _starts(lead: type[Sample], ranges: Sequence[TierRange], step: int, count: int, wanted: Labels | None) -> list[int]:
    rows, values = union(select_range(lead, of, [f"{start_of(step)} AS step_start"], wanted) for of in ranges)
    moments = nested(rows, "moments")
    statement = select(["DISTINCT step_start"], moments, order_by="step_start DESC", limit=True)
    return [start for (start,) in fetch(statement, [*values, count])]


def stepped_points(
    model: type[Sample],
    names: tuple[str, ...],
    ranges: Sequence[TierRange],
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
    rows = _rows(columns, ranges, step, wanted)
    # By start and label, which no two rows share; as text is compared here and not in the language of the database.
    rows.sort()
    lists = list_values(model, columns.lists, ranges, wanted, step)
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


def _rows(columns: "StepColumns", ranges: Sequence[TierRange], step: int, wanted: Labels) -> list[Row]:
    """A row a step and thing: start, labels, and the values in the order of the names."""
    if step <= conf.interval_seconds() and all(of.tier == RAW for of in ranges):
        # Most likely each tick is at the start of a step, and so alone in it.
        rows = _single_rows(columns, ranges, wanted)
        if all(row[0] % step == 0 for row in rows):
            return rows
    # A bucket that is as wide as a step is one.
    single = [of for of in ranges if of.tier == step]
    several = [of for of in ranges if of.tier != step]
    rows = _single_rows(columns, single, wanted)
    return rows + fetch(*_grouped(columns, several, step, wanted)) if several else rows


def _single_rows(columns: "StepColumns", ranges: Sequence[TierRange], wanted: Labels) -> list[Row]:
    """Of rows that are steps by themselves: to group each of them would take twice the time."""
    parts = [select_range(columns.model, of, columns.of_single_rows(of.tier), wanted) for of in ranges]
    return fetch(*union(parts)) if parts else []


def _grouped(columns: "StepColumns", ranges: Sequence[TierRange], step: int, wanted: Labels) -> Sql:
    """A row a step and thing: start, labels, and the values in the order of the names."""
    oldest_first = list(enumerate(reversed(ranges)))
    parts = [select_range(columns.model, of, columns.of_rows(step, of.tier, n), wanted) for n, of in oldest_first]
    rows, values = union(parts)
    steps = select(columns.of_steps(), nested(rows, "r"), group_by=["step_start", *columns.keys])
    shown = ["g.step_start", *key_columns(columns.model, "g"), *columns.shown()]
    if not columns.lasting:
        return select(shown, nested(steps, "g")), values
    # The ranges follow one another, so that the newest row of a step lies in the last of them.
    tiers = " ".join(f"WHEN {number} THEN {of.tier}" for number, of in oldest_first)
    newest = [f"s.host_id = {ranges[0].host}", f"s.tier = CASE g.place {tiers} END", "s.timestamp = g.newest"]
    same = [f"s.{key} = g.{key}" for key in columns.keys]
    source = joined(nested(steps, "g"), (f"{table(columns.model)} s", " AND ".join([*newest, *same])))
    return select(shown, source), values


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
        self.keys = key_columns(model)

    def of_rows(self, step: int, tier: int, place: int) -> list[str]:
        """What is read of a row: start of its step, labels, its weight, where it is, means and extremes."""
        read = [f"{start_of(step)} AS step_start", *self.keys, f"{weight_of(tier)} AS weight"]
        if self.lasting:
            read += ["timestamp", f"{place} AS place"]
        for field in self.averaged:
            read += [column(field)]
            read += [f"{stored} AS {extreme_column(field, extreme)}" for extreme, stored in extremes_of(field, tier)]
        return read

    def of_steps(self) -> list[str]:
        """What is made of the rows of a step: its start, labels, where the newest is, means and extremes."""
        made = ["step_start", *self.keys]
        made += ["MAX(timestamp) AS newest", "MAX(place) AS place"] if self.lasting else []
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

    def of_single_rows(self, tier: int) -> list[str]:
        """What is read of a row that is a step by itself."""
        return ["timestamp", *self.keys, *(self._single(name, tier) for name in self.names)]

    def _single(self, name: str, tier: int) -> str:
        field = self.model._meta.get_field(name)
        if isinstance(field, ShareList):
            return "NULL"
        if self.has_recorded and isinstance(field, Rate):
            return f"CAST({column(field)} AS DOUBLE PRECISION) * {weight_of(tier)} * {field.step} / {field.scale}"
        # A raw point is its own extreme.
        return decoded(field, column(self.means.get(name, field) if tier == RAW else field))

    def shown(self) -> list[str]:
        """In the order of the names; a list is put in later."""
        lists = {name for field in self.lists for name in (field.name, *extreme_names(field))}
        return ["NULL" if name in lists else self._shown(name) for name in self.names]

    def _shown(self, name: str) -> str:
        field = self.model._meta.get_field(name)
        return decoded(field, column(field, "s")) if name in self.lasting else column(field, "g")
