"""The line of one process, against a computation over what was recorded."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from metrics.history.process_history import LifeQuery, find_process, line_names, read_life, read_line
from metrics.models import Process
from metrics.retention.rollup import roll_up
from tests.conftest import RecordedHost
from tests.history.tiered import FIRST, History, mean, prune, prune_some, record

EXAMPLES, CLOSE = 12, 0.036


def seen_in(history, tier, pid):
    """The timestamps under which a tier still has something of a process."""
    kept = history.kept_from.get(tier, 0)
    return {start for t in history.raw if pid in t.processes and (start := history.start_of(t, tier)) >= kept}


class TestAnyHistory(TestCase):
    def setup_history(self, seed):
        chance = random.Random(seed)
        history = record(RecordedHost(f"host-{seed}"), seed)
        prune_some(history, chance)
        return history, chance

    def processes(self, history):
        return Process.objects.filter(host=history.host).exclude(pid=0)

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.integers(0, 2**32))
    def test_a_line_is_told_by_the_finest_tier_that_has_each_stretch(self, seed):
        history, _chance = self.setup_history(seed)
        finest = history.finest()
        for process in self.processes(history):
            line = read_line(LifeQuery(process, limit=1000))
            expected = {
                moment
                for moment, (_resolution, tier) in finest.items()
                if moment in seen_in(history, tier, process.pid)
            }
            assert [point["timestamp"] for point in line.points] == sorted(expected)
            for point in line.points:
                resolution, tier = finest[point["timestamp"]]
                bucket = history.bucket(point["timestamp"], tier or 1)
                assert point["resolution"] == resolution
                use = mean(bucket, lambda tick: tick.processes.get(process.pid, 0))  # noqa: B023
                assert point["cpu_percent"] == pytest.approx(use, abs=CLOSE)

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.integers(0, 2**32), st.sampled_from([60, 300, 900, "auto"]), st.integers(1, 20))
    def test_the_pages_of_a_stepped_line_are_means_over_all_recorded_time(self, seed, step, limit):
        history, _chance = self.setup_history(seed)
        for process in self.processes(history)[:2]:
            told, end, width = [], history.raw[-1].timestamp + 900, step
            while True:
                line = read_line(LifeQuery(process, end=end, limit=limit, step=width))
                told = [(point, end) for point in line.points] + told
                if not line.has_older:
                    break
                end, width = line.oldest - 0.001, line.step
            times = [point["timestamp"] for point, _end in told]
            assert times == sorted(set(times))
            for point, end in told:
                self.check(point, history, process.pid, end)
            known = [tick.timestamp for tick in history.raw if process.pid in tick.processes and history.is_known(tick)]
            stretches = [(point["timestamp"], point["timestamp"] + point["resolution"]) for point, _end in told]
            assert all(any(start <= moment < end for start, end in stretches) for moment in known)

    def check(self, point, history, pid, end):
        """A page may end within a step; it is exact to the tick where the ticks are still there."""
        bucket = history.bucket(point["timestamp"], point["resolution"])
        ticks = [tick for tick in bucket if tick.timestamp <= end]
        if point["resolution"] % 60 == 0:
            use = mean(ticks, lambda tick: tick.processes.get(pid, 0))
            assert point["cpu_percent"] == pytest.approx(use, abs=CLOSE)
            assert point["cpu_percent_max"] == max(tick.processes.get(pid, 0) for tick in ticks)

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.integers(0, 2**32))
    def test_a_life_goes_from_the_first_to_the_last_moment_of_its_line(self, seed):
        history, _chance = self.setup_history(seed)
        for process in self.processes(history):
            points = read_line(LifeQuery(process, limit=1000)).points
            life = read_life(process)
            if points:
                assert (life.first_seen, life.last_seen) == (points[0]["timestamp"], points[-1]["timestamp"])


@pytest.fixture
def process(recorded):
    """Twenty minutes with one process that started within the first minute."""
    start = {"start_seconds": FIRST + 20 - recorded.host.booted_at.timestamp()}
    for number in range(20 * 12):
        there = [{"pid": 7, "cpu_percent": 1.0, "rss_bytes": 1024, **start}] if number >= 4 else []
        recorded.tick(FIRST + 5 * number, processes={"total": 1}, process=there)
    roll_up(recorded.host)
    return Process.objects.get(pid=7)


def test_a_life_does_not_begin_before_the_process_did(recorded, process):
    prune(History(recorded.host, []), 0, FIRST + 900)
    for width in (60, 300):
        prune(History(recorded.host, []), width, FIRST + 900)
    life = read_life(process)
    assert (life.first_seen - FIRST, life.last_seen - FIRST) == (20, 1195)


def test_nothing_is_left_of_a_life_without_samples(recorded):
    process = Process.objects.create(host=recorded.host, pid=9, started_at=FIRST, name="gone")
    assert (read_life(process).first_seen, read_line(LifeQuery(process)).points) == (None, [])
    assert read_line(LifeQuery(process, step=60)).points == []
    assert read_line(LifeQuery(process, step="auto")).points == []


def test_a_process_is_found_by_its_id(process):
    assert find_process(process.pk) == process
    assert find_process(process.pk + 1000) is None
    assert find_process(10**30) is None


def test_the_row_for_all_others_is_no_process(recorded, process):
    assert find_process(Process.objects.get(pid=0, started_at=0).pk) is None


def test_a_line_takes_few_queries(process, django_assert_max_num_queries):
    for step in (None, 60, "auto"):
        with django_assert_max_num_queries(30):
            read_line(LifeQuery(process, step=step))


def test_maxima_have_names_of_their_own():
    assert "cpu_percent_max" in line_names(maxima=True)
    assert line_names(maxima=False)[:4] == ["timestamp", "resolution", "status", "cpu_percent"]
