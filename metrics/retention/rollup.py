"""What has to be rolled up, and doing it in transactions that hold up nobody."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from django.db import transaction
from django.db.models import Sum

from metrics.models import Host, ProcessSample, RollUpState, Tick
from metrics.models.present import last_present_moment, not_ahead
from metrics.models.samples import sample_models
from metrics.models.sql import fetch, nested, select, table, union
from metrics.retention.buckets import Buckets, roll_up_table, source_columns
from metrics.retention.rollup_lists import roll_up_lists
from metrics.retention.rollup_others import roll_up_others
from metrics.retention.rollup_processes import roll_up_processes
from metrics.tiers import RAW, Tier, tiers

# Ticks looked at in one go; buckets that one transaction writes, and points of time that it makes them from, whatever
# the interval: some twenty milliseconds.
MAX_TICKS = 20_000
MAX_BUCKETS = 30
MAX_SOURCES = 360


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
    for tier in tiers():
        for buckets in changed_buckets(host, tier, _made_here(state, tier, times)):
            roll_up_buckets(buckets)
        # Each is made of what was made before it.
        times = {time - time % tier.width_seconds for time in times}
    RollUpState.objects.filter(pk=state.pk).update(last_tick=ticks[-1][0], newest=newest)
    return len(ticks)


def _ticks_after(host: Host, last_tick: int) -> list[tuple[int, int]]:
    """The ids and times of ticks that were stored after another one, in the order of their ids."""
    statement = select(["id", "timestamp"], table(Tick), "host_id = %s AND id > %s", order_by="id", limit=True)
    return [(pk, timestamp) for pk, timestamp in fetch(statement, [host.pk, last_tick, MAX_TICKS])]


def _newest_of_the_present(host: Host, state: RollUpState) -> int | None:
    """The newest moment that was rolled up; looked up anew where the clock was ahead then, and was set back since."""
    newest = None if state.newest is None else int(state.newest.timestamp())
    if newest is None or newest <= last_present_moment():
        return newest
    before = not_ahead(Tick.objects.filter(host=host, pk__lte=state.last_tick)).order_by("-timestamp").first()
    return None if before is None else int(before.timestamp.timestamp())


def _made_here(state: RollUpState, tier: Tier, times: set[int]) -> set[int]:
    """The times whose bucket is made here, and not together with those of an older version (conversion.py)."""
    if state.converted_from is None or tier.source_seconds == RAW:
        return times
    return {time for time in times if time >= state.converted_from.timestamp()}


def roll_up_buckets(buckets: Buckets) -> None:
    """Compute every table's rows of some buckets."""
    with transaction.atomic():
        columns = source_columns(buckets)
        for model in sample_models():
            if model is not ProcessSample:
                roll_up_table(model, buckets, columns)
                roll_up_lists(model, buckets, columns)
                roll_up_others(model, buckets, columns)
        # Last: the row for all others is what is left of the machine's total.
        roll_up_processes(buckets, columns)


def roll_up_again(host: Host, tier: Tier, start: int, end: int) -> None:
    """Compute every bucket of a tier that touches a stretch of time anew."""
    width = tier.width_seconds
    after = -(-end // width) * width
    for first in range(start - start % width, after, MAX_BUCKETS * width):
        roll_up_buckets(Buckets(host, tier, first, min(first + MAX_BUCKETS * width, after)))


def changed_buckets(host: Host, tier: Tier, times: Iterable[int]) -> Iterator[Buckets]:
    """The buckets in which the times lie, neighbours joined, without those whose source is partly gone."""
    width = tier.width_seconds
    # Without a source of its own a time is that of a raw point.
    sources = Counter(time - time % width for time in {time - time % (tier.source_seconds or 1) for time in times})
    closed = _closed(host, tier, sources)
    joined: list[int] = []
    for start in sorted(sources.keys() - closed):
        if joined and not _may_join(joined, start, width, sources):
            yield Buckets(host, tier, joined[0], joined[-1] + width)
            joined = []
        joined.append(start)
    if joined:
        yield Buckets(host, tier, joined[0], joined[-1] + width)


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
    # One statement: it is asked six times a minute, and one for each table, made by Django, took 1.4 ms.
    columns, where, values = ["MIN(timestamp) AS oldest"], "host_id = %s AND tier = %s", [host.pk, tier_seconds]
    each, parameters = union((select(columns, table(model), where), values) for model in sample_models())
    [(oldest,)] = fetch(select(["MIN(oldest)"], nested(each, "found")), parameters)
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
