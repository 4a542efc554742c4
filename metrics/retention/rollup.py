"""What has to be rolled up, and doing it in transactions that hold up nobody."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from django.db import connection, transaction
from django.db.models import Sum

from metrics.models import Host, ProcessSample, RollUpState, Tick
from metrics.models.present import last_present_moment, not_ahead
from metrics.models.samples import sample_models
from metrics.retention.rollup_lists import roll_up_lists
from metrics.retention.rollup_others import roll_up_others
from metrics.retention.rollup_processes import roll_up_processes
from metrics.retention.rollup_statements import Stretch, roll_up_table, source_columns, table
from metrics.tiers import Tier, stored_tiers, summaries, tiers

# Ticks looked at in one go; buckets that one transaction writes, and points of time that it makes them from, whatever
# the interval: some twenty milliseconds.
MAX_TICKS = 20_000
MAX_BUCKETS = 30
MAX_SOURCES = 360
# Stretches of summaries that are made of an older history in one go: within seconds, and a year within the hour.
MAX_FILLED = 30


def roll_up(host: Host) -> int:
    """Roll up every tick that is new since the last time; return how many there were."""
    done = 0
    while (ticks := _roll_up_some(host)) == MAX_TICKS:
        done += ticks
    return done + ticks


def _roll_up_some(host: Host) -> int:
    state, _is_new = RollUpState.objects.get_or_create(host=host)
    ticks = _ticks_after(host, state.last_tick)
    if not ticks:
        return 0
    times = {timestamp for _pk, timestamp in ticks}
    newest_before = _newest_of_the_present(host, state)
    # What lies ahead is rolled up too, but nothing is over because of it.
    last_present = last_present_moment()
    newest = max((time for time in times if time <= last_present), default=newest_before)
    newest = max(newest, newest_before) if newest is not None and newest_before is not None else newest
    finest = tiers()[0].width_seconds
    for tier in stored_tiers():
        finished = _finished(host, tier, times, newest_before, newest) if tier.is_summary else times
        for stretch in stretches(host, tier, finished):
            roll_up_stretch(stretch)
        # All that follow are made of what was made first.
        times = {time - time % finest for time in times}
    RollUpState.objects.filter(pk=state.pk).update(last_tick=ticks[-1][0], newest=newest)
    return len(ticks)


def _ticks_after(host: Host, last_tick: int) -> list[tuple[int, int]]:
    """The ids and times of ticks that were stored after another one, in the order of their ids."""
    statement = f"SELECT id, timestamp FROM {table(Tick)} WHERE host_id = %s AND id > %s ORDER BY id LIMIT %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [host.pk, last_tick, MAX_TICKS])
        return list(cursor.fetchall())


def _newest_of_the_present(host: Host, state: RollUpState) -> int | None:
    """The newest moment that was rolled up; looked up anew where the clock was ahead then, and was set back since."""
    newest = None if state.newest is None else int(state.newest.timestamp())
    if newest is None or newest <= last_present_moment():
        return newest
    before = not_ahead(Tick.objects.filter(host=host, pk__lte=state.last_tick)).order_by("-timestamp").first()
    return None if before is None else int(before.timestamp.timestamp())


def _finished(host: Host, tier: Tier, times: set[int], newest_before: int | None, newest: int | None) -> set[int]:
    """The times whose bucket of a summary is over now; those before its oldest bucket are left to `fill_summaries`."""
    moments = times if newest_before is None else times | {newest_before}
    if newest is None:
        return set()
    oldest = _oldest(host, tier.width_seconds)
    if oldest is None:
        oldest = min(moments) if newest_before is None else newest_before
    first, last = (moment - moment % tier.width_seconds for moment in (oldest, newest))
    return {moment for moment in moments if first <= moment < last}


def fill_summaries(host: Host, most: int = MAX_FILLED) -> int:
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
    start = max(end - MAX_BUCKETS * width, kept_from)
    return Stretch(host, tier, start, end) if start < end else None


def summarise(host: Host, start: int, end: int) -> None:
    """Compute every summary of a stretch of time anew, but for the buckets that are not over at its end."""
    for tier in summaries():
        width = tier.width_seconds
        after = end - end % width
        for first in range(start - start % width, after, MAX_BUCKETS * width):
            roll_up_stretch(Stretch(host, tier, first, min(first + MAX_BUCKETS * width, after)))


def roll_up_stretch(stretch: Stretch) -> None:
    """Compute every table's rows of a stretch of buckets."""
    with transaction.atomic():
        columns = source_columns(stretch)
        for model in sample_models():
            if model is not ProcessSample:
                roll_up_table(model, stretch, columns)
                roll_up_lists(model, stretch, columns)
                roll_up_others(model, stretch, columns)
        # Last: the row for all others is what is left of the machine's total.
        roll_up_processes(stretch, columns)


def stretches(host: Host, tier: Tier, times: Iterable[int]) -> Iterator[Stretch]:
    """The buckets in which the times lie, neighbours joined, without those whose source is partly gone."""
    width = tier.width_seconds
    # Without a source of its own a time is that of a raw point.
    sources = Counter(time - time % width for time in {time - time % (tier.source_seconds or 1) for time in times})
    closed = _closed(host, tier, sources)
    joined: list[int] = []
    for start in sorted(sources.keys() - closed):
        if joined and not _may_join(joined, start, width, sources):
            yield Stretch(host, tier, joined[0], joined[-1] + width)
            joined = []
        joined.append(start)
    if joined:
        yield Stretch(host, tier, joined[0], joined[-1] + width)


def _may_join(joined: list[int], start: int, width: int, sources: Mapping[int, int]) -> bool:
    """Whether a bucket follows the others and is not too much for one transaction."""
    points = sum(sources[bucket] for bucket in joined) + sources[start]
    return start == joined[-1] + width and len(joined) < MAX_BUCKETS and points <= MAX_SOURCES


def _closed(host: Host, tier: Tier, starts: Iterable[int]) -> set[int]:
    """Buckets whose source has been pruned since they were made, if only in part: what is left would be less."""
    oldest = _oldest(host, tier.source_seconds)
    return {start for start in starts if (oldest is None or start < oldest) and _would_lose(host, tier, start)}


def _oldest(host: Host, tier_seconds: int) -> int | None:
    """The time of the oldest source that has not been pruned."""
    tables = [table(model) for model in sample_models()]
    # One statement: it is asked eight times a minute, and one for each table, made by Django, took 1.4 ms.
    each = [f"SELECT MIN(timestamp) AS oldest FROM {name} WHERE host_id = %s AND tier = %s" for name in tables]  # noqa: S608
    statement = f"SELECT MIN(oldest) FROM ({' UNION ALL '.join(each)}) AS found"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [host.pk, tier_seconds] * len(each))
        [oldest] = cursor.fetchone()
    return None if oldest is None else int(oldest)


def _would_lose(host: Host, tier: Tier, start: int) -> bool:
    """Whether a bucket was made from more points than its source has now, in a table with one row a tick."""
    for model in (model for model in sample_models() if not model.collection):
        rows = model._default_manager.filter(host=host)
        made = rows.filter(tier=tier.width_seconds, timestamp=start).aggregate(points=Sum("points"))["points"]
        bucket = rows.filter(tier=tier.source_seconds, timestamp__gte=start, timestamp__lt=start + tier.width_seconds)
        if (made or 0) > (bucket.aggregate(points=Sum("points"))["points"] or 0):
            return True
    return False
