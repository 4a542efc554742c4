"""What the real program says of the times in which it did not record."""

import os
import signal
import threading

import pytest

from tests.supervision.running import Up, eventually

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="django-q2 needs fork"),
]
# Longer than what is a gap at this interval, by far.
SILENCE_SECONDS = 8.0


@pytest.fixture
def up(tmp_path):
    running = Up(tmp_path / "data")
    running.start()
    yield running
    running.end_for_sure()


def events(up, kind):
    status, body = up.get(f"/api/v1/events?kind={kind}")
    assert status == 200
    return body["results"]


def taken_over_at(up):
    return up.query("SELECT taken_over_at FROM metrics_recorder")[0][0]


def nobody_records():
    threading.Event().wait(SILENCE_SECONDS)


def test_a_stop_a_kill_and_a_hand_over_are_told_apart(up):
    assert eventually(lambda: up.newest_tick() > 0, 20)
    assert up.stop() == 0
    nobody_records()
    up.start()
    [stopped] = eventually(lambda: events(up, "gap"), 20)
    assert (stopped["details"]["cause"], stopped["severity"], stopped["culprits"]) == ("stopped", "info", [])

    for process in up.processes():
        process.send_signal(signal.SIGKILL)
    up.process.wait(timeout=10)
    nobody_records()
    up.start()
    assert eventually(lambda: len(events(up, "gap")) == 2, 20)
    killed = events(up, "gap")[1]
    assert (killed["details"]["cause"], killed["severity"]) == ("killed", "warning")
    assert killed["culprits"]

    assert up.run("mark", "deployed 1.2").returncode == 0
    assert [mark["title"] for mark in events(up, "mark")] == ["deployed 1.2"]
    before = taken_over_at(up)
    assert eventually(lambda: taken_over_at(up) != before, 90)
    assert events(up, "unclean_stop,reboot,clock_step") == []
    assert len(events(up, "gap")) == 2
