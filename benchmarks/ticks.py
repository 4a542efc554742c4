"""How long it takes to store one tick of 300 processes in the year-old file."""

import statistics
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from django.db import connection

from benchmarks.figures import Figure, seconds_of, tell
from benchmarks.program import database_file, newest_tick, year_old_host
from metrics.models import Host
from metrics.recording.pending import be_durable
from metrics.recording.writing import TickRecord
from metrics.simulation.history import Player
from metrics.simulation.machine import Machine
from metrics.simulation.quarters import QuarterPlan
from metrics.simulation.readings import Counters
from metrics.simulation.residents import Boot

TICKS = 170


def figures() -> Iterator[Figure]:
    """With a sync of the disk at each tick, as the recorder writes, and without."""
    host = year_old_host()
    be_durable(5)
    durable = write_medians(host)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=OFF")
    unsynced = write_medians(host)
    yield Figure("tick", "writing it, synchronous=FULL", durable, "ms", 3)
    yield Figure("tick", "of which the sync", max(0.0, durable - unsynced), "ms")
    yield Figure("tick", "written to the log", log_bytes(host) / 1024, "KiB")


def log_bytes(host: Host) -> float:
    """How much the write-ahead log grows with a tick, at the median."""
    log = Path(f"{database_file()}-wal")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_autocheckpoint=0")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sizes: list[int] = []
    write_ticks(host, lambda: sizes.append(log.stat().st_size))
    return statistics.median(later - earlier for earlier, later in pairwise(sizes))


def write_medians(host: Host) -> float:
    """The median of the writes alone."""
    durations = write_ticks(host, lambda: None)
    return statistics.median(durations[10:]) * 1000


def write_ticks(host: Host, after_each: Callable[[], None]) -> list[float]:
    """Write ticks that come after those that are there; return how long each took."""
    start = (newest_tick(host) // 900 + 1) * 900
    quarter = QuarterPlan(Machine(host.name), Boot(99, start - 100_000), start).quarter()
    player, counters, durations = Player(host), Counters(), []
    write = player.writer.write

    def timed(record: TickRecord) -> bool:
        durations.append(seconds_of(lambda: write(record)))
        after_each()
        return True

    player.writer.write = timed
    for tick in range(TICKS):
        player.play(quarter, counters, tick)
    return durations


if __name__ == "__main__":
    tell(figures())
