"""When a host was booted, and its processes were started, by a clock that is set."""

import pytest
from django.db import OperationalError

from metrics.collectors import machine
from metrics.models import Host, Process
from metrics.recording import boots
from metrics.recording.recording import Recording, this_host
from tests.recording.fakes import Clock, ScriptedRunner, process_row, processes_reading

BOOTED, UPTIME = 1_790_000_000.0, 500.0
DAY = 86_400


class Machine:
    """A machine that was booted once, whose wall clock can be set."""

    def __init__(self, monkeypatch):
        self.boot_id, self.booted_at, self.number = "boot-1", BOOTED, 0
        facts = {name: value for name, value in machine.describe().items() if name not in {"boot_id", "booted_at"}}
        monkeypatch.setattr(
            machine, "describe", lambda: {**facts, "boot_id": self.boot_id, "booted_at": self.booted_at}
        )
        monkeypatch.setattr(machine, "boot_id", lambda: self.boot_id)
        monkeypatch.setattr(machine, "booted_at", lambda: self.booted_at)
        monkeypatch.setattr(boots, "uptime_seconds", lambda: UPTIME)

    def records(self, *ticks):
        """Record ticks, each of the processes of some rows, in one run."""
        readings = [processes_reading(*rows) for rows in ticks]
        self.clock = Clock(100.0)
        self.recording = Recording(this_host(), 5, [ScriptedRunner("processes", readings, self.clock)])
        return self

    def tick(self):
        self.number += 1
        self.clock.now += 5
        self.recording.tick(round(self.booted_at) + 1000 + 5 * self.number)


@pytest.fixture
def board(db, monkeypatch):
    return Machine(monkeypatch)


def starts():
    """Pid and seconds after the boot of every process."""
    boot = Host.objects.get().booted_at.timestamp()
    return sorted((p.pid, round(p.started_at.timestamp() - boot, 2)) for p in Process.objects.all())


ROWS = (process_row(1, start_seconds=0.0), process_row(7, start_seconds=12.34), process_row(8, start_seconds=499.0))
STARTS = [(1, 0.0), (7, 12.34), (8, 499.0)]
STEPS = [200 * DAY, -200 * DAY, 3600.0, 5.5, -1.01, BOOTED * -1]


@pytest.mark.parametrize("step", STEPS)
def test_a_clock_that_is_set_moves_the_boot_and_what_was_started(board, step):
    board.records(ROWS, ROWS).tick()
    ids = set(Process.objects.values_list("pk", flat=True))
    board.booted_at += step
    board.tick()
    assert Host.objects.get().booted_at.timestamp() == pytest.approx(BOOTED + step, abs=0.001)
    assert starts() == STARTS
    assert set(Process.objects.values_list("pk", flat=True)) == ids


@pytest.mark.parametrize("step", STEPS)
def test_the_next_run_finds_the_same_processes(board, step):
    board.records(ROWS).tick()
    ids = set(Process.objects.values_list("pk", flat=True))
    board.booted_at += step
    board.records(ROWS).tick()
    assert set(Process.objects.values_list("pk", flat=True)) == ids
    assert starts() == STARTS


@pytest.mark.parametrize("drift", [0.4, -0.9, 0.0])
def test_less_than_a_second_moves_nothing(board, drift):
    board.records(ROWS, ROWS).tick()
    board.booted_at += drift
    board.tick()
    assert Host.objects.get().booted_at.timestamp() == BOOTED
    assert Process.objects.count() == 3


def test_a_process_of_the_boot_before_stays_where_it_was_and_is_another(board):
    board.records(ROWS).tick()
    board.boot_id = "boot-2"  # a board without a clock: every boot is at the same time, until the network is there
    board.records(ROWS, ROWS).tick()
    assert Process.objects.count() == 6
    board.booted_at += 200 * DAY
    board.tick()
    moved = [p.started_at.timestamp() - BOOTED > 100 * DAY for p in Process.objects.order_by("pk")]
    assert moved == [False] * 3 + [True] * 3


def test_processes_that_older_versions_recorded_are_told_apart_by_time(board):
    host = this_host()
    Host.objects.update(boot=0)
    for pid, at in ((1, BOOTED), (2, BOOTED + UPTIME), (3, BOOTED - 60), (4, BOOTED + UPTIME + 60), (5, 5000)):
        Process.objects.create(host=host, pid=pid, started_at=at, name="x")
    Process.objects.create(host=host, pid=0, started_at=0, name="others")
    board.booted_at += 3600
    this_host()
    expected = {BOOTED + 3600, BOOTED + UPTIME + 3600}
    moved = {process.pid for process in Process.objects.all() if process.started_at.timestamp() in expected}
    assert moved == {1, 2}


def test_a_start_that_becomes_that_of_another_is_no_conflict(board):
    """One pid that was used twice, as far apart as the clock is set."""
    rows = (process_row(7, start_seconds=10.0), process_row(7, start_seconds=20.0))
    board.records(rows, rows).tick()
    board.booted_at += 10
    board.tick()
    assert starts() == [(7, 10.0), (7, 20.0)]


def test_a_tick_that_is_not_stored_moves_nothing(board, monkeypatch):
    board.records(ROWS, ROWS).tick()
    board.booted_at += 3600
    writer = board.recording._pending._writer
    before = board.recording.host.booted_at

    def refuse(*arguments):
        raise OperationalError("disk full")

    monkeypatch.setattr(writer, "_keep_states", refuse)
    board.tick()
    assert Host.objects.get().booted_at == board.recording.host.booted_at == before
    assert starts() == STARTS


def test_a_simulated_host_has_no_clock_to_follow(board):
    host = Host.objects.create(name="other", boot_id="simulated", booted_at=5)
    assert not boots.is_of_this_boot(host)
    assert boots.is_of_this_boot(this_host())
