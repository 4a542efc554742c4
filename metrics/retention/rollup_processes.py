"""Roll-ups of processes: in each bucket the highest of each order, and one row for all others.

A process that is not among a tick's samples used nothing worth keeping, so that its CPU and I/O are averaged over all
the time that was recorded, not over its own: means times time add up to the machine's. Memory is averaged over the time
at which the process was seen.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from metrics.models import CpuSample, Host, Process, ProcessSample, ProcessTotals
from metrics.models.fields import Rate
from metrics.models.inserts import insert_stored
from metrics.models.sql import TierRange, column, delete, execute, fetch, in_range, select, select_range, table
from metrics.retention.buckets import Buckets, Columns, averaged_fields
from metrics.retention.rollup_worst_ticks import culprits, roll_up_worst_ticks

# Who the row for all others points to: no real process has this pid and start.
OTHERS_NAME = "(all others)"
Stored = dict[str, Any]
# A process in a bucket: its id, then of each averaged field, in their order, the sum weighted by seconds of a rate or
# the mean of a level, and the maximum. What comes after these is not looked at.
Sums = tuple[Any, ...]
# A row for the table, its values in the order of `row_names`.
Row = tuple[Any, ...]
# One value of each process of a bucket.
Column = Sequence[Any]


class Bucket(NamedTuple):
    """What all processes used together in a bucket, as it is stored."""

    start: int
    covered: int
    points: int
    totals: Stored


def roll_up_processes(buckets: Buckets, columns: Columns) -> None:
    """Compute the rows of buckets anew; a process that is no longer among the highest loses its row."""
    where, values = in_range(buckets.made)
    execute(delete(ProcessSample, where), values)
    known = _buckets(buckets)
    if not known:
        return
    others, worst = others_of(buckets.host), roll_up_worst_ticks(buckets)
    by_bucket = _summed(buckets, columns, others)
    rows = [
        list(
            rows_of_bucket(
                bucket, by_bucket.get(bucket.start, []), buckets, others, culprits(worst.get(bucket.start, {}))
            )
        )
        for bucket in known
    ]
    insert_stored(ProcessSample, row_names(), [row for of_bucket in rows for row in of_bucket])
    used = [(bucket.start, cpu_by_process(found)) for bucket, found in zip(known, rows, strict=True)]
    ProcessTotals.keep_cpu_by_process(buckets.host.pk, buckets.tier.width_seconds, used)


def others_of(host: Host) -> int:
    """The id of the identity that stands for all processes without a row of their own."""
    found = fetch(select(["id"], table(Process), "host_id = %s AND pid = 0 AND started_at = 0"), [host.pk])
    if found:
        return int(found[0][0])
    identity, _is_new = Process.objects.get_or_create(host=host, pid=0, started_at=0, defaults={"name": OTHERS_NAME})
    return int(identity.pk)


@lru_cache
def row_names() -> tuple[str, ...]:
    """The fields of a row, in the order of its values."""
    averaged = [name for field in averaged_fields(ProcessSample) for name in (field.name, f"{field.name}_max")]
    common = ("host", "tier", "timestamp", "resolution", "points", "covered_seconds", "status")
    return (*common, "process", *averaged)


def rows_of_bucket(
    bucket: Bucket, processes: Sequence[Sums], buckets: Buckets, others: int, kept: Collection[int]
) -> Iterator[Row]:
    """The rows of a bucket, as they are stored. `processes` come in the order of their ids; those that are `kept` have
    a row however little they used."""
    width = buckets.tier.width_seconds
    common = (buckets.host.pk, width, bucket.start, width, bucket.points, bucket.covered, "")
    means = _means(processes, bucket.covered)
    rows = list(zip(*means, strict=True))
    chosen = [rows[index] for index in _highest(means, buckets.tier.top_processes)]
    if missing := set(kept).difference(row[0] for row in chosen):
        chosen += [row for row in rows if row[0] in missing]
    for row in chosen:
        yield common + row
    yield (*common, others, *_rest(bucket.totals, chosen))


def cpu_by_process(rows: Sequence[Row]) -> dict[int, int]:
    """Who used the CPU in a bucket, from its rows; the last of these is for all others."""
    return ProcessTotals.cpu_used(row_names(), rows[:-1])


def _means(processes: Sequence[Sums], covered: int) -> list[Column]:
    """The ids, then means and maxima of each averaged field: a rate over all the time, a level over the process' own.

    Column by column: a day has 250,000 means, and going from process to process took three times as long.
    """
    if not processes:
        return []
    columns = list(zip(*processes, strict=True))
    means: list[Column] = [columns[0]]
    for place, is_rate in _layout():
        sums, maxima = columns[place : place + 2]
        means += (_rates(sums, covered) if is_rate else _levels(sums), maxima)
    return means


def _rates(totals: Column, covered: int) -> Column:
    # Most processes read and write nothing: what is 0 need not be divided.
    return [total and round(total / covered) for total in totals]


def _levels(means: Column) -> Column:
    return [None if mean is None else round(mean) for mean in means]


@lru_cache
def _layout() -> list[tuple[int, bool]]:
    """Each averaged field: the place of its sum or mean, and whether it is averaged over all the time."""
    fields = averaged_fields(ProcessSample)
    return [(1 + 2 * number, isinstance(field, Rate)) for number, field in enumerate(fields)]


def _highest(means: Sequence[Column], count: int) -> Iterable[int]:
    """Where those are that are among the highest of any order, of those that used anything of it."""
    chosen: dict[int, None] = {}
    for places in _places_of_orders() if means else ():
        totals = _totals([means[place] for place in places])
        ranked = sorted(range(len(totals)), key=totals.__getitem__, reverse=True)
        chosen |= dict.fromkeys([index for index in ranked[:count] if totals[index]])
    return chosen


def _totals(means: Sequence[Column]) -> list[int]:
    """What each process used of all that an order counts."""
    totals = [value or 0 for value in means[0]]
    for more in means[1:]:
        totals = [total + (value or 0) for total, value in zip(totals, more, strict=True)]
    return totals


@lru_cache
def _places_of_orders() -> list[list[int]]:
    """For each order the places of its means in what `_means` makes."""
    names = [field.name for field in averaged_fields(ProcessSample)]
    return [[1 + 2 * names.index(name) for name in order] for order in ProcessSample.orders.values()]


def _rest(totals: Stored, chosen: Sequence[Row]) -> Iterator[int | None]:
    """What is left for all others: mean and maximum of each averaged field; no maximum is known of a rest."""
    columns = list(zip(*chosen, strict=True))
    for place, field in enumerate(averaged_fields(ProcessSample)):
        total = totals.get(field.name)
        known = filter(None, columns[1 + 2 * place]) if chosen else ()
        yield None if total is None else max(0, total - sum(known))
        yield None


def _summed(buckets: Buckets, columns: Columns, others: int) -> dict[int, list[Sums]]:
    """The processes of each bucket, by its start."""
    found: dict[int, list[Sums]] = defaultdict(list)
    width = buckets.tier.width_seconds
    _where, values = in_range(buckets.source)
    for sums in fetch(_sums_statement(columns), [width, *values, others]):
        found[sums[-1] * width].append(sums)
    return found


@lru_cache
def _sums_statement(columns: Columns) -> str:
    sums = []
    for field in averaged_fields(ProcessSample):
        name = column(field)
        # A rate is averaged over all the time, which the process' own rows do not say.
        sums.append(columns.weighted_sum(name) if isinstance(field, Rate) else columns.mean(name))
        sums.append(f"MAX({columns.extreme(field, 'max')})")
    # The process first: SQLite sorts faster by what tells most rows apart.
    places, order = ("process_id", "bucket"), "process_id, bucket"
    where, _values = in_range(TierRange(0, 0, 0, 0))
    read = ["process_id", *sums, "timestamp / %s AS bucket"]
    return select(read, table(ProcessSample), f"{where} AND process_id <> %s", group_by=places, order_by=order)


def _buckets(buckets: Buckets) -> list[Bucket]:
    """The buckets in which processes were counted, from the roll-up of the totals, which comes first."""
    names = [column(ProcessTotals._meta.get_field(name)) for name in ProcessTotals.summed]
    rows = fetch(*select_range(ProcessTotals, buckets.made, ["timestamp", "covered_seconds", "points", *names]))
    machine = _machine_cpu(buckets)
    return [
        bucket_of(start, covered, points, dict(zip(ProcessTotals.summed, totals, strict=True)), machine.get(start))
        for start, covered, points, *totals in rows
    ]


def bucket_of(start: int, covered: int, points: int, totals: Stored, machine_cpu: int | None) -> Bucket:
    """The machine's CPU time is more than its processes' and their children's where nobody waited for one that lived
    and died between two ticks."""
    of_processes = None if machine_cpu is None else machine_cpu - (totals["children_cpu_percent"] or 0)
    cpu = [value for value in (totals["cpu_percent"], of_processes) if value is not None]
    return Bucket(start, covered, points, {**totals, "cpu_percent": max(cpu, default=None)})


def _machine_cpu(buckets: Buckets) -> dict[int, int]:
    """By start of the bucket: the CPU in use on all cores, in the unit of a process's `cpu_percent`."""
    percent = CpuSample._meta.get_field("percent")
    unit = (buckets.host.logical_cores or 1) * ProcessSample._meta.get_field("cpu_percent").scale
    rows = fetch(*select_range(CpuSample, buckets.made, ["timestamp", "percent"]))
    return {start: round(percent.decode(stored) * unit) for start, stored in rows if stored is not None}
