"""The processes of the newest tick, of which more are known than of any older one."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from metrics.history.metadata import output_names
from metrics.models import Host, NewestProcesses, Process, ProcessSample
from metrics.models.fields import NumberField
from metrics.models.sql import Row, fetch, places, select, table

Stored = dict[str, Any]


class NewestTick(NamedTuple):
    """When the newest processes were read, and their rows, as they are stored."""

    timestamp: int
    rows: list[Stored]


def newest_processes(host: Host) -> NewestTick | None:
    """None where none were ever read."""
    kept = NewestProcesses.objects.filter(host=host).first()
    return NewestTick(int(kept.timestamp.timestamp()), NewestProcesses.decoded(kept.rows)) if kept else None


def ranked(rows: Iterable[Stored], sort_by: str, limit: int, identity: Collection[str]) -> list[Row]:
    """The highest, as `processes` reads them from samples: id, the columns of the identity, and the values."""
    orders = (sort_by, "cpu", "memory")

    def place(row: Stored) -> tuple[int, ...]:
        # One that a version stored which had fewer fields lacks some.
        used = [sum([row.get(name) or 0 for name in ProcessSample.orders[order]]) for order in orders]
        return *[-total for total in used], row["process"]

    highest = sorted(rows, key=place)[:limit]
    identities = _identities([row["process"] for row in highest], identity)
    fields = [_field(name) for name in output_names(ProcessSample, None, maxima=False)]
    return [
        (*identities[row["process"]], *[_decoded(field, row.get(field.name)) for field in fields])
        for row in highest
        if row["process"] in identities
    ]


def _identities(ids: Collection[int], names: Iterable[str]) -> dict[int, Row]:
    """By id: the id itself and the columns of the identity."""
    if not ids:
        return {}
    wanted = list(ids)
    rows = fetch(select(("id", *names), table(Process), f"id IN ({places(wanted)})"), wanted)
    return {row[0]: row for row in rows}


def _field(name: str) -> Any:
    return ProcessSample._meta.get_field(name)


def _decoded(field: Any, stored: Any) -> Any:
    return field.decode(stored) if isinstance(field, NumberField) and stored is not None else stored
