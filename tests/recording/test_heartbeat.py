"""What a supervisor and its processes share, seen from both ends."""

import os
import time
from multiprocessing import get_context
from threading import Event

import pytest

from metrics.recording.heartbeat import Heartbeat, Unwatched
from metrics.supervision.web import failure_reason_of_web as silent
from tests.supervision.running import eventually

FAR = 10_000.0


@pytest.fixture
def heartbeat():
    return Heartbeat(get_context())


def forward(monkeypatch, seconds):
    now = time.monotonic() + seconds
    monkeypatch.setattr(time, "monotonic", lambda: now)


def test_a_window_that_took_over_is_known(heartbeat):
    assert heartbeat.recorder_pid() is None
    heartbeat.mark_hand_over()
    assert heartbeat.recorder_pid() == os.getpid()


def test_how_many_ticks_wait_and_why_is_known_until_they_do_no_longer(heartbeat):
    heartbeat.mark_pending(3, "database is locked")
    assert heartbeat.pending() == (3, "database is locked")
    heartbeat.mark_pending(0)
    assert heartbeat.pending() == (0, "")


def test_a_reason_of_any_length_and_language_is_kept_as_far_as_there_is_room(heartbeat):
    heartbeat.mark_pending(1, "잠김" * 100)
    assert heartbeat.pending().reason == ("잠김" * 100)[:85]


def test_while_ticks_wait_no_hand_over_is_overdue(heartbeat, monkeypatch):
    heartbeat.mark_hand_over()
    forward(monkeypatch, FAR)
    assert heartbeat.seconds_since_hand_over() >= FAR
    heartbeat.mark_pending(1, "database or disk is full")
    assert heartbeat.seconds_since_hand_over() == 0
    forward(monkeypatch, 50)
    heartbeat.mark_pending(0)
    assert heartbeat.seconds_since_hand_over() == pytest.approx(50, abs=1)


def test_while_the_queue_is_silent_no_hand_over_is_overdue(heartbeat, monkeypatch):
    heartbeat.mark_hand_over()
    forward(monkeypatch, FAR)
    heartbeat.suspend_deadline()
    assert heartbeat.seconds_since_hand_over() == 0
    assert heartbeat.pending().reason == ""


def test_who_was_stopped_for_a_while_is_forgiven(heartbeat, monkeypatch):
    heartbeat.mark_hand_over()
    heartbeat.mark_pending(2, "full")
    forward(monkeypatch, FAR)
    heartbeat.reset_deadline()
    assert (heartbeat.seconds_since_beat(), heartbeat.seconds_since_hand_over()) == (0, 0)
    assert (heartbeat.recorder_pid(), heartbeat.pending().ticks) == (os.getpid(), 2)


def test_a_new_process_has_no_ticks_that_wait(heartbeat):
    heartbeat.mark_pending(3, "database is locked")
    heartbeat.reset()
    assert heartbeat.pending() == (0, "")


def test_a_hand_over_forgets_nothing_that_waits(heartbeat):
    heartbeat.mark_pending(3, "database is locked")
    heartbeat.mark_hand_over()
    assert heartbeat.pending() == (3, "database is locked")


def test_a_line_that_nobody_watches_remembers_what_was_said_too():
    line = Unwatched()
    line.mark_pending(2, "full")
    assert line.pending() == (2, "full")


def test_a_proxy_is_known_to_all_processes_and_one_of_them_was_the_first():
    context = get_context("fork")
    heartbeat, first = Heartbeat(context), context.SimpleQueue()
    assert not heartbeat.has_proxy()
    children = [context.Process(target=lambda: first.put(heartbeat.note_proxy())) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert sorted(first.get() for _ in children) == [False, False, False, True]
    heartbeat.reset()
    assert heartbeat.has_proxy()


def test_without_a_supervisor_a_process_knows_of_its_own_proxy(monkeypatch):
    monkeypatch.setattr(Unwatched, "_proxy", Event())
    assert [Unwatched().has_proxy(), Unwatched().note_proxy(), Unwatched().note_proxy()] == [False, True, False]
    assert Unwatched().has_proxy()


# The web server's processes --------------------------------------------------------------------------------------


@pytest.fixture
def beats(monkeypatch):
    """A heartbeat whose processes of the web server beat at each step of a clock that a test sets."""
    monkeypatch.setattr("metrics.recording.heartbeat.WEB_BEAT_SECONDS", 0.01)
    lines = []

    def made(processes):
        lines.append(Heartbeat(get_context(), processes))
        return lines[-1]

    yield made
    for line in lines:
        line.stop()


@pytest.mark.parametrize(("processes", "places"), [(1, 1), (2, 3)])
def test_every_process_of_the_web_server_has_to_say_that_it_lives(beats, monkeypatch, processes, places):
    line = beats(processes)
    for _ in range(places - 1):
        line.keep_web_beat()
    assert not line.has_web_started()
    line.keep_web_beat(lambda: False)
    assert line.has_web_started()
    forward(monkeypatch, 25)
    assert eventually(lambda: max(line._web_beats) >= time.monotonic() or places == 1, 5)
    assert silent(line) == "has been stuck for 25 s"


def test_a_web_server_that_says_that_it_lives_is_left_alone(beats, monkeypatch):
    line = beats(1)
    line.keep_web_beat()
    forward(monkeypatch, 1000)
    assert eventually(lambda: line.seconds_since_web_beat() == 0, 5)
    assert silent(line) is None


def test_one_that_starts_has_more_time(beats, monkeypatch):
    line = beats(1)
    forward(monkeypatch, 25)
    assert silent(line) is None
    forward(monkeypatch, 40)
    assert silent(line) == "has been stuck for 65 s"
    line.reset_web_beats()
    assert silent(line) is None


def test_after_a_suspend_of_everything_nobody_is_blamed(beats, monkeypatch):
    line = beats(1)
    line.keep_web_beat(lambda: False)
    forward(monkeypatch, 1000)
    line.reset_deadline()
    assert silent(line) is None


def test_a_recorder_that_is_started_anew_is_no_sign_of_life_of_the_web_server(beats, monkeypatch):
    line = beats(1)
    line.keep_web_beat(lambda: False)
    forward(monkeypatch, 25)
    line.reset()
    assert silent(line) == "has been stuck for 25 s"
