"""Raw points that are one row each: such a row never changes, and its id is never given to another.

So what was made of a row once can be kept, and all that has to be known anew is which rows there are.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable
from dataclasses import dataclass
from math import ceil, floor

from metrics.history.metadata import tables
from metrics.history.points import Point
from metrics.history.present import longest_span_seconds
from metrics.history.series import SeriesQuery, raw_points_of
from metrics.history.tier_ranges import stored_tiers
from metrics.models import Sample
from metrics.models.present import last_present_moment
from metrics.models.sql import FIRST_MOMENT, LAST_MOMENT, TierRange, fetch, select_range
from metrics.storage.commit_watch import commit_mark
from metrics.tiers import RAW

# The newest rows of a host, so many of which an index knows: some more than are kept by default.
MAX_ROWS = 4096
# Indexes that are kept, one a host and family.
MAX_INDEXES = 16

# When a point was taken, and the id of its row.
PointRow = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """Which rows of an index a series is: from `start` up to but not including `stop`; `has_older` as in a Series."""

    start: int
    stop: int
    has_older: bool


@dataclass(frozen=True, slots=True, eq=False)
class RowIndex:
    """The newest raw rows of the present, oldest first, as of a commit. From `first` on and before `ahead`, where the
    rows begin that lay ahead then, nothing but these rows tells of the host."""

    mark: Hashable
    rows: list[PointRow]
    first: int
    ahead: int

    def find(self, query: SeriesQuery) -> Found | None:
        """The newest rows of the range; None where something else may have to tell of a part of it."""
        end = last_present_moment() if query.end is None else floor(query.end)
        stop = bisect_right(self.rows, (end, LAST_MOMENT))
        if not stop or end >= self.ahead:
            return None
        # As in metrics/history/present.py, but without a query.
        start = self.rows[stop - 1][0] - longest_span_seconds() if query.start is None else ceil(query.start)
        begin = bisect_left(self.rows, (start, 0))
        has_older = stop - begin > query.limit
        if has_older:
            begin = stop - query.limit
            start = self.rows[begin - 1][0]
        return Found(begin, stop, has_older) if begin < stop and start >= self.first else None


_indexes: dict[tuple[int, str], RowIndex] = {}


def row_index(query: SeriesQuery) -> RowIndex | None:
    """The rows that a series may consist of, as of now; None where its points are not one row each, or within a
    transaction, which may take back an id that it has given."""
    lead, *lists = tables(query.family)
    mark = None if query.step is not None or lists or lead.collection else commit_mark()
    if mark is None:
        return None
    key = query.host.pk, query.family
    known = _indexes.get(key)
    if known is None or known.mark != mark:
        if len(_indexes) >= MAX_INDEXES:
            _indexes.clear()
        known = _indexes[key] = RowIndex(mark, *_newest_rows(lead, query.host.pk))
    return known


def read_raw_points(query: SeriesQuery, first: int, last: int) -> dict[int, Point]:
    """The points of such rows from one moment to another, inclusive, by their time."""
    return raw_points_of(query, TierRange(query.host.pk, RAW, first, last))


def _newest_rows(lead: type[Sample], host: int) -> tuple[list[PointRow], int, int]:
    """The rows, oldest first, from where on they tell of everything, and where those begin that lie ahead."""
    last = last_present_moment()
    of = TierRange(host, RAW, FIRST_MOMENT, last)
    statement, values = select_range(lead, of, ["timestamp", "id"], order_by="timestamp DESC", limit=True)
    rows = fetch(statement, [*values, MAX_ROWS])[::-1]
    finest = next(iter(stored_tiers(lead, host, last)), None)
    if not rows or finest is None or finest.tier != RAW:
        return [], LAST_MOMENT, LAST_MOMENT
    [(ahead,)] = fetch(*select_range(lead, TierRange(host, RAW, last + 1, LAST_MOMENT), ["MIN(timestamp)"]))
    first = max(finest.first, rows[0][0]) if len(rows) == MAX_ROWS else finest.first
    return rows, first, LAST_MOMENT if ahead is None else ahead
