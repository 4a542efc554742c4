"""The worst tick of a bucket: when the machine used most, how much, and who did."""

from collections.abc import Iterable
from itertools import takewhile
from typing import Any

from metrics.history.points import Point
from metrics.models import Process, ProcessSample, ProcessTotals
from metrics.models.fields import NumberField
from metrics.models.sql import TierRange, fetch, places, select, select_range, table
from metrics.models.worst_ticks import MACHINE, WorstTick, worst_column


def total_name(order: str) -> str:
    """What the machine's total of an order is called: what the names of its fields have in common at their end."""
    _model, names = MACHINE[order]
    return _common_ending(names)


def used_name(order: str) -> str:
    """What a process used by an order is called, children included: as above."""
    return _common_ending(ProcessSample.orders[order])


def _common_ending(names: Iterable[str]) -> str:
    words = [name.split("_")[::-1] for name in names]
    shared = takewhile(lambda same: len(set(same)) == 1, zip(*words, strict=False))
    return "_".join([same[0] for same in shared][::-1])


def read_worst_ticks(bucket: TierRange) -> dict[str, WorstTick]:
    """The worst tick of one bucket by each order, as stored; of a bucket of an older version none is known."""
    columns = [worst_column(order) for order in MACHINE]
    rows = fetch(*select_range(ProcessTotals, bucket, columns))
    ticks = zip(MACHINE, map(WorstTick.unpacked, rows[0]), strict=True) if rows else ()
    return {order: tick for order, tick in ticks if tick}


def worst_points(ticks: dict[str, WorstTick]) -> dict[str, Point | None]:
    """The same for people: by order the time, the machine's total, and the processes with what each used."""
    ids = list({process for tick in ticks.values() for process, _used in tick.processes})
    columns = ("id", "pid", "name", "username")
    rows = fetch(select(columns, table(Process), f"id IN ({places(ids)})"), ids) if ids else []
    known = {row[0]: dict(zip(columns, row, strict=True)) for row in rows}
    return {order: _point(order, ticks[order], known) if order in ticks else None for order in MACHINE}


def _point(order: str, tick: WorstTick, known: dict[int, dict[str, Any]]) -> Point:
    model, names = MACHINE[order]
    total: NumberField = model._meta.get_field(names[0])  # type: ignore[assignment]
    processes = [
        {**known[process], used_name(order): _field(order).decode(used)}
        for process, used in tick.processes
        if process in known
    ]
    return {"timestamp": tick.timestamp, total_name(order): total.decode(tick.total), "processes": processes}


def _field(order: str) -> Any:
    return ProcessSample._meta.get_field(ProcessSample.orders[order][0])
