"""Where a range ends that is open: neither at what a clock wrote that was ahead, nor at what one wrote in 1970.

Both are stored, and are shown to whoever asks for their time. But a range from 1970 to now, or from now to 2099, is
nobody's history: its steps would be months wide.
"""

from math import ceil, floor

from metrics import conf
from metrics.models import Tick
from metrics.models.present import last_present_moment
from metrics.models.samples import sample_models
from metrics.models.sql import FIRST_MOMENT, TierRange, fetch, nested, select, select_range, table, union
from metrics.tiers import RAW, WIDTHS, tiers

# A machine that was off for a year still has one history.
MIN_SPAN_SECONDS = 400 * 86_400


def first_and_last_second(host: int, start: float | None, end: float | None) -> tuple[int | None, int | None]:
    """The ends of a range, both inclusive; None where it really is open.

    Without an end it goes up to now, or on for ever where it begins ahead of now; without a start it goes back as far
    as the history to which its end belongs.
    """
    if end is not None:
        last = floor(end)
    elif start is None or start <= last_present_moment():
        last = last_present_moment()
    else:
        return ceil(start), None
    return (history_begins(host, last) if start is None else ceil(start)), last


def history_begins(host: int, last: int) -> int | None:
    """Where the history of a host begins that a moment belongs to; None where nothing lies further back than that."""
    [(oldest,)] = fetch(select(["MIN(timestamp)"], table(Tick), "host_id = %s"), [host])
    if oldest is None or oldest >= last - longest_span_seconds():
        return None
    newest = _newest(host, last)
    return None if newest is None or oldest >= newest - longest_span_seconds() else newest - longest_span_seconds()


def last_stray_moment(host: int) -> int | None:
    """The last tick before the history of the present begins, such as one of 1970; None where there is none."""
    begins = history_begins(host, last_present_moment())
    if begins is None:
        return None
    statement = select(["MAX(timestamp)"], table(Tick), "host_id = %s AND timestamp < %s")
    return int(fetch(statement, [host, begins])[0][0])


def longest_span_seconds() -> int:
    """So far a history can reach back from its newest point, by what is kept of it."""
    raw = conf.max_points() * conf.interval_seconds()
    return max(MIN_SPAN_SECONDS, raw, *(tier.kept_seconds for tier in tiers()))


def _newest(host: int, last: int) -> int | None:
    """The newest moment up to another one of which anything is left."""
    newest = ["MAX(timestamp) AS newest"]
    ranges = [TierRange(host, tier, FIRST_MOMENT, last) for tier in (RAW, *WIDTHS)]
    parts = [select_range(model, of, newest) for model in sample_models() for of in ranges]
    ticks = select(newest, table(Tick), "host_id = %s AND timestamp <= %s"), [host, last]
    moments, values = union([ticks, *parts])
    [(moment,)] = fetch(select(["MAX(newest)"], nested(moments, "found")), values)
    return None if moment is None else int(moment)
