"""What an older version has rolled up becomes the tiers of today: nothing lost, all as if it had been made now."""

import random
from dataclasses import replace
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from metrics.history.process_history import LifeQuery, read_line
from metrics.history.processes import ProcessQuery, read_processes
from metrics.history.series import SeriesQuery, read_series
from metrics.history.top import TopQuery, read_top
from metrics.models import CpuSample, Process, ProcessSample, RollUpState
from metrics.models.samples import sample_models
from metrics.retention.buckets import Buckets
from metrics.retention.conversion import convert
from metrics.retention.rollup import roll_up, roll_up_buckets
from metrics.tiers import RAW, WIDTHS, Tier, tiers
from tests.history.minutes import HOUR, a_history, store
from tests.history.minutes import Minute as MadeMinute

DAY = 24 * HOUR
# What the older version had: width -> (what it is made from, whether it knows single processes). The first two are
# tiers; the others were made for steps, and nobody saw them.
OLDER = {60: (RAW, True), 900: (60, True), 300: (60, False), 5400: (900, False), 32_400: (900, True)}
migration = import_module("metrics.migrations.0040_ladder_of_tiers")


def make_older(host, minutes, widths=OLDER):
    """Leave what the older version would have stored, in its own order, and migrate."""
    for model in sample_models():
        model.objects.filter(host=host, tier__in=[w for w in WIDTHS if w not in (60, 900)]).delete()
    first, last = (moment.timestamp // DAY * DAY for moment in (min(minutes, key=at), max(minutes, key=at)))
    for width, (source, has_processes) in widths.items():
        if width not in (60, 900):
            tier = Tier(width, source, 400 * DAY, 25 if has_processes else 0)
            for start in range(first - first % width, last + DAY, width):
                if start + width <= max(minutes, key=at).timestamp:
                    roll_up_buckets(Buckets(host, tier, start, start + width))
            if not has_processes:
                ProcessSample.objects.filter(host=host, tier=width).delete()
    migration.convert_what_there_is(apps, type("Editor", (), {"connection": connection}))


def at(minute):
    return minute.timestamp


def stored(host, widths=WIDTHS):
    rows = [
        tuple((name, bytes(v) if isinstance(v, memoryview) else v) for name, v in row.items() if name != "id")
        for model in sample_models()
        for row in model.objects.filter(host=host, tier__in=widths).values()
    ]
    assert rows
    return sorted(rows, key=repr)


def widths_of(host):
    return {
        tier for model in sample_models() for tier in model.objects.filter(host=host).values_list("tier", flat=True)
    }


def answers(host, step):
    process = Process.objects.filter(host=host).exclude(pid=0).first()
    return [
        read_series(SeriesQuery(host, "cpu", limit=1000, step=step)),
        read_series(SeriesQuery(host, "disk", limit=1000, step=step)),
        read_line(LifeQuery(process, limit=1000, step=step)),
        read_top(TopQuery(host, limit=1000, step=step)),
        read_processes(ProcessQuery(host, limit=100, start=0)),
    ]


def alike(one, other):
    """Whether two answers are the same but for the rounding of means of means."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        # When it was seen is told to a quarter of an hour where a wider tier is read.
        seen = [name for name in ("first_seen", "last_seen") if name in one]
        return all(other[name] == pytest.approx(one[name], abs=900) for name in seen) and all(
            alike(one[name], other[name]) for name in one if name not in seen
        )
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float):
        return other == pytest.approx(one, abs=0.3)
    return other == one or (isinstance(one, int) and other == pytest.approx(one, abs=4))


def same_answers(host, before, step):
    for one, other in zip(before, answers(host, step), strict=True):
        shown = [getattr(found, "points", None) or getattr(found, "results", []) for found in (one, other)]
        assert alike(*shown), (one, other)


class TestAnyHistory(TestCase):
    @settings(max_examples=4, deadline=None)
    @given(st.integers(0, 2**32), st.sampled_from([900, 7200, 21_600, DAY]))
    def test_it_becomes_what_would_have_been_made_from_the_beginning(self, seed, step):
        host, minutes, _chance = a_history(seed)
        before, told = stored(host), answers(host, step)
        make_older(host, minutes)
        assert widths_of(host) >= {RAW, *OLDER} - {32_400}
        same_answers(host, told, step)
        days = 1
        while not convert(host, max_seconds=0):
            same_answers(host, told, step)
            days += 1
        assert days >= 1
        assert stored(host) == before
        assert widths_of(host) == {RAW, *WIDTHS}
        assert RollUpState.objects.get(host=host).converted_from is None

    @settings(max_examples=4, deadline=None)
    @given(st.integers(0, 2**32))
    def test_what_is_recorded_meanwhile_is_rolled_up_as_well(self, seed):
        host, minutes, _chance = a_history(seed)
        make_older(host, minutes)
        later = [MadeMinute(random.Random(seed + n), minutes[-1].timestamp + 60 * (n + 1)) for n in range(20)]
        recorder = type("Recorded", (), {"tick": recorder_of(host)})
        for minute in later:
            store(recorder, minute)
            roll_up(host)
            convert(host, max_seconds=0)
        while not convert(host):
            pass
        converted = stored(host)
        make_again(host)
        assert stored(host) == converted


def recorder_of(host):
    from tests.conftest import RecordedHost

    recorded = RecordedHost.__new__(RecordedHost)
    recorded.host = host
    recorded._writer = import_module("metrics.recording.writing").TickWriter(host)
    return staticmethod(recorded.tick)


def make_again(host):
    """Everything from the raw points, in one go."""
    for model in sample_models():
        model.objects.filter(host=host, tier__in=WIDTHS).delete()
    RollUpState.objects.filter(host=host).delete()
    roll_up(host)


def quarters_only(host, minutes):
    """As it is after two weeks: nothing finer is left."""
    make_older(host, minutes)
    for model in sample_models():
        model.objects.filter(host=host, tier__in=(RAW, 60, 300)).delete()


@pytest.mark.django_db
def test_what_only_quarters_tell_of_is_made_from_them():
    host, minutes, _chance = a_history(7)
    quarters_only(host, minutes)
    quarters = stored(host, [900])
    while not convert(host, max_seconds=0):
        pass
    assert stored(host, [900]) == quarters
    assert widths_of(host) == {900, 3600, 21_600, 86_400}
    hours = {row.timestamp: row for row in CpuSample.objects.filter(tier=3600)}
    for at_hour, hour in hours.items():
        parts = CpuSample.objects.filter(tier=900, timestamp__gte=at_hour, timestamp__lt=at_hour.timestamp() + HOUR)
        covered = sum(part.covered_seconds for part in parts)
        assert (hour.covered_seconds, hour.points) == (covered, sum(part.points for part in parts))
        mean = sum(part.percent * part.covered_seconds for part in parts) / covered
        assert hour.percent == pytest.approx(mean, abs=0.006)
        assert hour.percent_max == max(part.percent_max for part in parts)


@pytest.mark.django_db
def test_hours_of_another_setting_are_kept_and_days_made_from_them():
    """A setting of `1m=14d,1h=400d`: there are no quarters to make anything from."""
    host, _minutes, _chance = a_history(11)
    hours = stored(host, [3600])
    for model in sample_models():
        model.objects.filter(host=host).exclude(tier=3600).delete()
    migration.convert_what_there_is(apps, type("Editor", (), {"connection": connection}))
    while not convert(host, max_seconds=0):
        pass
    assert stored(host, [3600]) == hours
    assert widths_of(host) == {3600, 21_600, 86_400}


@pytest.mark.django_db
def test_a_width_that_is_no_more_is_what_the_wider_ones_are_made_from():
    """A setting of `1m=14d,30m=400d`."""
    host, minutes, _chance = a_history(13)
    points = sum(CpuSample.objects.filter(tier=60).values_list("points", flat=True))
    tier, first = Tier(1800, 60, 400 * DAY, 5), minutes[0].timestamp // DAY * DAY
    for start in range(first, first + 4 * DAY, 1800):
        roll_up_buckets(Buckets(host, tier, start, start + 1800))
    for model in sample_models():
        model.objects.filter(host=host).exclude(tier=1800).delete()
    migration.convert_what_there_is(apps, type("Editor", (), {"connection": connection}))
    while not convert(host, max_seconds=0):
        pass
    assert widths_of(host) == {3600, 21_600, 86_400}
    for width in (3600, 21_600, 86_400):
        assert sum(CpuSample.objects.filter(tier=width).values_list("points", flat=True)) == points


@pytest.mark.django_db
def test_a_new_host_has_nothing_to_convert(recorded):
    recorded.ticks(3)
    roll_up(recorded.host)
    assert convert(recorded.host)
    assert RollUpState.objects.get().converted_from is None
    assert [tier.width_seconds for tier in tiers()] == list(WIDTHS)
    assert replace(tiers()[0], source_seconds=RAW) == tiers()[0]
