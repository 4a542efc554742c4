"""What a supervisor and its processes share, seen from both ends."""

import os
import time
from multiprocessing import get_context
from threading import Event

import pytest

from metrics.lifeline import Lifeline, Unwatched

FAR = 10_000.0


@pytest.fixture
def lifeline():
    return Lifeline(get_context())


def forward(monkeypatch, seconds):
    now = time.monotonic() + seconds
    monkeypatch.setattr(time, "monotonic", lambda: now)


def test_a_window_that_took_over_is_known(lifeline):
    assert lifeline.recorder_pid() is None
    lifeline.mark_hand_over()
    assert lifeline.recorder_pid() == os.getpid()


def test_how_many_ticks_wait_and_why_is_known_until_they_do_no_longer(lifeline):
    lifeline.mark_pending(3, "database is locked")
    assert lifeline.pending() == (3, "database is locked")
    lifeline.mark_pending(0)
    assert lifeline.pending() == (0, "")


def test_a_reason_of_any_length_and_language_is_kept_as_far_as_there_is_room(lifeline):
    lifeline.mark_pending(1, "잠김" * 100)
    assert lifeline.pending().reason == ("잠김" * 100)[:85]


def test_while_ticks_wait_no_hand_over_is_overdue(lifeline, monkeypatch):
    lifeline.mark_hand_over()
    forward(monkeypatch, FAR)
    assert lifeline.seconds_since_hand_over() >= FAR
    lifeline.mark_pending(1, "database or disk is full")
    assert lifeline.seconds_since_hand_over() == 0
    forward(monkeypatch, 50)
    lifeline.mark_pending(0)
    assert lifeline.seconds_since_hand_over() == pytest.approx(50, abs=1)


def test_while_the_queue_is_silent_no_hand_over_is_overdue(lifeline, monkeypatch):
    lifeline.mark_hand_over()
    forward(monkeypatch, FAR)
    lifeline.excuse_hand_over()
    assert lifeline.seconds_since_hand_over() == 0
    assert lifeline.pending().reason == ""


def test_who_was_stopped_for_a_while_is_forgiven(lifeline, monkeypatch):
    lifeline.mark_hand_over()
    lifeline.mark_pending(2, "full")
    forward(monkeypatch, FAR)
    lifeline.forgive()
    assert (lifeline.seconds_since_beat(), lifeline.seconds_since_hand_over()) == (0, 0)
    assert (lifeline.recorder_pid(), lifeline.pending().ticks) == (os.getpid(), 2)


def test_a_new_process_has_no_ticks_that_wait(lifeline):
    lifeline.mark_pending(3, "database is locked")
    lifeline.reset()
    assert lifeline.pending().ticks == 0


def test_a_line_that_nobody_watches_remembers_what_was_said_too():
    line = Unwatched()
    line.mark_pending(2, "full")
    assert line.pending() == (2, "full")


def test_a_proxy_is_known_to_all_processes_and_one_of_them_was_the_first():
    context = get_context("fork")
    lifeline, first = Lifeline(context), context.SimpleQueue()
    assert not lifeline.has_proxy()
    children = [context.Process(target=lambda: first.put(lifeline.note_proxy())) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert sorted(first.get() for _ in children) == [False, False, False, True]
    lifeline.reset()
    assert lifeline.has_proxy()


def test_without_a_supervisor_a_process_knows_of_its_own_proxy(monkeypatch):
    monkeypatch.setattr(Unwatched, "_proxy", Event())
    assert [Unwatched().has_proxy(), Unwatched().note_proxy(), Unwatched().note_proxy()] == [False, True, False]
    assert Unwatched().has_proxy()
