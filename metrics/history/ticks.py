"""Ticks in the order in which they were stored, with all that was recorded at them: what is forwarded elsewhere."""

import zlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from metrics.history.metadata import all_tables
from metrics.history.points import convert, converters
from metrics.history.readings import Recorded
from metrics.models import Host, ProcessSample, Sample, Tick, TickReading
from metrics.models.present import not_ahead
from metrics.models.sql import decoded_columns, fetch, places, select, table
from metrics.tiers import RAW


class StoredTick(NamedTuple):
    """A tick and the number of its row: a tick that had to wait for the database has an old time and a new row."""

    row: int
    timestamp: int
    resolution: int
    lag_seconds: float
    duration_seconds: float


def ticks_after(host: Host, row: int, most: int) -> list[StoredTick]:
    """The ticks that were stored next after a row, in that order, without what lies ahead: elsewhere it would count as
    the newest for ever."""
    names = ("pk", "timestamp", "resolution", "lag_milliseconds", "duration_milliseconds")
    rows = not_ahead(Tick.objects.filter(host=host, pk__gt=row)).order_by("pk").values_list(*names)[:most]
    return [
        StoredTick(pk, int(time.timestamp()), resolution, lag / 1000, duration / 1000)
        for pk, time, resolution, lag, duration in rows
    ]


def shipped_tables() -> list[type[Sample]]:
    """Every table but that of single processes, each of which would be a series of its own for ever."""
    return [model for model in all_tables() if model is not ProcessSample]


def samples_at(host: Host, model: type[Sample], timestamps: Sequence[int]) -> list[dict[str, Any]]:
    """The raw samples of a table at some moments: `timestamp` and every field of it."""
    names = tuple(field.name for field in model.measures())
    columns = ["timestamp", *decoded_columns(model, names)]
    where = f"host_id = %s AND tier = %s AND timestamp IN ({places(timestamps)})"
    statement = select(columns, table(model), where, order_by="timestamp")
    functions = converters(model, names)
    rows = fetch(statement, (host.pk, RAW, *timestamps))
    return [convert(dict(zip(("timestamp", *names), row, strict=True)), functions) for row in rows]


def readings_at(host: Host, ticks: Sequence[StoredTick]) -> Iterator[Recorded]:
    """What was read at ticks, without single processes; nothing for a tick of which no reading was kept."""
    by_time = {tick.timestamp: tick for tick in ticks}
    for kept in TickReading.objects.filter(host=host, timestamp__in=list(by_time)).order_by("timestamp"):
        tick = by_time[int(kept.timestamp.timestamp())]
        rows = orjson.loads(zlib.decompress(kept.rows))
        yield Recorded(tick.timestamp, tick.resolution, tick.lag_seconds, tick.duration_seconds, rows)
