"""Roll-ups say what a computation over all raw points would say."""

import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from metrics.models import CpuSample, InterfaceSample, MemorySample, ProcessSample, ProcessTotals, RollUpState, Tick
from metrics.models.inserts import MANY_ROWS, insert_stored
from metrics.retention.rollup import MAX_SOURCES, changed_buckets, roll_up
from metrics.retention.rollup_processes import OTHERS_NAME
from metrics.tiers import WIDTHS, tiers
from tests.conftest import FIRST_TICK, RecordedHost

MINUTE = FIRST_TICK - FIRST_TICK % 900


def rows(model, tier, *names):
    found = model.objects.filter(tier=tier).order_by("timestamp").values("timestamp", *names)
    return [{**row, "timestamp": int(row["timestamp"].timestamp())} for row in found]


def add(recorded, start, percents, resolution=5):
    for number, percent in enumerate(percents):
        recorded.tick(start + number * resolution, resolution, cpu={"percent": percent, "load_1": percent})


def test_a_minute_has_the_mean_the_maximum_and_what_it_covers(recorded):
    add(recorded, MINUTE, [10.0, 20.0, 60.0])
    roll_up(recorded.host)
    [row] = rows(CpuSample, 60, "percent", "percent_max", "points", "covered_seconds", "resolution")
    assert row == {
        "timestamp": MINUTE, "percent": 30.0, "percent_max": 60.0, "points": 3, "covered_seconds": 15, "resolution": 60,
    }  # fmt: skip


def test_what_is_scarce_when_it_is_low_has_a_minimum(recorded):
    for number, free in enumerate([900, 100, 500]):
        recorded.tick(MINUTE + number * 5, memory={"free_bytes": free, "total_bytes": 1000 + number})
    roll_up(recorded.host)
    [row] = rows(MemorySample, 60, "free_bytes", "free_bytes_min", "free_bytes_max", "total_bytes")
    assert (row["free_bytes"], row["free_bytes_min"], row["free_bytes_max"], row["total_bytes"]) == (
        500,
        100,
        900,
        1002,
    )


@pytest.mark.parametrize("width", WIDTHS[1:])
def test_what_is_wider_is_made_from_the_minutes(recorded, width):
    add(recorded, MINUTE, [10.0] * 12)
    add(recorded, MINUTE + 60, [40.0] * 6)
    roll_up(recorded.host)
    [row] = rows(CpuSample, width, "percent", "percent_max", "points", "covered_seconds")
    assert row["timestamp"] == MINUTE - MINUTE % width
    assert (row["percent"], row["percent_max"], row["points"], row["covered_seconds"]) == (20.0, 40.0, 18, 90)


def test_running_it_again_changes_nothing(recorded):
    add(recorded, MINUTE, [10.0, 20.0])
    roll_up(recorded.host)
    before = list(CpuSample.objects.values())
    assert roll_up(recorded.host) == 0
    RollUpState.objects.update(last_tick=0)
    roll_up(recorded.host)
    assert list(CpuSample.objects.values()) == before


def test_a_partial_minute_is_completed_and_not_doubled(recorded):
    add(recorded, MINUTE, [10.0])
    roll_up(recorded.host)
    add(recorded, MINUTE + 5, [30.0])
    roll_up(recorded.host)
    [row] = rows(CpuSample, 60, "percent", "points")
    assert (row["percent"], row["points"]) == (20.0, 2)


def test_a_tick_that_was_written_late_completes_its_minute(recorded):
    add(recorded, MINUTE, [10.0])
    add(recorded, MINUTE + 120, [10.0])
    roll_up(recorded.host)
    add(recorded, MINUTE + 5, [30.0])
    roll_up(recorded.host)
    assert [row["percent"] for row in rows(CpuSample, 60, "percent")] == [20.0, 10.0]


def test_a_minute_whose_raw_points_were_pruned_is_left_alone(recorded):
    add(recorded, MINUTE, [10.0, 20.0, 30.0])
    roll_up(recorded.host)
    CpuSample.objects.filter(tier=0, timestamp__lt=MINUTE + 10).delete()
    Tick.objects.filter(timestamp__lt=MINUTE + 10).delete()
    add(recorded, MINUTE + 15, [90.0])
    roll_up(recorded.host)
    [row] = rows(CpuSample, 60, "percent", "points")
    assert (row["percent"], row["points"]) == (20.0, 3)


def test_nothing_is_rolled_up_where_nothing_was_collected(recorded):
    add(recorded, MINUTE, [10.0])
    add(recorded, MINUTE + 600, [10.0])
    roll_up(recorded.host)
    assert [row["timestamp"] for row in rows(CpuSample, 60)] == [MINUTE, MINUTE + 600]


def test_an_unknown_value_covers_nothing(recorded):
    add(recorded, MINUTE, [None, 20.0])
    roll_up(recorded.host)
    [row] = rows(CpuSample, 60, "percent", "points", "covered_seconds")
    assert (row["percent"], row["points"], row["covered_seconds"]) == (20.0, 2, 10)


def test_a_tick_weighs_as_many_seconds_as_it_stands_for(recorded):
    samples = {"cpu": {"percent": 10.0, "per_core": [10.0]}, "processes": {"cpu_percent": 10.0}}
    recorded.tick(MINUTE, 40, **samples, process=[{"pid": 1, "cpu_percent": 10.0, "threads": 10}])
    samples = {"cpu": {"percent": 40.0, "per_core": [40.0]}, "processes": {"cpu_percent": 40.0}}
    recorded.tick(MINUTE + 40, 20, **samples, process=[{"pid": 1, "cpu_percent": 40.0, "threads": 40}])
    roll_up(recorded.host)
    assert rows(CpuSample, 60, "percent", "per_core") == [{"timestamp": MINUTE, "percent": 20.0, "per_core": [20.0]}]
    process = ProcessSample.objects.get(tier=60, process__pid=1)
    assert (process.cpu_percent, process.threads) == (20.0, 20)


@pytest.mark.parametrize("interval", [1, 5, 60])
def test_a_transaction_takes_no_more_points_at_a_short_interval(recorded, interval):
    finest = tiers()[0]
    found = list(changed_buckets(recorded.host, finest, range(MINUTE, MINUTE + 7200, interval)))
    assert max(buckets.end - buckets.start for buckets in found) // interval <= MAX_SOURCES
    assert len(found) <= 7200 / interval / MAX_SOURCES * 1.2 + 4
    assert [buckets.end for buckets in found[:-1]] == [buckets.start for buckets in found[1:]]


@pytest.mark.parametrize("count", [0, 1, MANY_ROWS - 1, MANY_ROWS, MANY_ROWS + 3])
def test_any_number_of_rows_is_inserted_in_their_order(recorded, count):
    names = ("host", "tier", "timestamp", "resolution", "points", "load_1")
    rows = [
        (recorded.host.pk, 0, MINUTE + number, 1, 1, None if number % 7 == 0 else number) for number in range(count)
    ]
    assert insert_stored(CpuSample, names, rows) == count
    stored = CpuSample.objects.order_by("pk").values_list("timestamp", "load_1")
    assert [(int(timestamp.timestamp()), load) for timestamp, load in stored] == [
        (row[2], None if row[5] is None else row[5] / 100) for row in rows
    ]


def test_each_thing_of_a_list_has_a_row_of_its_own_and_keeps_its_last_counter(recorded):
    for number in range(2):
        recorded.tick(
            MINUTE + number * 5,
            interface=[
                {"interface": "lo", "sent_bytes": 10 + number, "sent_bytes_per_second": 2.0 * number, "is_up": True},
                {"interface": "eth0", "sent_bytes": 90 + number, "sent_bytes_per_second": 8.0, "is_up": number == 0},
            ],
        )
    roll_up(recorded.host)
    found = rows(InterfaceSample, 60, "interface", "sent_bytes", "sent_bytes_per_second", "is_up")
    assert sorted((r["interface"], r["sent_bytes"], r["sent_bytes_per_second"], r["is_up"]) for r in found) == [
        ("eth0", 91, 8.0, False),
        ("lo", 11, 1.0, True),
    ]


def test_lists_are_averaged_core_by_core(recorded):
    for number, cores in enumerate([[10.0, 0.0], [30.0, 4.0], None]):
        recorded.tick(MINUTE + number * 5, cpu={"per_core": cores})
    roll_up(recorded.host)
    for tier in (60, 900):
        [row] = rows(CpuSample, tier, "per_core", "per_core_max")
        assert (row["per_core"], row["per_core_max"]) == ([20.0, 2.0], [30.0, 4.0])


class TestProcesses:
    def tick(self, recorded, number, machine=None, **cpu_by_name):
        common = {"rss_bytes": 1024 * 1024, "read_bytes_per_second": 0.0}
        processes = [
            {"pid": int.from_bytes(name.encode()) % 4_000_000, "name": name, "cpu_percent": cpu, **common}
            for name, cpu in cpu_by_name.items()
        ]
        totals = {"total": len(processes), "cpu_percent": sum(cpu_by_name.values()), "rss_bytes": 99 * 1024 * 1024}
        samples = {"processes": totals, "process": processes}
        recorded.tick(MINUTE + number * 5, cpu={"percent": machine}, **samples)

    def shares(self, tier):
        found = ProcessSample.objects.filter(tier=tier).select_related("process").order_by("timestamp")
        return {row.process.name: row.cpu_percent for row in found}

    def test_an_absent_process_used_nothing(self, recorded):
        self.tick(recorded, 0, hog=100.0)
        self.tick(recorded, 1, quiet=1.0)
        roll_up(recorded.host)
        assert self.shares(60) == {"hog": 50.0, "quiet": 0.5, OTHERS_NAME: 0.0}

    def test_a_short_lived_hog_is_still_in_the_quarter(self, recorded):
        self.tick(recorded, 0, hog=400.0)
        for number in range(1, 13):
            self.tick(recorded, number, quiet=1.0)
        roll_up(recorded.host)
        hog = ProcessSample.objects.get(tier=900, process__name="hog")
        assert hog.cpu_percent == pytest.approx(400 / 13, abs=0.01)
        assert hog.cpu_percent_max == 400.0

    def test_all_others_make_the_sum_the_machines(self, recorded):
        recorded.host.logical_cores = 4
        recorded.host.save()
        for number in range(12):
            self.tick(recorded, number, machine=50.0, **{f"p{place}": 5.0 for place in range(30)})
        roll_up(recorded.host)
        for tier in (60, 900):
            shares = self.shares(tier)
            assert sum(shares.values()) == pytest.approx(200.0)
            assert shares[OTHERS_NAME] > 0

    def test_only_the_highest_have_rows(self, recorded):
        self.tick(recorded, 0, **{f"p{place}": float(place) for place in range(1, 40)})
        roll_up(recorded.host)
        assert len(self.shares(60)) <= 10 + 10 + 1
        assert {f"p{place}" for place in range(30, 40)} <= self.shares(60).keys()

    def test_one_that_falls_out_of_the_highest_loses_its_row(self, recorded):
        self.tick(recorded, 0, **{f"a{place}": 1.0 for place in range(10)})
        roll_up(recorded.host)
        self.tick(recorded, 1, **{f"b{place}": 50.0 for place in range(10)})
        roll_up(recorded.host)
        by_cpu = sorted(self.shares(60).items(), key=lambda item: -item[1])[:10]
        assert {name[0] for name, _cpu in by_cpu} == {"b"}

    def test_counts_are_rolled_up_like_any_other_sample(self, recorded):
        self.tick(recorded, 0, hog=100.0)
        self.tick(recorded, 1, hog=100.0, quiet=1.0)
        roll_up(recorded.host)
        [row] = rows(ProcessTotals, 60, "total", "total_max")
        assert (row["total"], row["total_max"]) == (2, 2)


def brute_force(samples, width):
    """By bucket: weighted mean, maximum, points and covered seconds of (timestamp, resolution, percent)."""
    buckets = defaultdict(list)
    for timestamp, resolution, percent in samples:
        buckets[timestamp - timestamp % width].append((resolution, percent))
    return {start: _summary(found) for start, found in buckets.items()}


def _summary(found):
    known = [(weight, value) for weight, value in found if value is not None]
    covered = sum(weight for weight, _value in known)
    mean = sum(weight * value for weight, value in known) / covered if known else None
    return mean, max((v for _w, v in known), default=None), len(found), sum(weight for weight, _value in found)


class TestAnyHistory(TestCase):
    """Random gaps, intervals, unknown values, late ticks and interrupted runs."""

    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 2**32))
    def test_it_equals_a_computation_over_the_raw_points(self, seed):
        chance = random.Random(seed)
        recorded = RecordedHost(f"host-{seed}")
        samples = []
        timestamp = MINUTE + chance.randrange(900)
        intervals = chance.choice([[5], [1, 5, 10, 60]])
        for _ in range(chance.randrange(5, 60)):
            resolution = chance.choice(intervals)
            timestamp = (timestamp // resolution + 1) * resolution + chance.choice(
                [0, 0, 0, 0, 300]
            ) // resolution * resolution
            samples.append((timestamp, resolution, chance.choice([None, round(chance.uniform(0, 100), 2)])))
        late = chance.sample(samples, k=min(3, len(samples)))
        for sample in [sample for sample in samples if sample not in late] + late:
            recorded.tick(sample[0], sample[1], cpu={"percent": sample[2]})
            if chance.random() < 0.2:
                roll_up(recorded.host)
        roll_up(recorded.host)
        self.compare(recorded.host, samples, 60, tolerance=0.006)
        self.compare(recorded.host, samples, 900, tolerance=2.0 if any(s[2] is None for s in samples) else 0.02)

    def compare(self, host, samples, width, tolerance):
        expected = brute_force(samples, width)
        found = CpuSample.objects.filter(host=host, tier=width)
        assert {int(row.timestamp.timestamp()) for row in found} == expected.keys()
        for row in found:
            mean, highest, points, covered = expected[int(row.timestamp.timestamp())]
            assert (row.percent_max, row.points, row.covered_seconds) == (highest, points, covered)
            if mean is not None:
                assert row.percent == pytest.approx(mean, abs=tolerance) or width == 900


LEVELS, RATES = ("rss_bytes", "memory_percent", "threads"), ("cpu_percent", "read_bytes_per_second")
UNITS = {"rss_bytes": 1024, "memory_percent": 0.01, "threads": 1, "cpu_percent": 0.01, "read_bytes_per_second": 0.1}


class TestAnyProcesses(TestCase):
    """Processes that come and go, unknown values, ties, intervals that change, ticks that come late."""

    @settings(max_examples=10, deadline=None)
    @given(st.integers(0, 2**32))
    def test_they_equal_a_computation_over_the_raw_points(self, seed):
        chance = random.Random(seed)
        recorded = RecordedHost(f"host-{seed}")
        intervals = chance.choice([[5], [1, 5, 5, 10]])
        raw = [self.tick(chance, MINUTE + number * 10, intervals) for number in range(chance.randrange(3, 12))]
        for tick in sorted(raw, key=lambda _tick: chance.random()):
            samples = {"processes": {"total": 1}, "process": [{"pid": pid, **row} for pid, row in tick[2].items()]}
            recorded.tick(tick[0], tick[1], **samples)
            if chance.random() < 0.2:
                roll_up(recorded.host)
        roll_up(recorded.host)
        for start in {timestamp - timestamp % 60 for timestamp, _resolution, _processes in raw}:
            self.compare(recorded.host, start, [tick for tick in raw if start <= tick[0] < start + 60])

    def tick(self, chance, timestamp, intervals):
        pids = chance.sample(range(1, 40), k=chance.randrange(0, 25))
        names = (*LEVELS, *RATES)
        values = {pid: {name: chance.choice([None, 0, 1, 2, 3, 50]) for name in names} for pid in pids}
        units = {pid: {name: v and v * UNITS[name] for name, v in row.items()} for pid, row in values.items()}
        return timestamp, chance.choice(intervals), units

    def compare(self, host, start, ticks):
        found = ProcessSample.objects.filter(host=host, tier=60, timestamp=start).select_related("process")
        rows = {row.process.pid: row for row in found}
        expected = {pid: processes_mean(pid, ticks) for _t, _r, processes in ticks for pid in processes}
        assert set(rows) - {0} <= set(expected)
        for pid, row in rows.items():
            for name, (mean, highest) in expected.get(pid, {}).items():
                assert getattr(row, name) == pytest.approx(mean, abs=UNITS[name] / 2 + 1e-9), name
                assert getattr(row, f"{name}_max") == pytest.approx(highest), name
        for name in ("cpu_percent", "rss_bytes"):
            means = {pid: values[name][0] or 0 for pid, values in expected.items()}
            least = sorted(means.values(), reverse=True)[:10][-1:] or [0]
            above = {pid for pid, mean in means.items() if mean > least[0] + UNITS[name]}
            assert above <= set(rows)


def processes_mean(pid, ticks):
    """Of each field the mean and the maximum: a rate over all the time, a level over that for which it is known."""
    covered = sum(resolution for _timestamp, resolution, _processes in ticks)
    found = {}
    for name in (*LEVELS, *RATES):
        pairs = [(resolution, processes.get(pid, {}).get(name)) for _timestamp, resolution, processes in ticks]
        known = [(resolution, value) for resolution, value in pairs if value is not None]
        seconds = covered if name in RATES else sum(resolution for resolution, _value in known)
        mean = sum(resolution * value for resolution, value in known) / seconds if known else None
        found[name] = mean, max((value for _resolution, value in known), default=None)
    return found
