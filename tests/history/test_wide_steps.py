"""Steps of hours and days say what the ticks in them say, and need few rows for it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from metrics.history.processes import ProcessQuery, read_processes
from metrics.history.series import SeriesQuery, read_series
from metrics.history.tier_ranges import TimeRange, step_ranges
from metrics.models import CpuSample
from metrics.retention.rollup import roll_up
from tests.history.minutes import HOUR, a_history
from tests.history.test_tier_ranges import CLOSE
from tests.history.tiered import FIRST, History, mean, prune

DAY = 24 * HOUR


class TestAnyHistory(TestCase):
    @settings(max_examples=8, deadline=None)
    @given(st.integers(0, 2**32), st.sampled_from([420, 1260, 2700, 6300, 7200, 10_800, 36_000, 43_200, 86_400]))
    def test_a_step_is_made_of_every_minute_in_it(self, seed, step):
        host, minutes, chance = a_history(seed)
        start, end = sorted(chance.sample(range(minutes[0].timestamp - 100, minutes[-1].timestamp + 100), k=2))
        series = read_series(SeriesQuery(host, "cpu", start, end, 1000, step))
        disks = read_series(SeriesQuery(host, "disk", start, end, 1000, step))
        inside = [minute for minute in minutes if start <= minute.timestamp <= end]
        assert [p["timestamp"] for p in series.points] == sorted({m.timestamp // step * step for m in inside})
        for point, disk in zip(series.points, disks.points, strict=True):
            bucket = [minute for minute in inside if minute.timestamp // step * step == point["timestamp"]]
            assert point["percent"] == pytest.approx(mean(bucket, lambda minute: minute.percent), abs=CLOSE)
            assert point["percent_max"] == max(minute.percent for minute in bucket)
            assert point["per_core_max"] == [max(minute.per_core[place] for minute in bucket) for place in (0, 1)]
            for partition in disk["partitions"]:
                there = [minute for minute in bucket if partition["device"] in minute.used]
                used = [minute.used[partition["device"]] for minute in there]
                assert partition["total_bytes"] == max(minute.timestamp for minute in there)
                assert partition["used_bytes_max"] == max(used)
                assert partition["used_bytes"] == pytest.approx(sum(used) / len(used), abs=10)


@pytest.fixture
def two_days(recorded):
    """A tick an hour for two days, in all of which `7` is busy, and `8` in the third hour."""
    for number in range(48):
        processes = [{"pid": 7, "cpu_percent": 50.0}, *([{"pid": 8, "cpu_percent": 90.0}] if number == 3 else [])]
        totals = {"total": len(processes), "cpu_percent": 50.0}
        recorded.tick(FIRST + number * HOUR, 60, cpu={"percent": 10.0}, processes=totals, process=processes)
    roll_up(recorded.host)
    return recorded.host


def test_what_lies_within_is_read_from_the_widest_tier_and_the_ends_from_finer_ones(two_days):
    midnight = FIRST - FIRST % DAY + DAY
    ranges = step_ranges(CpuSample, TimeRange(two_days.pk, FIRST, FIRST + 47 * HOUR), DAY)
    tiers = [of.tier for of in ranges]
    widest = tiers.index(DAY)
    assert (ranges[widest].start, ranges[widest].end) == (midnight, midnight + DAY - 1)
    assert tiers[:widest] == sorted(tiers[:widest])
    assert tiers[widest:] == sorted(tiers[widest:], reverse=True)


def test_a_long_range_of_processes_says_when_each_was_seen_as_exactly_as_its_points(two_days, monkeypatch):
    monkeypatch.setattr("metrics.history.processes.MIN_BUCKETS", 1)
    found = {p["pid"]: p for p in read_processes(ProcessQuery(two_days, start=FIRST, end=FIRST + 48 * HOUR)).results}
    assert (found[8]["first_seen"], found[8]["last_seen"]) == (FIRST + 3 * HOUR, FIRST + 3 * HOUR)
    for width in (0, 60, 300, 900):
        prune(History(two_days, []), width, FIRST + 60 * HOUR)
    found = {p["pid"]: p for p in read_processes(ProcessQuery(two_days, start=FIRST, end=FIRST + 48 * HOUR)).results}
    hour = (FIRST + 3 * HOUR) // HOUR * HOUR
    assert (found[8]["first_seen"], found[8]["last_seen"]) == (hour, hour)
