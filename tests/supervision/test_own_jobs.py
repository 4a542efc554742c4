"""What is said in the log of what was refused."""

import time

import pytest

from metrics.schedules import JOBS
from metrics.supervision.own_jobs import MAX_ENTRY_CHARACTERS, Refusals, entry_of, package_for, package_of


@pytest.fixture
def clock(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    return clock


def test_a_line_is_cut_and_what_steers_a_terminal_is_written_out(refused):
    Refusals().note("\x1b[2J\r\nall is well " + "x" * 100_000, "the queue")
    [line] = refused()
    assert line.isprintable()
    assert r"\x1b[2J\x0d\x0a" in line
    assert len(line) < 300


def test_a_flood_is_few_lines_a_minute_and_what_was_left_out_is_counted(refused, clock):
    refusals = Refusals()
    for _number in range(1000):
        refusals.note("os.system", "the queue")
    assert len(refused()) == Refusals.LINES
    clock[0] += Refusals.SECONDS
    refusals.note("os.system", "the queue")
    assert f"{1000 - Refusals.LINES} others" in refused()[-1]
    refusals.note("os.system", "the queue")
    assert "others" not in refused()[-1]


def test_every_job_finds_its_way_through_a_queue():
    for job in JOBS:
        entry = entry_of(package_of(job))
        assert entry == job.func
        assert len(entry) < MAX_ENTRY_CHARACTERS
        assert package_for(entry)


def test_a_job_that_the_settings_do_not_ask_for_is_none(settings):
    settings.SYSMON_FORWARD_URL = ""
    assert package_for("metrics.tasks.forward") is None
