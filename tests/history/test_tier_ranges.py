"""All tiers as one history, against a model of it in Python: nothing twice, nothing lost, every point right."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from metrics.history.processes import ProcessQuery, read_processes
from metrics.history.series import SeriesQuery, read_series
from metrics.history.tier_ranges import TimeRange, finest_ranges, step_ranges, stored_tiers, wide_ranges
from metrics.models import CpuSample, ProcessTotals
from metrics.retention.pruning import apply_retention
from metrics.retention.rollup import roll_up
from metrics.tiers import WIDTHS
from tests.conftest import RecordedHost
from tests.history.tiered import FIRST, History, mean, prune, prune_some, record

EVER = (-(2**40), 2**40)
# Each tier keeps hundredths of percents, and is made of means that are rounded to them.
CLOSE = 0.005 * (len(WIDTHS) + 1)
SEEDS = st.integers(0, 2**32)
EXAMPLES = 12


def a_history(seed: int) -> tuple[History, random.Random]:
    chance = random.Random(seed)
    history = record(RecordedHost(f"host-{seed}"), seed)
    prune_some(history, chance)
    return history, chance


def a_range(history: History, chance: random.Random) -> tuple[int, int]:
    first, last = history.raw[0].timestamp - 100, history.raw[-1].timestamp + 100
    return tuple(sorted((chance.randint(first, last), chance.randint(first, last))))


def walk(query: SeriesQuery, start: float, end: float):
    """All pages, newest first, as the API's `next` walks them."""
    while True:
        series = read_series(SeriesQuery(query.host, query.family, start, end, query.limit, query.step))
        yield series
        if not series.has_older:
            return
        end = series.oldest - 0.001


def overlaps(ranges):
    """Seconds of which two ranges both tell, a bucket being told from its start to its end."""
    told = [(of.start - of.start % (of.tier or 1), of.end) for of in ranges]
    ordered = sorted(told)
    return [(one, two) for one, two in pairwise(ordered) if one[1] >= two[0]]


class TestAnyHistory(TestCase):
    @settings(max_examples=EXAMPLES, deadline=None)
    @given(SEEDS)
    def test_without_a_step_the_finest_tier_that_has_it_tells_of_each_stretch(self, seed):
        history, chance = a_history(seed)
        start, end = a_range(history, chance)
        series = read_series(SeriesQuery(history.host, "cpu", start, end, limit=1000))
        expected = {moment: told for moment, told in history.finest().items() if start <= moment <= end}
        assert [point["timestamp"] for point in series.points] == sorted(expected)
        for point in series.points:
            resolution, tier = expected[point["timestamp"]]
            assert point["resolution"] == resolution
            self.check(point, history.bucket(point["timestamp"], tier or 1), is_rolled_up=bool(tier))

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(SEEDS, st.sampled_from([1, 7, 30, 60, 90, 300, 900, 3600, 7200, 86_400]))
    def test_a_step_is_made_from_every_tick_that_any_tier_still_knows(self, seed, step):
        history, _chance = a_history(seed)
        series = read_series(SeriesQuery(history.host, "cpu", step=step, limit=1000))
        width = series.step
        assert width >= step
        known = [tick for tick in history.raw if history.is_known(tick)]
        expected = {tick.timestamp - tick.timestamp % width for tick in known}
        assert [point["timestamp"] for point in series.points] == sorted(expected)
        for point in series.points:
            assert point["resolution"] == width
            if width % 60 == 0 or not any(history.kept_from.values()):
                self.check(point, history.bucket(point["timestamp"], width), is_rolled_up=True)

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(SEEDS, st.sampled_from([60, 300, 900, 1800]))
    def test_a_range_cuts_a_step_where_it_can(self, seed, step):
        history, chance = a_history(seed)
        start, end = a_range(history, chance)
        series = read_series(SeriesQuery(history.host, "cpu", start, end, step=step, limit=1000))
        exact_from = max((history.tells_from(tier) for tier in (0, 60)), default=0)
        for point in series.points:
            bucket = history.bucket(point["timestamp"], series.step)
            inside = [tick for tick in bucket if start <= tick.timestamp <= end]
            if point["timestamp"] >= exact_from:
                self.check(point, inside, is_rolled_up=True)
            else:
                assert point["percent_max"] in {tick.percent for tick in bucket}
        inside = {t.timestamp // series.step * series.step for t in history.raw if start <= t.timestamp <= end}
        known = {t.timestamp // series.step * series.step for t in history.raw if history.is_known(t)}
        assert inside & known <= {point["timestamp"] for point in series.points}

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(SEEDS, st.integers(1, 20), st.sampled_from([None, 30, 60, 300, 900]))
    def test_pages_over_all_tiers_give_every_point_once(self, seed, limit, step):
        history, chance = a_history(seed)
        start, end = a_range(history, chance)
        pages = list(walk(SeriesQuery(history.host, "cpu", limit=limit, step=step), start, end))
        times = [point["timestamp"] for page in pages[::-1] for point in page.points]
        assert times == sorted(set(times))
        if step is None:
            assert times == sorted(moment for moment in history.finest() if start <= moment <= end)
        assert all(len(page.points) == limit for page in pages[:-1])
        told = [(point["timestamp"], point["resolution"]) for page in pages[::-1] for point in page.points]
        for tick in history.raw:
            if start <= tick.timestamp <= end and history.is_known(tick) and step:
                assert any(moment <= tick.timestamp < moment + width for moment, width in told)

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(SEEDS, st.sampled_from([1, 60, 900, 7200, 86_400]))
    def test_ranges_never_overlap_and_come_newest_first(self, seed, step):
        history, chance = a_history(seed)
        start, end = a_range(history, chance)
        for model in (CpuSample, ProcessTotals):
            for ends in (EVER, (start, end)):
                of = TimeRange(history.host.pk, *ends)
                for ranges in (finest_ranges(model, of), step_ranges(model, of, step), wide_ranges(model, of, step)):
                    assert overlaps(ranges) == []
                    assert [found.start for found in ranges] == sorted((r.start for r in ranges), reverse=True)

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(SEEDS)
    def test_auto_fits_the_range_into_the_limit(self, seed):
        history, chance = a_history(seed)
        start, end = a_range(history, chance)
        limit = chance.randint(1, 30)
        series = read_series(SeriesQuery(history.host, "cpu", start, end, limit, "auto"))
        assert not series.has_older
        assert len(series.points) <= limit

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(SEEDS)
    def test_the_sums_of_a_range_are_those_of_its_ticks(self, seed):
        history, chance = a_history(seed)
        start, end = a_range(history, chance)
        if history.tells_from(0) > start:
            start -= start % 3600
            end += 3599 - end % 3600
        ranked = read_processes(ProcessQuery(history.host, limit=100, start=start, end=end))
        ticks = [t for t in history.raw if start <= t.timestamp <= end and history.is_known(t)]
        assert (ranked.resolution or 0) == sum(tick.resolution for tick in ticks)
        used = {pid for tick in ticks for pid in tick.processes}
        assert {process["pid"] for process in ranked.results} == used
        for process in ranked.results:
            self.check_process(process, ticks)
            assert process["rss_bytes"] == process["rss_bytes_max"] == process["pid"] * 1024

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(SEEDS)
    def test_any_moment_is_found_in_the_finest_tier_that_has_it(self, seed):
        history, chance = a_history(seed)
        moment = chance.choice(history.raw).timestamp + chance.choice([0, 1, 4, 30])
        ranked = read_processes(ProcessQuery(history.host, limit=100, at=moment))
        for tier in (0, *WIDTHS):
            kept = history.kept_from.get(tier, 0)
            starts = [(history.start_of(t, tier), tier or t.resolution) for t in history.raw]
            there = [(at, width) for at, width in starts if kept <= at <= moment]
            if there and moment - max(there)[0] <= max(there)[1]:
                break
        else:
            # In a gap, where the newest that is left is older than what it stands for.
            assert (ranked.timestamp, ranked.resolution, ranked.results) == (None, None, [])
            return
        at, width = max(there)
        assert (ranked.timestamp, ranked.resolution) == (at, width)
        bucket = history.bucket(at, tier or 1)
        assert {process["pid"] for process in ranked.results} == {pid for tick in bucket for pid in tick.processes}
        for process in ranked.results:
            self.check_process(process, bucket)

    def check_process(self, process, ticks):
        """An absent process used nothing."""
        use = mean(ticks, lambda tick: tick.processes.get(process["pid"], 0))
        assert process["cpu_percent"] == pytest.approx(use, abs=CLOSE)

    def check(self, point, ticks, *, is_rolled_up):
        assert point["percent"] == pytest.approx(mean(ticks, lambda tick: tick.percent), abs=CLOSE)
        cores = [mean(ticks, lambda tick: tick.per_core[place]) for place in (0, 1)]  # noqa: B023
        assert point["per_core"] == pytest.approx(cores, abs=0.11)
        assert ("percent_max" in point) == is_rolled_up
        if is_rolled_up:
            assert point["percent_max"] == max(tick.percent for tick in ticks)
            assert point["per_core_max"] == [max(tick.per_core[place] for tick in ticks) for place in (0, 1)]


def minutes(recorded, count, resolution=5, start=FIRST):
    for number in range(count * 60 // resolution):
        moment = start + number * resolution
        recorded.tick(moment, resolution, cpu={"percent": 10.0}, processes={"total": 1}, process=[])
    roll_up(recorded.host)
    return History(recorded.host, [])


def prune_until(history, moment):
    """Minutes and five of them are gone."""
    for width in (60, 300):
        prune(history, width, moment - moment % width)


def told(recorded, **options):
    series = read_series(SeriesQuery(recorded.host, "cpu", limit=1000, **options))
    return [(point["timestamp"] - FIRST, point["resolution"]) for point in series.points]


def test_a_history_that_begins_within_a_minute_is_told_once(recorded):
    recorded.ticks(3, start=FIRST + 40)
    roll_up(recorded.host)
    assert told(recorded) == [(40, 5), (45, 5), (50, 5)]


def test_a_minute_that_lost_a_part_is_told_by_its_roll_up(recorded):
    history = minutes(recorded, 2)
    prune(history, 0, FIRST + 30)
    assert told(recorded)[:2] == [(0, 60), (60, 5)]


def test_raw_points_that_outlive_the_minutes_are_told_once(recorded):
    history = minutes(recorded, 20)
    prune(history, 0, FIRST + 330)
    prune_until(history, FIRST + 1140)
    found = told(recorded)
    assert found[:2] == [(0, 900), (900, 5)]


def test_a_step_reaches_into_an_older_tier_where_the_newer_ones_have_too_few(recorded):
    history = minutes(recorded, 30)
    for number in range(4):
        recorded.tick(FIRST + 86_400 + 60 * number, 60, cpu={"percent": 10.0})
    roll_up(recorded.host)
    prune(history, 0, FIRST + 86_400)
    prune_until(history, FIRST + 86_400)
    assert told(recorded, step=60) == [(0, 900), (900, 900), (86_400, 900)]
    newest = read_series(SeriesQuery(recorded.host, "cpu", limit=3, step=60))
    assert (newest.step, newest.has_older) == (60, True)


def test_a_bucket_that_the_range_begins_in_is_whole_where_nothing_finer_is_left(recorded):
    history = minutes(recorded, 45)
    prune(history, 0, FIRST + 1800)
    prune_until(history, FIRST + 1800)
    assert told(recorded, start=FIRST + 100, end=FIRST + 1000, step=900) == [(0, 900), (900, 900)]
    assert told(recorded, start=FIRST + 100, end=FIRST + 1000) == [(900, 900)]


def test_retention_with_few_points_loses_nothing_that_a_tier_keeps(recorded, settings):
    settings.SYSMON_TIERS = "1m=36500d,15m=40000d"
    settings.SYSMON_MAX_POINTS = 20
    minutes(recorded, 17)
    apply_retention()
    found = told(recorded)
    assert [width for _start, width in found].count(5) == 12
    assert sum(width for _start, width in found) == 17 * 60


def test_a_tier_tells_from_where_it_has_lost_nothing(recorded):
    history = minutes(recorded, 20)
    prune(history, 0, FIRST + 61)
    found = [(tier.tier, tier.first) for tier in stored_tiers(CpuSample, recorded.host.pk)]
    wider = [*WIDTHS[1:], WIDTHS[-1]]
    assert found == [(0, FIRST + 120), *((w, FIRST - FIRST % next_w) for w, next_w in zip(WIDTHS, wider, strict=True))]


@pytest.mark.parametrize(("start", "end"), [(0, 300), (100, 200), (0, 899), (1000, 1100)])
def test_a_short_range_of_which_only_roll_ups_are_left_has_its_processes(recorded, start, end):
    history = minutes(recorded, 30)
    prune(history, 0, FIRST + 1795)
    prune_until(history, FIRST + 1740)
    ranked = read_processes(ProcessQuery(recorded.host, start=FIRST + start, end=FIRST + end))
    assert (ranked.timestamp, ranked.resolution, ranked.total) == (FIRST + start // 900 * 900, 900, 1)
