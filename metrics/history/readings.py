"""The newest raw readings: counters and not rates, for exporters that compute rates themselves."""

from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db.models import F

from metrics.history.newest import newest_tick
from metrics.models import CollectorState, Host, NewestReading, ProcessSample, Tick

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the recorder kept of a tick; `rows` by kind.

    Of the newest also how things stand: `outcomes` has one row a family.
    """

    timestamp: int
    resolution: int
    lag_seconds: float
    duration_seconds: float
    rows: dict[str, Rows]
    outcomes: Rows = field(default_factory=list)


def read_newest(host: Host) -> Recorded | None:
    """The newest tick as it was read, without the rows of single processes; None before the first tick."""
    newest = newest_tick(host)
    if newest is None:
        return None
    tick = Tick.objects.get(host=host, timestamp=newest.timestamp)
    kept = NewestReading.objects.filter(host=host).values_list("rows", flat=True)
    rows = {kind: found for text in kept for kind, found in orjson.loads(text).items() if kind != ProcessSample.kind}
    states = CollectorState.objects.filter(host=host).order_by("family")
    outcomes = states.values("family", "outcome", "runs", "failures", milliseconds=F("duration_milliseconds"))
    seconds = tick.lag_milliseconds / 1000, tick.duration_milliseconds / 1000
    return Recorded(newest.timestamp, newest.resolution, *seconds, rows, [dict(row) for row in outcomes])
