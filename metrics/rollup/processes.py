"""Roll-ups of processes: in each bucket the highest of each order, and one row for all others.

A process that is not among a tick's samples used nothing worth keeping, so that its CPU and I/O are averaged over all
the time that was recorded, not over its own: means times time add up to the machine's. Memory is averaged over the time
at which the process was seen.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection

from metrics.models import CpuSample, Host, Process, ProcessSample, ProcessTotals
from metrics.models.fields import Rate
from metrics.models.inserts import insert
from metrics.rollup.statements import SOURCE, Columns, Stretch, averaged_fields, quoted, source_columns, table

# Who the row for all others points to: no real process has this pid and start.
OTHERS_NAME = "(all others)"
Stored = dict[str, Any]


class Bucket(NamedTuple):
    """What all processes used together in a bucket, as it is stored."""

    start: int
    covered: int
    points: int
    totals: Stored


def roll_up_processes(stretch: Stretch) -> None:
    """Compute the rows of a stretch anew; a process that is no longer among the highest loses its row."""
    _delete(stretch)
    buckets = _buckets(stretch)
    if not buckets:
        return
    others = others_of(stretch.host)
    by_bucket = _summed(stretch, others.pk)
    rows: list[Stored] = []
    for bucket in buckets:
        rows += rows_of_bucket(bucket, by_bucket.get(bucket.start, []), stretch, others.pk)
    insert(ProcessSample, rows, are_stored=True)


def others_of(host: Host) -> Process:
    """The identity that stands for all processes without a row of their own."""
    identity, _is_new = Process.objects.get_or_create(host=host, pid=0, started_at=0, defaults={"name": OTHERS_NAME})
    return identity


def rows_of_bucket(bucket: Bucket, processes: list[Stored], stretch: Stretch, others: int) -> Iterator[Stored]:
    """The rows of a bucket, as they are stored. `processes` are sums by process, in the order of their ids: `process`
    and, by field, (sum weighted by seconds, seconds for which it is known, maximum)."""
    common = {
        "host": stretch.host.pk,
        "tier": stretch.tier.width_seconds,
        "timestamp": bucket.start,
        "resolution": stretch.tier.width_seconds,
        "points": bucket.points,
        "covered_seconds": bucket.covered,
        "status": "",
    }
    means = [_means(process, bucket.covered) for process in processes]
    chosen = _highest(means, stretch.tier.top_processes)
    for values in chosen:
        yield {**common, **values}
    rest = {name: _rest(total, chosen, name) for name, total in bucket.totals.items()}
    yield {**common, "process": others, **_null_values(), **rest}


def _highest(processes: list[Stored], count: int) -> list[Stored]:
    """The union of the highest of each order, of those that used anything of it."""
    chosen: dict[int, Stored] = {}
    for names in ProcessSample.orders.values():
        totals = [sum([process[name] or 0 for name in names]) for process in processes]
        ranked = sorted(range(len(totals)), key=totals.__getitem__, reverse=True)
        for place in ranked[:count]:
            if totals[place]:
                chosen[processes[place]["process"]] = processes[place]
    return list(chosen.values())


def _rest(total: int | None, chosen: Iterable[Stored], name: str) -> int | None:
    return None if total is None else max(0, total - sum(process[name] or 0 for process in chosen))


def _null_values() -> Stored:
    return {name: None for field in averaged_fields(ProcessSample) for name in (field.name, f"{field.name}_max")}


def _means(process: Stored, covered: int) -> Stored:
    """From sums to the columns of a row."""
    values: Stored = {"process": process["process"]}
    for name, name_max, is_rate in _layout():
        total, known, highest = process[name]
        seconds = covered if is_rate else known
        values[name] = round(total / seconds) if total is not None and seconds else None
        values[name_max] = highest
    return values


@lru_cache
def _layout() -> list[tuple[str, str, bool]]:
    """Each averaged field: its column, that of its maximum, and whether it is averaged over all the time."""
    fields = averaged_fields(ProcessSample)
    return [(field.name, f"{field.name}_max", isinstance(field, Rate)) for field in fields]


def _summed(stretch: Stretch, others: int) -> dict[int, list[Stored]]:
    """By start of the bucket: each process with (weighted sum, known seconds, maximum) of each field."""
    found: dict[int, list[Stored]] = defaultdict(list)
    names = [field.name for field in averaged_fields(ProcessSample)]
    with connection.cursor() as cursor:
        cursor.execute(
            _sums_statement(source_columns(stretch.tier)), [stretch.tier.width_seconds, *stretch.source, others]
        )
        for start, process, *values in cursor.fetchall():
            # The same iterator three times: its values by threes.
            triples = zip(*[iter(values)] * 3, strict=True)
            found[start].append({"process": process, **dict(zip(names, triples, strict=True))})
    return found


@lru_cache
def _sums_statement(columns: Columns) -> str:
    sums = []
    for field in averaged_fields(ProcessSample):
        name = quoted(field)
        # A rate is averaged over all the time, so nobody asks for how much of it is known.
        known = "0" if isinstance(field, Rate) else columns.known_seconds(name)
        sums += [columns.weighted_sum(name), known, f"MAX({columns.extreme(field, 'max')})"]
    return (
        f"SELECT timestamp - timestamp %% %s AS start, process_id, {', '.join(sums)} FROM {table(ProcessSample)}"  # noqa: S608
        f" WHERE {SOURCE} AND process_id <> %s GROUP BY start, process_id"
    )


def _buckets(stretch: Stretch) -> list[Bucket]:
    """The buckets in which processes were counted, from the roll-up of the totals, which comes first."""
    names = [quoted(ProcessTotals._meta.get_field(name)) for name in ProcessTotals.summed]
    statement = (
        f"SELECT timestamp, covered_seconds, points, {', '.join(names)} FROM {table(ProcessTotals)} WHERE {SOURCE}"  # noqa: S608
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, _made(stretch))
        rows = cursor.fetchall()
    machine = _machine_cpu(stretch)
    return [
        bucket_of(start, covered, points, dict(zip(ProcessTotals.summed, totals, strict=True)), machine.get(start))
        for start, covered, points, *totals in rows
    ]


def bucket_of(start: int, covered: int, points: int, totals: Stored, machine_cpu: int | None) -> Bucket:
    """The machine's CPU time is more than its processes' where some lived and died between two ticks."""
    cpu = [value for value in (totals["cpu_percent"], machine_cpu) if value is not None]
    return Bucket(start, covered, points, {**totals, "cpu_percent": max(cpu, default=None)})


def _machine_cpu(stretch: Stretch) -> dict[int, int]:
    """By start of the bucket: the CPU in use on all cores, in the unit of a process's `cpu_percent`."""
    samples = CpuSample.objects.filter(
        host=stretch.host, tier=stretch.tier.width_seconds, timestamp__gte=stretch.start, timestamp__lt=stretch.end
    )
    cores = stretch.host.logical_cores or 1
    scale = ProcessSample._meta.get_field("cpu_percent").scale
    rows = samples.exclude(percent=None).values_list("timestamp", "percent")
    return {int(moment.timestamp()): round(percent * cores * scale) for moment, percent in rows}


def _delete(stretch: Stretch) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table(ProcessSample)} WHERE {SOURCE}", _made(stretch))  # noqa: S608


def _made(stretch: Stretch) -> tuple[int, int, int, int]:
    """The values for SOURCE that name the roll-up rows of the stretch itself."""
    return stretch.host.pk, stretch.tier.width_seconds, stretch.start, stretch.end
