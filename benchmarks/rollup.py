"""How long a day of raw points takes to be rolled up, and how long its transactions hold the database."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db import connection
from django.db.models import Model

from benchmarks.figures import Figure, milliseconds, seconds_of, tell
from benchmarks.program import now
from metrics.models import Host, RollUpState, Tick
from metrics.models.samples import sample_models
from metrics.retention import rollup
from metrics.retention.buckets import Buckets
from metrics.simulation.history import History
from metrics.simulation.hosts import clear
from metrics.simulation.machine import Machine

NAME = "benchmark-day"
HOUR, DAY = 3600, 86_400


def figures() -> Iterator[Figure]:
    """Three runs over the same day, and one minute of it many times."""
    host = day_of_raw_points()
    durations, transactions = [], []
    for _ in range(3):
        forget_roll_ups(host)
        durations.append(seconds_of(lambda: timed_roll_up(host, transactions)))
    ticks = Tick.objects.filter(host=host).count()
    minute = milliseconds(newest_minute_again(host))
    clear(NAME)
    durations.sort()
    yield Figure("roll-up", f"a day of raw points ({ticks} ticks)", durations[1], "s", 1)
    yield Figure("roll-up", "its longest transaction", max(transactions) * 1000, "ms", 100)
    yield Figure("roll-up", "a minute, as it comes every minute", minute, "ms", 20)


def day_of_raw_points() -> Host:
    """An hour that was played, copied twenty-four times: processes and all."""
    clear(NAME)
    end = now() // DAY * DAY - 5
    history = History(Machine(NAME), end + 5 - HOUR, end, every_tick=True)
    for _start in history.write():
        pass
    for hours in range(1, 24):
        for model in (*sample_models(), Tick):
            _copy(model, history.host, hours * HOUR, end - HOUR)
    return history.host


def _copy(model: type[Model], host: Host, seconds: int, after: int) -> None:
    names = [field.column for field in model._meta.concrete_fields if field.column != "id"]
    chosen = [f"timestamp - {seconds}" if name == "timestamp" else name for name in names]
    raw = "" if model is Tick else " AND tier = 0"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) SELECT {', '.join(chosen)}"
            f" FROM {model._meta.db_table} WHERE host_id = %s{raw} AND timestamp > %s",
            [host.pk, after],
        )


def forget_roll_ups(host: Host) -> None:
    """As if no tick had been rolled up yet."""
    RollUpState.objects.filter(host=host).delete()
    for model in sample_models():
        rows = model._default_manager.filter(host=host, tier__gt=0)
        rows._raw_delete(rows.db)


def newest_minute_again(host: Host) -> Callable[[], object]:
    """What rolls up the newest minute, again and again: its ticks are given ids as if they had just come."""
    newest = Tick.objects.filter(host=host).latest("timestamp").timestamp
    ticks = Tick.objects.filter(host=host, timestamp__gt=newest - timedelta(minutes=1)).order_by("timestamp")
    last_tick = Tick.objects.latest("pk").pk
    for number, tick in enumerate(list(ticks), start=1):
        Tick.objects.filter(pk=tick.pk).update(id=last_tick + number)
    before = {"last_tick": last_tick, "newest": newest - timedelta(minutes=1)}

    def again() -> None:
        RollUpState.objects.filter(host=host).update(**before)
        rollup.roll_up(host)

    return again


def timed_roll_up(host: Host, transactions: list[float]) -> None:
    """Roll up, and note how long some buckets took, which is a transaction."""
    original = rollup.roll_up_buckets

    def timed(buckets: Buckets) -> None:
        began = time.perf_counter()
        original(buckets)
        transactions.append(time.perf_counter() - began)

    rollup.roll_up_buckets = timed
    try:
        rollup.roll_up(host)
    finally:
        rollup.roll_up_buckets = original


if __name__ == "__main__":
    tell(figures())
