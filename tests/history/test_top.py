"""The biggest consumer of each step, against a computation over what was recorded."""

import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from metrics.history.top import TopQuery, read_top
from metrics.retention.rollup import roll_up
from tests.conftest import RecordedHost
from tests.history.tiered import FIRST, History, mean, prune, prune_some, record


def winner(ticks):
    """The highest mean and who has it; an absent process used nothing."""
    pids = {pid for tick in ticks for pid in tick.processes}
    means = {pid: mean(ticks, lambda tick: tick.processes.get(pid, 0)) for pid in pids}  # noqa: B023
    return max(means.items(), key=lambda item: item[1], default=None)


class TestAnyHistory(TestCase):
    @settings(max_examples=15, deadline=None)
    @given(st.integers(0, 2**32), st.sampled_from([60, 300, 900, 3600]))
    def test_each_step_names_the_process_with_the_highest_mean(self, seed, step):
        history = record(RecordedHost(f"host-{seed}"), seed)
        prune_some(history, random.Random(seed))
        series = read_top(TopQuery(history.host, limit=1000, step=step))
        steps = defaultdict(list)
        for tick in history.raw:
            steps[tick.timestamp // series.step * series.step].append(tick)
        expected = {start: found for start, ticks in steps.items() if (found := winner(ticks))}
        known = max(history.kept_from.values(), default=0)
        assert {start for start in expected if start >= known} <= {point["timestamp"] for point in series.points}
        for point in series.points:
            assert point["resolution"] == series.step
            assert point["cpu_percent"] == pytest.approx(expected[point["timestamp"]][1], abs=0.04)

    @settings(max_examples=10, deadline=None)
    @given(st.integers(0, 2**32), st.integers(1, 15))
    def test_pages_give_every_step_once(self, seed, limit):
        history = record(RecordedHost(f"host-{seed}"), seed)
        whole = read_top(TopQuery(history.host, limit=1000, step=60)).points
        points, end, has_older = [], None, True
        while has_older:
            page = read_top(TopQuery(history.host, end=end, limit=limit, step=60))
            points = page.points + points
            has_older, end = page.has_older, (page.oldest or 0) - 0.001
        assert points == whole


def fill(recorded, minutes, uses):
    """Minutes of ticks; `uses` gives the CPU of each name at the number of a tick."""
    for number in range(minutes * 12):
        processes = [
            {"pid": pid, "name": name, "cpu_percent": cpu}
            for pid, (name, cpu) in enumerate(uses(number).items(), start=1)
        ]
        recorded.tick(FIRST + 5 * number, processes={"total": 2}, process=processes)
    roll_up(recorded.host)


def test_a_short_burst_beats_who_is_always_there(recorded):
    fill(recorded, 3, lambda number: {"steady": 10.0, "burst": 400.0 if number == 14 else 0.0})
    points = read_top(TopQuery(recorded.host, step=60)).points
    assert [(point["name"], point["cpu_percent"]) for point in points] == [
        *(("steady", 10.0), ("burst", 33.33), ("steady", 10.0)),
    ]


def test_only_what_is_shown_is_read_from_the_range(recorded):
    fill(recorded, 2, lambda _number: {"steady": 10.0})
    assert len(read_top(TopQuery(recorded.host, start=FIRST + 5, end=FIRST + 20, step=5)).points) == 4


def test_it_is_found_where_only_quarters_are_left(recorded):
    fill(recorded, 20, lambda _number: {"steady": 10.0})
    for tier in (0, 60, 300):
        prune(History(recorded.host, []), tier, FIRST + 2000)
    points = read_top(TopQuery(recorded.host)).points
    assert [(point["timestamp"] - FIRST, point["resolution"], point["name"]) for point in points] == [
        *((0, 900, "steady"), (900, 900, "steady")),
    ]


def test_nothing_recorded_is_empty(recorded):
    assert read_top(TopQuery(recorded.host)).points == []
    recorded.ticks(1)
    assert read_top(TopQuery(recorded.host)).points == []


def test_the_row_for_all_others_never_wins(recorded):
    recorded.host.logical_cores = 8
    recorded.host.save()
    for number in range(12):
        recorded.tick(
            FIRST + 5 * number,
            cpu={"percent": 90.0},
            processes={"total": 2, "cpu_percent": 700.0},
            process=[{"pid": 1, "cpu_percent": 1.0}],
        )
    roll_up(recorded.host)
    recorded.tick(FIRST + 60, processes={"total": 2})
    [first, *_rest] = read_top(TopQuery(recorded.host, step=60)).points
    assert first["pid"] == 1
