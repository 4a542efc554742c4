"""The highest moments of a range, found again in histories in which they were put."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from metrics.history.metadata import series_families
from metrics.history.peaks import PeakQuery, headline, peak_fields, read_peaks
from metrics.retention.rollup import roll_up
from tests.conftest import RecordedHost
from tests.history.tiered import FIRST, History, prune, prune_some, record


def fill(recorded, numbers, percent, start=FIRST):
    """A tick of the cpu each five seconds; where it is over 50 percent `culprit` is there."""
    for number in numbers:
        high = percent(number) > 50
        culprit = [{"pid": 6, "name": "culprit", "cpu_percent": 300.0}] if high else []
        recorded.tick(
            start + 5 * number,
            cpu={"percent": percent(number)},
            processes={"total": 2},
            process=[{"pid": 5, "name": "steady", "cpu_percent": 5.0}, *culprit],
        )
    roll_up(recorded.host)


def spans(episodes):
    return [(episode["start"] - FIRST, episode["end"] - FIRST) for episode in episodes]


def test_a_burst_is_one_episode_and_names_who_did_it(recorded):
    fill(recorded, range(240), lambda number: 90.0 if 100 <= number < 112 else 5.0)
    [episode] = read_peaks(PeakQuery(recorded.host, "cpu"))
    assert spans([episode]) == [(500, 560)]
    assert (episode["peak"], episode["mean"], episode["resolution"]) == (90.0, 90.0, 5)
    first = episode["processes"][0]
    assert (first["name"], first["cpu_percent"], first["cpu_seconds"]) == ("culprit", 300.0, 180.0)


def test_a_short_dip_does_not_end_an_episode(recorded):
    fill(recorded, range(240), lambda number: 90.0 if 100 <= number < 140 and number % 7 else 5.0)
    assert spans(read_peaks(PeakQuery(recorded.host, "cpu"))) == [(500, 700)]


def test_a_long_dip_does(recorded):
    fill(recorded, range(240), lambda number: 90.0 if number in (100, 120) else 5.0)
    assert sorted(spans(read_peaks(PeakQuery(recorded.host, "cpu")))) == [(500, 505), (600, 605)]


def test_no_episode_goes_over_a_gap(recorded):
    numbers = [number for number in range(240) if not 104 <= number < 110]
    fill(recorded, numbers, lambda number: 90.0 if 100 <= number < 114 else 5.0)
    assert sorted(spans(read_peaks(PeakQuery(recorded.host, "cpu")))) == [(500, 520), (550, 570)]


def test_one_missing_tick_is_no_gap(recorded):
    numbers = [number for number in range(240) if number != 105]
    fill(recorded, numbers, lambda number: 90.0 if 100 <= number < 114 else 5.0)
    assert spans(read_peaks(PeakQuery(recorded.host, "cpu"))) == [(500, 570)]


def test_the_highest_come_first_and_no_more_than_asked_for(recorded):
    heights = {20: 60.0, 80: 99.0, 140: 70.0, 200: 80.0}
    fill(recorded, range(240), lambda number: heights.get(number, 5.0))
    query = {"host": recorded.host, "family": "cpu"}
    assert [episode["peak"] for episode in read_peaks(PeakQuery(**query))] == [99.0, 80.0, 70.0, 60.0]
    assert [episode["peak"] for episode in read_peaks(PeakQuery(**query, limit=2))] == [99.0, 80.0]
    in_range = PeakQuery(**query, start=FIRST + 5 * 100, end=FIRST + 5 * 199)
    assert [episode["peak"] for episode in read_peaks(in_range)] == [70.0]


def test_a_flat_line_has_no_peak(recorded):
    fill(recorded, range(20), lambda _number: 5.0)
    assert read_peaks(PeakQuery(recorded.host, "cpu")) == []


def test_a_long_range_is_searched_in_roll_ups_and_the_peak_told_exactly(recorded):
    """Six hours are searched by the minute; the spike is of five seconds."""
    for minute in range(0, 360, 2):
        fill(recorded, [0], lambda _number: 5.0, start=FIRST + 60 * minute)
    fill(recorded, range(12), lambda number: 97.0 if number == 7 else 5.0, start=FIRST + 60 * 181)
    [episode] = read_peaks(PeakQuery(recorded.host, "cpu", start=FIRST, end=FIRST + 60 * 359))
    assert (episode["peak"], episode["peak_at"], episode["resolution"]) == (97.0, FIRST + 60 * 181 + 35, 5)
    assert spans([episode]) == [(60 * 181, 60 * 182)]
    assert episode["processes"][0]["name"] == "culprit"


@pytest.mark.parametrize("end", [None, FIRST + 1200])
def test_a_short_range_of_which_only_quarters_are_left_has_peaks(recorded, end):
    fill(recorded, range(720), lambda number: 90.0 if 190 <= number < 200 else 5.0)
    for tier in (0, 60, 300):
        prune(History(recorded.host, []), tier, FIRST + 3600)
    [episode] = read_peaks(PeakQuery(recorded.host, "cpu", start=FIRST, end=end))
    assert (spans([episode]), episode["peak"], episode["resolution"]) == ([(900, 1800)], 90.0, 900)
    assert episode["processes"][0]["name"] == "culprit"


def test_unknown_values_are_no_moments(recorded):
    for number, percent in enumerate([5.0, None, 90.0, None, 5.0, 5.0]):
        recorded.tick(FIRST + 5 * number, cpu={"percent": percent})
    assert spans(read_peaks(PeakQuery(recorded.host, "cpu"))) == [(10, 15)]


def test_who_is_ranked_depends_on_the_family(recorded):
    eater = {"pid": 1, "name": "eater", "rss_bytes": 1024**3, "cpu_percent": 0.1}
    for number in range(9):
        there = [eater] if number == 4 else []
        recorded.tick(
            FIRST + 5 * number,
            memory={"percent": 90.0 if there else 20.0},
            processes={"total": 2},
            process=[{"pid": 2, "name": "busy", "rss_bytes": 1024, "cpu_percent": 99.0}, *there],
        )
    [episode] = read_peaks(PeakQuery(recorded.host, "memory"))
    assert episode["processes"][0]["name"] == "eater"


@pytest.mark.parametrize("family", series_families())
def test_every_family_has_a_headline_that_goes_up_and_down(family):
    assert headline(family) in peak_fields(family)


class TestAnyHistory(TestCase):
    @settings(max_examples=15, deadline=None)
    @given(st.integers(0, 2**32))
    def test_the_first_peak_is_the_highest_point_that_any_tier_still_knows(self, seed):
        history = record(RecordedHost(f"host-{seed}"), seed)
        prune_some(history, random.Random(seed))
        episodes = read_peaks(PeakQuery(history.host, "cpu", limit=100))
        highest = max(tick.percent for tick in history.raw)
        if episodes:
            assert episodes[0]["peak"] == highest
        assert [e["peak"] for e in episodes] == sorted((e["peak"] for e in episodes), reverse=True)
        stretches = sorted((e["start"], e["end"]) for e in episodes)
        assert all(one[1] <= two[0] + 60 for one, two in pairwise(stretches))
        for episode in episodes:
            assert episode["start"] <= episode["peak_at"] < episode["end"]
            assert episode["mean"] <= episode["peak"] + 0.01
