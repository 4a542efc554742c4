"""Some minutes of some days, with gaps of any length and processes that come and go."""

import random

from metrics.retention.rollup import roll_up
from tests.conftest import RecordedHost
from tests.history.tiered import FIRST

HOUR = 3600


class Minute:
    """What was recorded in a minute."""

    resolution = 60

    def __init__(self, chance, timestamp):
        self.timestamp = timestamp
        self.percent = round(chance.uniform(0, 100), 2)
        self.per_core = [round(chance.uniform(0, 100), 1) for _ in range(2)]
        self.used = {name: chance.randrange(10**9) for name in "ab" if chance.random() < 0.9}
        self.processes = {pid: round(chance.uniform(0.1, 300), 2) for pid in range(1, 4) if chance.random() < 0.6}


def a_history(seed, hours=60):
    """A host, its minutes, and the chance that made them; rolled up now and then, those that came late last."""
    chance = random.Random(seed)
    recorded = RecordedHost(f"host-{seed}")
    minutes, at = [], FIRST + 60 * chance.randrange(900)
    while at < FIRST + hours * HOUR and len(minutes) < 70:
        minutes.append(Minute(chance, at))
        at += 60 * chance.choice([1, 1, 1, 2, 7, 15, 40, 90, 600 if chance.random() < 0.3 else 5])
    late = chance.sample(minutes[:-1], k=3)
    for minute in [minute for minute in minutes if minute not in late] + late:
        store(recorded, minute)
        if chance.random() < 0.05:
            roll_up(recorded.host)
    roll_up(recorded.host)
    return recorded.host, minutes, chance


def store(recorded, minute):
    partitions = [
        {"device": name, "mountpoint": f"/{name}", "used_bytes": used, "total_bytes": minute.timestamp}
        for name, used in minute.used.items()
    ]
    processes = [{"pid": pid, "cpu_percent": cpu, "rss_bytes": 1024} for pid, cpu in minute.processes.items()]
    recorded.tick(
        minute.timestamp,
        60,
        cpu={"percent": minute.percent, "per_core": minute.per_core},
        disk={"pressure_some_percent": 1.0},
        partition=partitions,
        processes={"total": len(processes), "cpu_percent": sum(minute.processes.values())},
        process=processes,
    )
