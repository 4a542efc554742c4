"""A clock that jumps by more than a day is noticed, said once, and kept with the host."""

import logging

import pytest

from metrics.models import Host, NewestReading
from metrics.recording.clock_jumps import ClockReading, ClockWatch
from metrics.recording.recording import Recording
from metrics.recording.samples import TakenReading
from metrics.status.health import read_health
from tests.conftest import FIRST_TICK

DAY = 86_400


@pytest.mark.parametrize(
    ("seconds", "uptime", "boot", "jump"),
    [
        (5, 5.0, "a", 0),
        (DAY, 0.0, "a", 0),
        (DAY + 1, 0.0, "a", DAY + 1),
        (3 * DAY, 3.0 * DAY, "a", 0),  # asleep for three days, which the clock of the boot counts too
        (-DAY - 1, 0.0, "a", -DAY - 1),
        (-56 * 365 * DAY, 5.0, "a", -56 * 365 * DAY - 5),
        (400 * DAY, -1000.0, "b", 0),  # off for a year
        (-3600, -1000.0, "b", 0),
        (-2 * DAY, -1000.0, "b", -2 * DAY),  # a boot in the past
        (5 * DAY, 5.0, "", 0),
    ],
)
def test_a_jump_is_what_the_time_since_the_boot_does_not_explain(seconds, uptime, boot, jump):
    before = ClockReading(FIRST_TICK, 5000.0, "a")
    assert ClockReading(FIRST_TICK + seconds, 5000.0 + uptime, boot).jump_since(before) == jump


def test_it_is_said_once(caplog):
    watch = ClockWatch([], "a")
    jumps = [watch.jump_at(at, up, "a") for up, at in enumerate((10, 11, 4_070_908_800, 4_070_908_801, 12, 13))]
    assert [bool(jump) for jump in jumps] == [False, False, True, False, True, False]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "the clock jumped forward by 47117.0 days" in caplog.text
    assert "the clock jumped back by 47117.0 days" in caplog.text


def test_the_run_before_and_its_newest_family_are_what_the_first_tick_is_compared_with():
    kept = [
        TakenReading(FIRST_TICK, 900.0, "old", {}),
        TakenReading(FIRST_TICK - 100, 100.0, "a", {}),
        TakenReading(FIRST_TICK, 200.0, "a", {}),
    ]
    assert ClockWatch(kept, "a").jump_at(FIRST_TICK + 5, 205.0, "a") == 0
    assert ClockWatch(kept, "a").jump_at(FIRST_TICK + 2 * DAY, 200.0, "a") == 2 * DAY


@pytest.fixture
def host(db):
    return Host.objects.create(name="test-host", boot_id="boot")


def record(host, monkeypatch, *timestamps):
    """Ticks of one boot, five seconds after each other by the clock that nobody can set."""
    recording = Recording(host, 5, family_runners=[])
    for place, timestamp in enumerate(timestamps):
        monkeypatch.setattr("metrics.recording.recording.uptime_seconds", lambda up=10.0 + 5 * place: up)
        recording.tick(timestamp)


def test_a_jump_is_kept_with_the_host_and_health_says_it(host, monkeypatch):
    monkeypatch.setattr("time.time", lambda: FIRST_TICK + 2.0)
    record(host, monkeypatch, 100, FIRST_TICK - 5, FIRST_TICK)
    host.refresh_from_db()
    assert int(host.clock_jumped_at.timestamp()) == FIRST_TICK - 5
    assert host.clock_jump_seconds == FIRST_TICK - 5 - 100 - 5
    health = read_health()
    assert health["is_healthy"]
    assert health["checks"]["clock"] == {
        "status": "failed",
        "message": "the clock jumped forward by 20779.7 days",
        "jumped_at": FIRST_TICK - 5,
        "jump_seconds": FIRST_TICK - 110,
        "ticks_ahead": 0,
    }


def test_a_jump_to_a_time_that_was_recorded_before_is_kept_too(host, monkeypatch):
    record(host, monkeypatch, 100, FIRST_TICK, 100)
    host.refresh_from_db()
    assert host.clock_jump_seconds < 0


def test_health_counts_what_lies_ahead_and_is_no_worse_for_it(recorded, at_noon):
    recorded.tick(FIRST_TICK + 3600, cpu={})
    recorded.tick(FIRST_TICK, cpu={})
    health = read_health()
    assert health["is_healthy"]
    assert health["checks"]["clock"]["ticks_ahead"] == 1
    assert "go first: 1" in health["checks"]["clock"]["message"]


def test_while_nothing_is_stored_since_the_clock_was_set_back_health_is_degraded(recorded, at_noon):
    recorded.tick(FIRST_TICK, cpu={})
    recorded.tick(FIRST_TICK + 3600, cpu={})
    health = read_health()
    assert not health["is_healthy"]
    assert health["checks"]["sampling"]["message"] == "the newest tick is 3598 s ahead: the clock was set"


def test_health_says_nothing_of_a_clock_that_is_right(recorded, at_noon):
    recorded.tick(cpu={})
    assert "clock" not in read_health()["checks"]
    assert not NewestReading.objects.exists()
