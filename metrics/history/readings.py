"""The newest raw readings: counters and not rates, for exporters that compute rates themselves."""

import time
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db.models import F

from metrics import conf
from metrics.history.newest import Moment, is_fresh, newest_tick
from metrics.models import CollectorState, Host, NewestReading, ProcessSample, Tick

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the recorder kept of a tick; `rows` by kind.

    Of the newest also how things stand: `outcomes` has one row a family, `age_seconds` is that of the tick. What is too
    old to be shown as of now, a family whose collector hangs or all of them while nobody records, has no rows.
    """

    timestamp: int
    resolution: int
    lag_seconds: float
    duration_seconds: float
    rows: dict[str, Rows]
    outcomes: Rows = field(default_factory=list)
    is_fresh: bool = True
    age_seconds: float | None = None


def read_newest(host: Host) -> Recorded | None:
    """The newest tick as it was read, without the rows of single processes; None before the first tick."""
    newest = newest_tick(host)
    if newest is None:
        return None
    tick = Tick.objects.get(host=host, timestamp=newest.timestamp)
    kept = {
        reading.family: reading for reading in NewestReading.objects.filter(host=host) if _is_of_now(reading, newest)
    }
    rows = {
        kind: found
        for reading in kept.values()
        for kind, found in orjson.loads(reading.rows).items()
        if kind != ProcessSample.kind
    }
    return Recorded(
        newest.timestamp,
        newest.resolution,
        tick.lag_milliseconds / 1000,
        tick.duration_milliseconds / 1000,
        rows,
        _outcomes(host, newest),
        is_fresh(newest),
        round(time.time() - newest.timestamp, 3),
    )


def _is_of_now(reading: NewestReading, newest: Moment) -> bool:
    """Whether a reading is not much older than the newest tick, and that one not too old itself."""
    behind_seconds = abs(newest.timestamp - reading.timestamp.timestamp())
    return is_fresh(newest) and behind_seconds <= conf.stale_after_seconds(newest.resolution)


def _outcomes(host: Host, newest: Moment) -> Rows:
    """A row a family, as of the newest tick; while nobody records, each is a failure."""
    states = CollectorState.objects.filter(host=host).order_by("family")
    rows = states.values("family", "outcome", "runs", "failures", milliseconds=F("duration_milliseconds"))
    return [
        {**row, "is_delivering": is_fresh(newest) and row["outcome"] != CollectorState.Outcome.FAILED} for row in rows
    ]
