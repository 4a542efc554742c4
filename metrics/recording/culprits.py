"""Copies of the processes of the newest stored tick, for an event that has to name somebody."""

from collections.abc import Mapping
from typing import Any

from metrics.models import Host, NewestProcesses, Process, ProcessSample
from metrics.models.events import Culprit
from metrics.models.fields import NumberField

# Of each order; the highest by memory come first.
KEPT = {"memory": 5, "cpu": 3, "io": 2}
VALUES = (
    *("cpu_percent", "children_cpu_percent", "memory_percent"),
    *("rss_bytes", "read_bytes_per_second", "write_bytes_per_second"),
)


def culprits_of_tick(host: Host, timestamp: int) -> list[Culprit]:
    """The highest processes of a tick, where it is the newest one that is stored; none otherwise."""
    kept = NewestProcesses.objects.filter(host=host, timestamp=timestamp).first()
    rows = NewestProcesses.decoded(kept.rows) if kept else []
    chosen: dict[int, Mapping[str, Any]] = {}
    for order, number in KEPT.items():
        names = ProcessSample.orders[order]
        ranked = sorted(rows, key=lambda row: -sum(row.get(name) or 0 for name in names))
        chosen |= {row["process"]: row for row in ranked[:number]}
    processes = Process.objects.in_bulk(chosen)
    return [_culprit(processes[pk], row) for pk, row in chosen.items() if pk in processes]


def _culprit(process: Process, row: Mapping[str, Any]) -> Culprit:
    values = {name: _decoded(name, row.get(name)) for name in VALUES}
    return Culprit(process.pid, process.name, process.username, command=process.command, **values)


def _decoded(name: str, stored: Any) -> Any:
    field = ProcessSample._meta.get_field(name)
    return field.decode(stored) if isinstance(field, NumberField) and stored is not None else stored
