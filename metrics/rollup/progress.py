"""What has to be rolled up, and doing it in transactions that hold up nobody."""

import time
from collections.abc import Iterable, Iterator

from django.db import transaction
from django.db.models import Min, Sum

from metrics.models import Host, ProcessSample, RollUpState, Tick
from metrics.models.samples import sample_models
from metrics.rollup.lists import roll_up_lists
from metrics.rollup.processes import roll_up_processes
from metrics.rollup.statements import Stretch, roll_up_table
from metrics.tiers import Tier, stored_tiers, summaries

# Ticks looked at in one go, and buckets written by one transaction: some ten milliseconds.
MOST_TICKS = 20_000
MOST_BUCKETS = 15
# Stretches of summaries that are made of an older history in one go: within seconds, and a year within the hour.
MOST_FILLED = 30


def roll_up(host: Host) -> int:
    """Roll up every tick that is new since the last time; return how many there were."""
    done = 0
    while ticks := _roll_up_some(host):
        done += ticks
    return done


def _roll_up_some(host: Host) -> int:
    state, _is_new = RollUpState.objects.get_or_create(host=host)
    rows = Tick.objects.filter(host=host, pk__gt=state.last_tick).order_by("pk").values_list("pk", "timestamp")
    ticks = [(pk, int(moment.timestamp())) for pk, moment in rows[:MOST_TICKS]]
    if not ticks:
        return 0
    times = {timestamp for _pk, timestamp in ticks}
    newest_before = int(state.newest.timestamp()) if state.newest else None
    for tier in stored_tiers():
        finished = _finished(host, tier, times, newest_before) if tier.is_summary else times
        for stretch in stretches(host, tier, finished):
            roll_up_stretch(stretch)
    newest = max(times | ({newest_before} if newest_before else set()))
    RollUpState.objects.filter(pk=state.pk).update(last_tick=ticks[-1][0], newest=newest)
    return len(ticks)


def _finished(host: Host, tier: Tier, times: set[int], newest_before: int | None) -> set[int]:
    """The times whose bucket of a summary is over now; those before its oldest bucket are left to `fill_summaries`."""
    moments = times if newest_before is None else times | {newest_before}
    newest = max(moments)
    oldest = _oldest(host, tier.width_seconds)
    if oldest is None:
        oldest = min(moments) if newest_before is None else newest_before
    first, last = (moment - moment % tier.width_seconds for moment in (oldest, newest))
    return {moment for moment in moments if first <= moment < last}


def fill_summaries(host: Host, most: int = MOST_FILLED) -> int:
    """Make summaries of what was recorded before there were any, `most` stretches of them, and return how many.

    The newest come first, so that nothing is missing behind the oldest bucket that is there.
    """
    state = RollUpState.objects.filter(host=host).first()
    newest = int(state.newest.timestamp()) if state and state.newest else 0
    filled = 0
    for tier in summaries():
        while filled < most and (stretch := _before_the_oldest(host, tier, newest)):
            roll_up_stretch(stretch)
            filled += 1
    return filled


def _before_the_oldest(host: Host, tier: Tier, newest: int) -> Stretch | None:
    """The stretch with the newest source that no bucket of a summary was made from; None where there is none."""
    width = tier.width_seconds
    oldest = _oldest(host, width)
    before = newest - newest % width if oldest is None else oldest
    moments = [
        model._default_manager.filter(host=host, tier=tier.source_seconds, timestamp__lt=before)
        .order_by("-timestamp")
        .values_list("timestamp", flat=True)
        .first()
        for model in sample_models()
        if model is not ProcessSample
    ]
    last = max((int(moment.timestamp()) for moment in moments if moment), default=None)
    if last is None:
        return None
    end = last - last % width + width
    # What retention would delete at once is not made.
    kept_from = -(-int(time.time() - tier.kept_seconds) // width) * width
    start = max(end - MOST_BUCKETS * width, kept_from)
    return Stretch(host, tier, start, end) if start < end else None


def summarise(host: Host, start: int, end: int) -> None:
    """Compute every summary of a stretch of time anew, but for the buckets that are not over at its end."""
    for tier in summaries():
        width = tier.width_seconds
        after = end - end % width
        for first in range(start - start % width, after, MOST_BUCKETS * width):
            roll_up_stretch(Stretch(host, tier, first, min(first + MOST_BUCKETS * width, after)))


def roll_up_stretch(stretch: Stretch) -> None:
    """Compute every table's rows of a stretch of buckets."""
    with transaction.atomic():
        for model in sample_models():
            if model is not ProcessSample:
                roll_up_table(model, stretch)
                roll_up_lists(model, stretch)
        # Last: the row for all others is what is left of the machine's total.
        roll_up_processes(stretch)


def stretches(host: Host, tier: Tier, times: Iterable[int]) -> Iterator[Stretch]:
    """The buckets in which the times lie, neighbours joined, without those whose source is partly gone."""
    width = tier.width_seconds
    starts = sorted({time - time % width for time in times} - _closed(host, tier, times))
    first = previous = None
    for start in starts:
        if first is None or previous is None or start != previous + width or start - first >= MOST_BUCKETS * width:
            if first is not None and previous is not None:
                yield Stretch(host, tier, first, previous + width)
            first = start
        previous = start
    if first is not None and previous is not None:
        yield Stretch(host, tier, first, previous + width)


def _closed(host: Host, tier: Tier, times: Iterable[int]) -> set[int]:
    """Buckets whose source has been pruned since they were made, if only in part: what is left would be less."""
    oldest = _oldest(host, tier.source_seconds)
    starts = {time - time % tier.width_seconds for time in times}
    return {start for start in starts if (oldest is None or start < oldest) and _would_lose(host, tier, start)}


def _oldest(host: Host, tier_seconds: int) -> int | None:
    """The time of the oldest source that has not been pruned."""
    tables = (model._default_manager.filter(host=host, tier=tier_seconds) for model in sample_models())
    oldest = [rows.aggregate(oldest=Min("timestamp"))["oldest"] for rows in tables]
    return min((int(moment.timestamp()) for moment in oldest if moment), default=None)


def _would_lose(host: Host, tier: Tier, start: int) -> bool:
    """Whether a bucket was made from more points than its source has now, in a table with one row a tick."""
    for model in (model for model in sample_models() if not model.collection):
        rows = model._default_manager.filter(host=host)
        made = rows.filter(tier=tier.width_seconds, timestamp=start).aggregate(points=Sum("points"))["points"]
        bucket = rows.filter(tier=tier.source_seconds, timestamp__gte=start, timestamp__lt=start + tier.width_seconds)
        if (made or 0) > (bucket.aggregate(points=Sum("points"))["points"] or 0):
            return True
    return False
