"""The worst tick of each bucket: of raw points that at which the machine used most, of roll-ups the worst of theirs."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from metrics.models import ProcessSample, ProcessTotals
from metrics.models.sql import column, execute_many, fetch, places, select, select_range, sum_of, table, update
from metrics.models.worst_ticks import MACHINE, WorstTick, highest, worse, worst_column
from metrics.retention.buckets import Buckets
from metrics.tiers import RAW

# By start of the bucket and by order.
WorstTicks = Mapping[int, Mapping[str, WorstTick]]


def roll_up_worst_ticks(buckets: Buckets) -> WorstTicks:
    """Keep the worst ticks in the totals of each bucket, which are there already, and return them."""
    found = _of_raw(buckets) if buckets.tier.source_seconds == RAW else _of_roll_ups(buckets)
    statement = update(
        ProcessTotals, [worst_column(order) for order in MACHINE], "host_id = %s AND tier = %s AND timestamp = %s"
    )
    bucket = (buckets.host.pk, buckets.tier.width_seconds)
    execute_many(statement, [(*_packed(ticks), *bucket, start) for start, ticks in found.items()])
    return found


def culprits(ticks: Mapping[str, WorstTick]) -> set[int]:
    """The ids of the processes of a bucket's worst ticks: each has a row in the bucket, so that it stays known."""
    return {process for tick in ticks.values() for process, _used in tick.processes}


def _packed(ticks: Mapping[str, WorstTick]) -> list[bytes | None]:
    return [ticks[order].packed() if order in ticks else None for order in MACHINE]


def _of_roll_ups(buckets: Buckets) -> WorstTicks:
    columns = ["timestamp", *(worst_column(order) for order in MACHINE)]
    found: dict[int, dict[str, WorstTick]] = defaultdict(dict)
    for at, *packed in fetch(*select_range(ProcessTotals, buckets.source, columns)):
        of_bucket = found[at - at % buckets.tier.width_seconds]
        for order, data in zip(MACHINE, packed, strict=True):
            if tick := worse(of_bucket.get(order), WorstTick.unpacked(data)):
                of_bucket[order] = tick
    return found


def _of_raw(buckets: Buckets) -> WorstTicks:
    totals = {order: _highest_totals(buckets, order) for order in MACHINE}
    used = _used_at(buckets, {at for by_bucket in totals.values() for at, _total in by_bucket.values()})
    found: dict[int, dict[str, WorstTick]] = defaultdict(dict)
    for place, (order, by_bucket) in enumerate(totals.items()):
        for start, (at, total) in by_bucket.items():
            processes = highest([(process, values[place]) for process, *values in used.get(at, [])])
            found[start][order] = WorstTick(at, total, processes)
    return found


def _highest_totals(buckets: Buckets, order: str) -> dict[int, tuple[int, int]]:
    """By start of the bucket: when the machine used most, and how much as it is stored; the first of even ones."""
    model, names = MACHINE[order]
    columns = ["timestamp", *(column(model._meta.get_field(name)) for name in names)]
    found: dict[int, tuple[int, int]] = {}
    for at, *values in fetch(*select_range(model, buckets.source, columns, order_by="timestamp")):
        known = [value for value in values if value is not None]
        start = at - at % buckets.tier.width_seconds
        if known and (start not in found or sum(known) > found[start][1]):
            found[start] = at, sum(known)
    return found


def _used_at(buckets: Buckets, moments: Collection[int]) -> dict[int, list[tuple[int, ...]]]:
    """By time: each process with what it used of all that an order ranks by, in the order of MACHINE."""
    if not moments:
        return {}
    times = sorted(moments)
    columns = ["timestamp", "process_id", *(_used(ProcessSample.orders[order]) for order in MACHINE)]
    where = f"host_id = %s AND tier = {RAW} AND timestamp IN ({places(times)})"
    found: dict[int, list[tuple[int, ...]]] = defaultdict(list)
    for at, *used in fetch(select(columns, table(ProcessSample), where), [buckets.host.pk, *times]):
        found[at].append(tuple(used))
    return found


def _used(names: Iterable[str]) -> str:
    return sum_of(column(ProcessSample._meta.get_field(name)) for name in names)
