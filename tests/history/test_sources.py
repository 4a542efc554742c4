"""Steps over summaries are those over the points that these were made from."""

import random
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from metrics.history.process_history import LifeQuery, read_line
from metrics.history.processes import ProcessQuery, read_processes
from metrics.history.series import SeriesQuery, read_series
from metrics.history.sources import sources_for_step
from metrics.history.top import TopQuery, read_top
from metrics.models import CpuSample, Process
from metrics.models.samples import sample_models
from metrics.retention.rollup import fill_summaries, roll_up
from metrics.tiers import summaries, tiers
from tests.conftest import RecordedHost
from tests.history.test_pieces import CLOSE
from tests.history.tiered import FIRST, mean

HOUR = 3600
# A summary is one mean of means more, each rounded to hundredths.
CLOSE_TO_RAW = CLOSE + 0.005
STEPS = st.sampled_from([420, 1260, 2700, 6300, 8100, 10_800, 26_100, 32_400, 36_000, 44_100])
SEEDS = st.integers(0, 2**32)
EXAMPLES = 5


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
    """Some minutes of some days, with gaps of any length, rolled up now and then; those that came late last."""
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


def forget_summaries():
    for tier in summaries():
        for model in sample_models():
            model.objects.filter(tier=tier.width_seconds).delete()


def answers(host, step, start=None, end=None):
    """Everything that is read step by step."""
    process = Process.objects.filter(host=host).exclude(pid=0).first()
    return [
        read_series(SeriesQuery(host, "cpu", start, end, 1000, step)),
        read_series(SeriesQuery(host, "disk", start, end, 1000, step)),
        read_line(LifeQuery(process, start, end, 1000, step)),
        read_top(TopQuery(host, start, end, 1000, step)),
    ]


def alike(one, other):
    """Whether two answers are the same but for the rounding of one mean more."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        return all(alike(one[name], other[name]) for name in one)
    if isinstance(one, list) and one and isinstance(one[0], float):
        # The elements of a list are stored with one decimal.
        return other == pytest.approx(one, abs=0.06)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float):
        return other == pytest.approx(one, abs=CLOSE_TO_RAW)
    return other == one or (isinstance(one, int) and other == pytest.approx(one, abs=1))


class TestAnyHistory(TestCase):
    @settings(max_examples=EXAMPLES, deadline=None)
    @given(SEEDS, STEPS)
    def test_a_step_is_made_of_every_minute_in_it(self, seed, step):
        host, minutes, chance = a_history(seed)
        start, end = sorted(chance.sample(range(minutes[0].timestamp - 100, minutes[-1].timestamp + 100), k=2))
        series = read_series(SeriesQuery(host, "cpu", start, end, 1000, step))
        inside = [minute for minute in minutes if start <= minute.timestamp <= end]
        assert [p["timestamp"] for p in series.points] == sorted({m.timestamp // step * step for m in inside})
        for point in series.points:
            bucket = [minute for minute in inside if minute.timestamp // step * step == point["timestamp"]]
            assert point["percent"] == pytest.approx(mean(bucket, lambda minute: minute.percent), abs=CLOSE_TO_RAW)
            assert point["percent_max"] == max(minute.percent for minute in bucket)
            assert point["per_core_max"] == [max(minute.per_core[place] for minute in bucket) for place in (0, 1)]

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(SEEDS, STEPS, st.integers(0, 3))
    def test_nothing_depends_on_how_far_the_summaries_have_come(self, seed, step, filled):
        host, minutes, chance = a_history(seed)
        start = chance.choice([None, chance.randrange(minutes[0].timestamp, minutes[-1].timestamp)])
        with_all = answers(host, step, start)
        forget_summaries()
        without = answers(host, step, start)
        fill_summaries(host, filled)
        with_some = answers(host, step, start)
        for one, other, third in zip(without, with_all, with_some, strict=True):
            for found in (other, third):
                assert replace(found, points=[]) == replace(one, points=[])
                assert alike(one.points, found.points)

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(SEEDS)
    def test_filled_summaries_are_those_that_were_made_as_time_went_on(self, seed):
        host, _minutes, _chance = a_history(seed)
        # What came so late that it lies before the oldest of them is filled in.
        fill_all(host)
        made = stored_summaries(host)
        forget_summaries()
        fill_all(host)
        assert stored_summaries(host) == made


def fill_all(host):
    while fill_summaries(host, 2):
        pass


def stored_summaries(host):
    widths = [tier.width_seconds for tier in summaries()]
    rows = [
        tuple(value for name, value in row.items() if name != "id")
        for model in sample_models()
        for row in model.objects.filter(host=host, tier__in=widths).values()
    ]
    assert rows
    return sorted(rows, key=repr)


@pytest.fixture
def two_days(recorded):
    """A tick an hour for two days, in all of which `7` is busy, and `8` in the third hour."""
    for number in range(48):
        processes = [{"pid": 7, "cpu_percent": 50.0}, *([{"pid": 8, "cpu_percent": 90.0}] if number == 3 else [])]
        totals = {"total": len(processes), "cpu_percent": 50.0}
        recorded.tick(FIRST + number * HOUR, 60, cpu={"percent": 10.0}, processes=totals, process=processes)
    roll_up(recorded.host)
    return recorded.host


def test_summaries_are_read_where_they_lie_within_a_step_and_quarters_beside_its_boundaries(two_days):
    sources = sources_for_step(CpuSample, two_days.pk, FIRST, FIRST + 47 * HOUR, 44_100)
    read = {(source.tier, source.beside) for source in sources}
    assert {(32_400, 0), (5400, 32_400), (900, 5400)} <= read
    plain = sources_for_step(CpuSample, two_days.pk, FIRST, FIRST + 4 * HOUR - 1, 900)
    assert [(source.tier, source.beside) for source in plain] == [(900, 0)]


def test_no_summary_is_a_resolution_of_the_history(two_days):
    told = {point["resolution"] for point in read_series(SeriesQuery(two_days, "cpu", limit=1000)).points}
    assert told <= {60, *(tier.width_seconds for tier in tiers())}


def test_a_bucket_that_is_not_over_has_no_summary_yet(two_days):
    newest = CpuSample.objects.filter(tier=32_400).latest("timestamp").timestamp.timestamp()
    assert newest + 32_400 <= FIRST + 47 * HOUR


def test_a_long_range_of_processes_says_when_each_was_seen_as_exactly_as_its_points(two_days, monkeypatch):
    monkeypatch.setattr("metrics.history.processes.MIN_SUMMARIES", 2)
    query = ProcessQuery(two_days, start=FIRST, end=FIRST + 48 * HOUR)
    found = {process["pid"]: process for process in read_processes(query).results}
    forget_summaries()
    assert found == {process["pid"]: process for process in read_processes(query).results}
    assert found[8]["first_seen"] == FIRST + 3 * HOUR
    assert found[8]["last_seen"] == FIRST + 3 * HOUR


def test_what_retention_would_delete_at_once_is_not_filled(two_days, monkeypatch):
    forget_summaries()
    monkeypatch.setattr(time, "time", lambda: FIRST + 24.0 * HOUR + tiers()[-1].kept_seconds)
    while fill_summaries(two_days):
        pass
    widest = CpuSample.objects.filter(tier=32_400).order_by("timestamp")
    assert widest[0].timestamp.timestamp() >= FIRST + 24 * HOUR
    assert widest.count() >= 1
    assert fill_summaries(two_days) == 0


def test_a_tier_of_a_day_tells_its_last_values(recorded, settings):
    settings.SYSMON_TIERS = "1m=14d,1d=400d"
    for number in range(3):
        partition = {"device": "a", "mountpoint": "/", "used_bytes": 5, "total_bytes": number}
        recorded.tick(FIRST + number * 24 * HOUR, 60, disk={"pressure_some_percent": 1.0}, partition=[partition])
    roll_up(recorded.host)
    points = read_series(SeriesQuery(recorded.host, "disk", step=86_400)).points
    assert [point["partitions"][0]["total_bytes"] for point in points] == [0, 1, 2]
