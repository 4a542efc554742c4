"""Who used the CPU, packed with the totals of each moment, is what the rows of the processes say."""

from collections import defaultdict
from importlib import import_module

from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from metrics.models import Process, ProcessSample, ProcessTotals
from metrics.models.packing import packed, unpacked
from metrics.retention.rollup import roll_up
from metrics.tiers import RAW, WIDTHS
from tests.conftest import FIRST_TICK
from tests.history.minutes import a_history


@given(st.dictionaries(st.integers(1, 2**40), st.integers(1, 2**40), max_size=30))
def test_what_is_packed_comes_back(values):
    assert dict(unpacked(packed(values))) == values
    assert dict(unpacked(memoryview(packed(values)))) == values


def test_small_numbers_take_two_bytes_each():
    assert len(packed({65_535: 1, 2: 65_535})) == 2 + 2 * 4
    assert len(packed({65_536: 1})) == 2 + 6
    assert packed({}) == b""
    assert dict(unpacked(None)) == {}


def by_process(host):
    """(Tier, time) -> what is packed there."""
    rows = ProcessTotals.objects.filter(host=host).values_list("tier", "timestamp", "cpu_by_process")
    return {(tier, int(moment.timestamp())): dict(unpacked(data)) for tier, moment, data in rows}


def by_rows(host):
    rows = ProcessSample.objects.filter(host=host, cpu_percent__gt=0).exclude(process__pid=0)
    found = defaultdict(dict)
    for tier, moment, process, cpu in rows.values_list("tier", "timestamp", "process", "cpu_percent"):
        found[tier, int(moment.timestamp())][process] = round(cpu * 100)
    return found


class TestAnyHistory(TestCase):
    @settings(max_examples=8, deadline=None)
    @given(st.integers(0, 2**32))
    def test_it_is_that_of_the_rows(self, seed):
        host, _minutes, _chance = a_history(seed)
        found, rows = by_process(host), by_rows(host)
        assert {tier for tier, _at in found} == {RAW, *WIDTHS}
        assert found == {moment: rows.get(moment, {}) for moment in found}

    @settings(max_examples=4, deadline=None)
    @given(st.integers(0, 2**32))
    def test_an_older_history_is_filled_in_to_the_same(self, seed):
        host, _minutes, _chance = a_history(seed)
        before = by_process(host)
        assert any(before.values())
        ProcessTotals.objects.update(cpu_by_process=None)
        migration = import_module("metrics.migrations.0008_cpu_by_process")
        migration.fill(None, type("Editor", (), {"connection": connection}))
        assert by_process(host) == before


def test_a_process_that_a_late_tick_overtakes_is_not_left_behind(recorded):
    recorded.tick(FIRST_TICK, processes={"total": 1}, process=[{"pid": 1, "cpu_percent": 5.0}])
    roll_up(recorded.host)
    recorded.tick(FIRST_TICK + 5, processes={"total": 1}, process=[{"pid": 2, "cpu_percent": 9.0}])
    roll_up(recorded.host)
    ids = dict(Process.objects.values_list("pid", "pk"))
    minute = FIRST_TICK - FIRST_TICK % 60
    assert by_process(recorded.host)[60, minute] == {ids[1]: 250, ids[2]: 450}


def test_nobody_used_any(recorded):
    recorded.tick(FIRST_TICK, processes={"total": 1}, process=[{"pid": 1, "cpu_percent": 0.0, "rss_bytes": 1024}])
    recorded.tick(FIRST_TICK + 5, processes={"total": 1})
    roll_up(recorded.host)
    assert not any(by_process(recorded.host).values())
