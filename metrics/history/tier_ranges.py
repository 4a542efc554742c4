"""Which tier tells of which stretch of time: all tiers of a family as one history.

Without a step the finest tier that still has a stretch tells of it. A step is made from the widest tier that divides
it, which has the fewest rows; what that tier does not say (the newest minutes, the ends of a range that lie within its
width) is read from a finer one. Every tier divides the wider ones, so that a step never cuts a bucket, and the ranges
never overlap. All of them come newest first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from metrics.history.present import first_and_last_second, last_stray_moment, longest_span_seconds
from metrics.models import Host, ProcessSample, ProcessTotals, RollUpState, Sample
from metrics.models.present import last_present_moment
from metrics.models.sql import (
    FIRST_MOMENT,
    LAST_MOMENT,
    Labels,
    Row,
    Sql,
    TierRange,
    each_by_itself,
    fetch,
    in_range,
    nested,
    select,
    select_range,
    table,
    union,
)
from metrics.tiers import RAW, WIDTHS


class TimeRange(NamedTuple):
    """A host, and the first and last second of what is asked for."""

    host: int
    start: int
    end: int


class Ranged:
    """Mixed into a query about a host from `start` to `end`, inclusive seconds since the epoch; None is open, as
    far as the present goes."""

    __slots__ = ()
    host: Host
    start: float | None
    end: float | None

    @property
    def time_range(self) -> TimeRange:
        """What is asked for, in whole seconds."""
        first, last = first_and_last_second(self.host.pk, self.start, self.end)
        start = FIRST_MOMENT if first is None else first
        return TimeRange(self.host.pk, start, LAST_MOMENT if last is None else last)


@dataclass(frozen=True, slots=True)
class StoredTier:
    """A tier of one table and host. It has things from `oldest` on; from `first` on it has lost nothing that a wider
    tier still knows of."""

    tier: int
    oldest: int
    first: int

    @property
    def width(self) -> int:
        """The width of a bucket; 1 for the raw tier."""
        return self.tier or 1

    def bucket_of(self, moment: int) -> int:
        """The start of the bucket in which a moment lies."""
        return moment - moment % self.width


def rolled_up_to(host: int) -> int:
    """The newest moment of the present of which the roll-ups of a host know."""
    rows = fetch(select(["newest"], table(RollUpState), "host_id = %s AND newest IS NOT NULL"), [host])
    return min(int(rows[0][0]), last_present_moment()) if rows else FIRST_MOMENT


def stored_tiers(model: type[Sample], host: int, start: int = FIRST_MOMENT) -> list[StoredTier]:
    """The tiers in which a table has anything of a host, finest first. For a range that begins, at `start`, after what
    was recorded in 1970 they have nothing of that: by one such row the raw tier would tell of everything since."""
    found = _oldest_after_strays(model, host, start)
    if found.pop(CONVERTING, None) is not None:
        found = _without_leftovers(host, found)
    known: list[StoredTier] = []
    for tier, oldest in reversed(found.items()):
        first = _first_moment(model, host, StoredTier(tier, oldest, oldest), known)
        known = [StoredTier(tier, oldest, first), *known]
    return known


# In the place of a tier: that those of an older version are still being made anew.
CONVERTING = -1


def _oldest_after_strays(model: type[Sample], host: int, start: int) -> dict[int, int]:
    """As `_oldest_of_each`, for a range that begins at `start`; one that is open there has no strays, see Ranged."""
    found = _oldest_of_each(model, host)
    reach = last_present_moment() - longest_span_seconds()
    if start == FIRST_MOMENT or all(oldest >= reach for tier, oldest in found.items() if tier != CONVERTING):
        return found
    stray = last_stray_moment(host)
    return found if stray is None or start <= stray else _oldest_of_each(model, host, stray + 1)


def _oldest_of_each(model: type[Sample], host: int, since: int = FIRST_MOMENT) -> dict[int, int]:
    """The time of the oldest thing, from a moment on, of each tier that has any, finest first; all by one query."""
    where = "host_id = %s AND tier = %s AND timestamp >= %s"
    oldest = select(["%s AS tier", "MIN(timestamp) AS oldest"], table(model), where)
    state = select([f"{CONVERTING} AS tier", "converted_from AS oldest"], table(RollUpState), "host_id = %s")
    rows = fetch(*union([*((oldest, [tier, host, tier, since]) for tier in (RAW, *WIDTHS)), (state, [host])]))
    return {tier: oldest for tier, oldest in sorted(rows) if oldest is not None}


def _without_leftovers(host: int, found: dict[int, int]) -> dict[int, int]:
    """Without buckets of an older version that know no processes: each of today has a row for all others at least."""
    totals, processes = (_oldest_of_each(model, host) for model in (ProcessTotals, ProcessSample))
    first = {tier: processes.get(tier, LAST_MOMENT) for tier in WIDTHS if tier in totals}
    is_left = {tier: totals[tier] < first[tier] for tier in first}
    kept = {tier: max(oldest, first[tier]) if is_left.get(tier) else oldest for tier, oldest in found.items()}
    return {tier: oldest for tier, oldest in kept.items() if oldest < LAST_MOMENT}


def _first_moment(model: type[Sample], host: int, finer: StoredTier, wider: Sequence[StoredTier]) -> int:
    """From where on a tier tells: a bucket of which it has lost a part is told of by the next tier that tells of it."""
    reaching = (other for other in wider if other.first <= other.bucket_of(finer.oldest))
    other = next(reaching, None)
    if other is None:
        return finer.oldest
    bucket = other.bucket_of(finer.oldest)
    whole = TierRange(host, other.tier, bucket, bucket)
    part = TierRange(host, finer.tier, bucket, bucket + other.width - 1)
    (made_from, left), *_none = fetch(*_points(model, whole, part))
    return bucket + other.width if (made_from or 0) > (left or 0) else bucket


def _points(model: type[Sample], *ranges: TierRange) -> Sql:
    """How many raw points each tier range was made from, counting a moment once however many things it has."""
    found = [select_range(model, of, ["MAX(points) AS points"], group_by=["timestamp"]) for of in ranges]
    queries = [select(["SUM(points)"], nested(moments, "moments")) for moments, _values in found]
    return each_by_itself(queries), [value for _moments, values in found for value in values]


def finest_ranges(model: type[Sample], of: TimeRange, known: Sequence[StoredTier] | None = None) -> list[TierRange]:
    """The range from the finest tiers that have it."""
    ranges: list[TierRange] = []
    end = of.end
    for tier in stored_tiers(model, of.host, of.start) if known is None else known:
        ranges.append(TierRange(of.host, tier.tier, max(of.start, tier.first), end))
        end = min(end, tier.first - 1)
    return [found for found in ranges if found.start <= found.end]


def step_ranges(
    model: type[Sample], of: TimeRange, step: int, known: Sequence[StoredTier] | None = None
) -> list[TierRange]:
    """The range from the widest tiers that divide the step."""
    known = stored_tiers(model, of.host, of.start) if known is None else known
    return _cover(of, [tier for tier in known if step % tier.width == 0], rolled_up_to(of.host))


def wide_ranges(model: type[Sample], of: TimeRange, width: int) -> list[TierRange]:
    """The range from the widest tiers up to a width, and what is older than those from the finest that still have
    it."""
    known = stored_tiers(model, of.host, of.start)
    fine = [tier for tier in known if tier.width <= width]
    first = max(of.start, min((tier.first for tier in fine), default=of.end + 1))
    older = finest_ranges(model, of._replace(end=min(of.end, first - 1)), known[len(fine) :])
    return [*_cover(of._replace(start=first), fine, rolled_up_to(of.host)), *map(whole_buckets, older)]


def whole_buckets(of: TierRange) -> TierRange:
    """The range with the whole of the bucket in which it begins, of which nothing finer is left."""
    return of._replace(start=of.start - of.start % (of.tier or 1))


def cut(ranges: Iterable[TierRange], start: int, end: int) -> list[TierRange]:
    """What of the ranges lies from one moment to another, both included."""
    found = (of._replace(start=max(of.start, start), end=min(of.end, end)) for of in ranges)
    return [of for of in found if of.start <= of.end]


def first_and_last(model: type[Sample], of: TierRange, wanted: Labels | None = None) -> tuple[int, int] | None:
    """The times of the first and of the last sample in a tier range; None where it has none."""
    first, last = aggregates(model, of, wanted, "MIN(timestamp)", "MAX(timestamp)")
    return None if first is None else (first, last)


def aggregates(model: type[Sample], of: TierRange, wanted: Labels | None, *expressions: str) -> Row:
    """Aggregates over a tier range, each by a query of its own within one."""
    where, values = in_range(of, wanted)
    queries = [select([expression], table(model), where) for expression in expressions]
    return fetch(each_by_itself(queries), values * len(queries))[0]


def _cover(of: TimeRange, candidates: Sequence[StoredTier], until: int) -> list[TierRange]:
    """Cover a range with the last, widest candidate, and with the others what it cannot tell; `until` is how far the
    roll-ups have come."""
    if not candidates or of.start > of.end:
        return []
    *finer, widest = candidates
    if not finer:
        start = max(of.start, widest.oldest)
        return [TierRange(of.host, widest.tier, start, of.end)] if start <= of.end else []
    first, last = _told_whole(widest, min(tier.first for tier in finer), of, until)
    if first > last:
        return _cover(of, finer, until)
    after = _cover(of._replace(start=last + 1), finer, until)
    before = _cover(of._replace(end=first - 1), finer, until)
    return [*after, TierRange(of.host, widest.tier, first, last), *before]


def _told_whole(widest: StoredTier, finer_first: int, of: TimeRange, until: int) -> tuple[int, int]:
    """The buckets of a tier that lie in the range whole. One that is cut by an end of the range, or that is not
    finished, counts as well where a part of it is left in nothing finer."""
    width = widest.width
    first, after = -(-of.start // width) * width, min(of.end + 1, until) // width * width
    if first > of.start and finer_first > first - width:
        first -= width
    if after <= of.end and finer_first > after:
        after += width
    return max(first, widest.oldest), after - 1
