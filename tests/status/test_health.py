"""Health: what is looked at, and what degrades."""

import os
from multiprocessing import get_context

import pytest
from django.db import OperationalError

from metrics.models import CollectorState, Host, Recorder
from metrics.recording.heartbeat import Heartbeat, Unwatched
from metrics.status.health import read_health, read_left_out
from tests.conftest import FIRST_TICK


@pytest.mark.parametrize(
    ("age", "is_healthy"), [(0, True), (19, True), (20, True), (21, False), (-4, True), (-60, False)]
)
def test_the_age_of_the_newest_tick_decides(recorded, monkeypatch, age, is_healthy):
    monkeypatch.setattr("time.time", lambda: FIRST_TICK + age)
    recorded.tick(cpu={})
    assert read_health()["is_healthy"] is is_healthy


def test_the_interval_then_in_force_says_what_is_too_old(recorded, monkeypatch):
    monkeypatch.setattr("time.time", lambda: FIRST_TICK + 100)
    recorded.tick(resolution=60, cpu={})
    health = read_health()
    assert (health["is_healthy"], health["checks"]["sampling"]["allowed_age_seconds"]) == (True, 185)


def test_a_host_without_a_tick_is_degraded(recorded):
    assert read_health()["checks"]["sampling"] == {"status": "failed", "message": "no sample yet"}


def test_a_machine_that_never_recorded_is_degraded(db):
    assert read_health()["is_healthy"] is False


def test_the_recorder_is_named(recorded, at_noon):
    recorded.tick(cpu={})
    assert read_health()["checks"]["recorder"] == {"status": "failed", "message": "nobody records"}
    Recorder.objects.create(host=recorded.host, pid=os.getpid(), taken_over_at=FIRST_TICK)
    assert read_health()["checks"]["recorder"] == {"status": "ok", "pid": os.getpid(), "window_age_seconds": 2.0}


@pytest.mark.parametrize(("seconds_ago", "is_said"), [(10, True), (290, True), (310, False)])
def test_two_recorders_of_one_name_are_a_warning_and_degrade_nothing(recorded, at_noon, seconds_ago, is_said):
    recorded.tick(cpu={})
    Recorder.objects.create(host=recorded.host, pid=os.getpid(), taken_over_at=FIRST_TICK)
    Host.objects.update(contested_at=FIRST_TICK + 2 - seconds_ago)
    health = read_health()
    assert health["is_healthy"]
    assert (health["checks"]["recorder"]["status"] == "failed") is is_said
    assert ["SYSMON_HOSTNAME" in warning["message"] for warning in health["warnings"]] == ([True] if is_said else [])


def test_each_family_is_named_with_its_outcome(recorded, at_noon):
    recorded.tick(cpu={}, memory={})
    families = read_health()["checks"]["families"]
    assert list(families) == ["cpu", "memory"]
    assert families["cpu"] == {
        "status": "ok",
        "message": "",
        "age_seconds": 2.0,
        "duration_milliseconds": 1.0,
        "runs": 1,
        "failures": 0,
    }


def test_a_database_that_does_not_answer_is_named(monkeypatch):
    def fail():
        raise OperationalError("disk I/O error")

    monkeypatch.setattr("metrics.status.health.find_host", fail)
    health = read_health()
    assert (health["is_healthy"], health["checks"]["database"]["message"]) == (False, "disk I/O error")


def test_ticks_that_wait_for_the_database_are_counted_with_the_reason(recorded, at_noon, monkeypatch):
    line = Unwatched()
    monkeypatch.setattr("metrics.status.health.attached", lambda: line)
    recorded.tick(cpu={})
    line.mark_pending(8, "database or disk is full")
    health = read_health()
    assert health["checks"]["storing"] == {
        "status": "failed",
        "pending_ticks": 8,
        "message": "database or disk is full",
    }
    line.mark_pending(0)
    assert read_health()["checks"]["storing"] == {"status": "ok", "pending_ticks": 0}


def test_a_proxy_that_was_noticed_is_named_and_degrades_nothing(recorded, at_noon, monkeypatch):
    recorded.tick(cpu={})
    heartbeat = Heartbeat(get_context())
    monkeypatch.setattr("metrics.recording.heartbeat._attached", heartbeat)
    assert "access" not in read_health()["checks"]
    heartbeat.note_proxy()
    health = read_health()
    assert health["is_healthy"]
    assert health["checks"]["access"]["status"] == "failed"
    assert "SYSMON_API_ACCESS=authenticated" in health["checks"]["access"]["message"]


@pytest.mark.parametrize("text", ["{not json", "7", "null", ""])
def test_what_was_left_out_cannot_break_health_whatever_is_in_the_row(recorded, at_noon, text):
    recorded.tick(cpu={})
    CollectorState.objects.update(left_out=text)
    assert read_health()["checks"]["families"]["cpu"].get("left_out", []) == []
    assert read_left_out(recorded.host) == []
