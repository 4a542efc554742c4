"""The worst tick of every bucket is that of the ticks in it, with its exact time and who was at work."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from metrics.models import Process, ProcessSample, ProcessTotals
from metrics.models.worst_ticks import CULPRITS, WorstTick
from metrics.retention.pruning import apply_retention
from metrics.retention.rollup import roll_up
from metrics.tiers import RAW, WIDTHS
from tests.conftest import RecordedHost
from tests.history.tiered import FIRST


class TestAnyHistory(TestCase):
    @settings(max_examples=8, deadline=None)
    @given(st.integers(0, 2**32))
    def test_it_is_the_highest_tick_of_the_bucket(self, seed):
        chance, recorded = random.Random(seed), RecordedHost(f"host-{seed}")
        ticks = {FIRST + 5 * n * chance.choice([1, 40]): a_tick(chance) for n in range(60)}
        late = chance.sample(sorted(ticks), 3)
        for at in [*(at for at in ticks if at not in late), *late]:
            recorded.tick(at, **ticks[at])
            if chance.random() < 0.1:
                roll_up(recorded.host)
        roll_up(recorded.host)
        pids = dict(Process.objects.filter(host=recorded.host).values_list("pk", "pid"))
        for row in ProcessTotals.objects.filter(host=recorded.host, tier__in=WIDTHS):
            start = int(row.timestamp.timestamp())
            inside = {at: tick for at, tick in ticks.items() if start <= at < start + row.tier}
            for order, expected in {"cpu": cpu_of, "memory": memory_of, "io": io_of}.items():
                found = WorstTick.unpacked(getattr(row, f"worst_{order}"))
                worst = min(inside, key=lambda at: (-expected(inside[at])[0], at))
                total, by_pid = expected(inside[worst])
                highest = sorted((-used, pk) for pk, pid in pids.items() if (used := by_pid.get(pid)))[:CULPRITS]
                assert (found.timestamp, found.total) == (worst, total)
                assert found.processes == tuple((pk, -used) for used, pk in highest)
            self.culprits_are_known(row, start)

    def culprits_are_known(self, row, start):
        """Each has a row in the bucket, so that its identity outlives the raw points."""
        rows = ProcessSample.objects.filter(host=row.host, tier=row.tier, timestamp=start)
        for order in ProcessSample.orders:
            tick = WorstTick.unpacked(getattr(row, f"worst_{order}"))
            assert {pk for pk, _used in tick.processes} <= set(rows.values_list("process", flat=True))


def a_tick(chance):
    processes = [
        {
            "pid": pid,
            "cpu_percent": chance.choice([0.0, 1.0, round(chance.uniform(0, 300), 2)]),
            "rss_bytes": chance.randrange(1, 2**20) * 1024,
            "read_bytes_per_second": float(chance.randrange(1000)),
        }
        for pid in chance.sample(range(1, 40), k=chance.randrange(12))
    ]
    return {
        "cpu": {"percent": round(chance.uniform(0, 100), 1)},
        "memory": {"percent": round(chance.uniform(0, 100), 1)},
        "processes": {"total": len(processes), "read_bytes_per_second": float(chance.randrange(5000))},
        "process": processes,
    }


def cpu_of(tick):
    return round(tick["cpu"]["percent"] * 100), {p["pid"]: round(p["cpu_percent"] * 100) for p in tick["process"]}


def memory_of(tick):
    return round(tick["memory"]["percent"] * 100), {p["pid"]: p["rss_bytes"] // 1024 for p in tick["process"]}


def io_of(tick):
    read = {p["pid"]: round(p["read_bytes_per_second"] * 10) for p in tick["process"]}
    return round(tick["processes"]["read_bytes_per_second"] * 10), read


def test_a_burst_of_one_tick_is_told_when_everything_finer_is_gone(recorded, monkeypatch):
    """A process that is not among the highest of a day by its mean is its worst tick all the same."""
    steady = [{"pid": pid, "name": f"steady-{pid}", "cpu_percent": 20.0, "rss_bytes": 2**30} for pid in range(2, 32)]
    for number in range(720):
        burst = [{"pid": 1, "name": "burst", "cpu_percent": 390.0}] if number == 333 else []
        percent = 99.0 if burst else 40.0
        recorded.tick(
            FIRST + 5 * number, cpu={"percent": percent}, processes={"total": 31}, process=[*burst, *steady[:9]]
        )
    roll_up(recorded.host)
    monkeypatch.setattr("metrics.retention.clock.time.time", lambda: FIRST + 500 * 86_400)
    apply_retention(max_points=1)
    assert set(ProcessTotals.objects.values_list("tier", flat=True)) == {RAW, 86_400}
    worst = WorstTick.unpacked(ProcessTotals.objects.get(tier=86_400).worst_cpu)
    assert (worst.timestamp, worst.total) == (FIRST + 5 * 333, 9900)
    assert Process.objects.get(pk=worst.processes[0][0]).name == "burst"
