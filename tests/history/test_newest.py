"""What the newest tick is, also while the clock is not what it was."""

import pytest

from metrics.history.newest import Moment, last_stored_tick, newest_tick
from metrics.history.processes import ProcessQuery, read_processes
from tests.conftest import FIRST_TICK


@pytest.fixture
def at_noon(monkeypatch):
    monkeypatch.setattr("time.time", lambda: FIRST_TICK + 2.0)


def tick(recorded, moment, percent=1.0):
    recorded.tick(
        FIRST_TICK + moment,
        processes={"total": 1},
        process=[{"pid": 100 + moment, "name": "p", "cpu_percent": percent}],
    )


def top(host):
    found = read_processes(ProcessQuery(host))
    return found.timestamp, [process["pid"] for process in found.results]


def test_it_is_the_one_with_the_latest_time(recorded, at_noon):
    for moment in (-5, 0, -10):
        tick(recorded, moment)
    assert newest_tick(recorded.host) == Moment(FIRST_TICK, 5)


def test_there_is_none_before_the_first(recorded):
    assert newest_tick(recorded.host) is None


def test_one_that_a_clock_wrote_which_was_ahead_is_not_the_newest_once_recording_has_gone_on(recorded, at_noon):
    for moment in (3600, 3605, -5, 0):
        tick(recorded, moment)
    assert newest_tick(recorded.host) == Moment(FIRST_TICK, 5)
    assert top(recorded.host) == (FIRST_TICK, [100])


def test_nor_is_it_while_nothing_else_was_recorded_since(recorded, at_noon):
    for moment in (0, 3600):
        tick(recorded, moment)
    assert newest_tick(recorded.host) == Moment(FIRST_TICK, 5)
    assert top(recorded.host) == (FIRST_TICK, [100])
    assert last_stored_tick(recorded.host) == Moment(FIRST_TICK + 3600, 5)


def test_where_there_is_nothing_else_at_all_there_is_no_newest(recorded, at_noon):
    tick(recorded, 3600)
    assert newest_tick(recorded.host) is None
    assert top(recorded.host) == (None, [])


@pytest.mark.parametrize(("ahead", "is_newest"), [(5, True), (60, True), (65, False)])
def test_a_minute_ahead_is_no_more_than_another_machines_clock(recorded, at_noon, ahead, is_newest):
    for moment in (0, ahead):
        tick(recorded, moment)
    assert newest_tick(recorded.host) == Moment(FIRST_TICK + (ahead if is_newest else 0), 5)


def test_another_hosts_ticks_say_nothing(recorded, other_host, at_noon):
    tick(recorded, -60)
    tick(other_host, 0)
    assert newest_tick(recorded.host) == Moment(FIRST_TICK - 60, 5)
