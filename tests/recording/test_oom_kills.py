"""Processes that the kernel killed for want of memory, from its counters and its log to an event."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from metrics.collectors import containers, kernel_log
from metrics.collectors.base import collectors
from metrics.models import Event
from metrics.recording.recording import Recording
from metrics.recording.runner import Runner
from tests.collectors.test_kernel_log import RECORDED
from tests.recording.fakes import Clock, ScriptedRunner, process_row, processes_reading

TICK, UPTIME = 1_795_348_800, 33_610.0
GIB = 2**30
INIT = process_row(1, name="systemd", rss_bytes=9 * GIB)
JAVA = process_row(812, name="java", username="app", rss_bytes=8 * GIB)
SHELL = process_row(900, name="sh")


def memory(count, own=None, group=7):
    limit = [] if own is None else [{"group": group, "oom_kill": own}]
    return {"memory": [], "vmstat": [{"oom_kill": count}] if count is not None else [], "own_limit": limit}


class Scene:
    """A recording of readings of memory and of processes, in starts of the program that follow each other."""

    def __init__(self, host):
        self.host, self.clock, self.number = host, Clock(UPTIME), 0

    def starts(self, *ticks):
        """Each tick is a reading of memory and the processes that there are."""
        families = zip(*((reading, processes_reading(*rows)) for reading, rows in ticks), strict=True)
        names = ("memory", "processes")
        runners = [ScriptedRunner(name, script, self.clock) for name, script in zip(names, families, strict=True)]
        recording = Recording(self.host, 5, runners)
        for _ in ticks:
            self.clock.now += 5
            self.number += 1
            recording.tick(TICK + 5 * self.number)
        return self


@pytest.fixture
def scene(host, monkeypatch, tmp_path):
    monkeypatch.setattr(kernel_log, "KMSG", tmp_path / "kmsg")
    monkeypatch.setattr(containers, "has_own_processes", lambda: False)
    monkeypatch.setattr("metrics.recording.recording.suspended_seconds", lambda: 0.0)
    return Scene(host)


@pytest.fixture
def log(scene):
    """The kernel's log may be read."""
    kernel_log.KMSG.write_bytes(RECORDED.read_bytes())


def told():
    return [event.title for event in Event.objects.filter(kind="oom_kill").order_by("pk")]


ALL = (INIT, JAVA, SHELL)


def test_no_rise_is_no_event(scene, log):
    scene.starts(*[(memory(3), ALL)] * 3)
    assert told() == []


def test_the_victim_is_the_one_of_the_log(scene, log):
    scene.starts((memory(0), ALL), (memory(1), ALL))
    [event] = Event.objects.all()
    assert event.title == "ja,va) (x (812) was killed with 7.6 GiB: the machine was out of memory"
    [culprit] = event.culprits
    assert (culprit["pid"], culprit["rss_bytes"], culprit["unit"]) == (812, 8_000_120 * 1024, "session-3.scope")
    assert culprit["is_likely"] is False
    assert (event.severity, event.details["limit"]) == ("critical", "machine")


def test_two_kills_are_two_events_each_with_its_limit(scene, log):
    scene.starts((memory(0), ALL), (memory(2), ALL))
    assert [title.partition(": ")[2] for title in told()] == [
        "the memory limit of shop.service was reached",
        "the machine was out of memory",
    ]


def test_what_the_log_told_before_is_not_told_again(scene, log):
    scene.starts((memory(0), ALL), (memory(1), ALL), (memory(2), ALL))
    assert [title.split(" (")[0] for title in told()] == [
        "ja,va)",
        "A process was killed for want of memory; which one is not known",
    ]


def test_a_kill_of_long_ago_is_not_taken_for_one_of_now(scene, log):
    scene.clock.now += 5000
    scene.starts((memory(0), ALL), (memory(1), (INIT, SHELL)))
    assert told() == ["A process was killed for want of memory, likely java (812), which had 8.0 GiB"]


def test_a_kill_while_nobody_recorded_is_told_by_the_next_start_and_only_by_it(scene, log):
    scene.starts((memory(0), ALL))
    for _ in range(3):
        scene.starts((memory(1), (INIT,)))
    assert [title.split(" (")[0] for title in told()] == ["ja,va)"]


def test_the_moment_is_that_of_the_log_between_the_two_ticks(scene, log):
    scene.starts((memory(0), ALL), (memory(1), ALL))
    at = Event.objects.get().started_at.timestamp()
    assert TICK + 5 <= at <= TICK + 10
    assert at == pytest.approx(TICK + 10 - (UPTIME + 10 - 33_620.0001), abs=0.01)


def test_without_the_log_it_was_likely_who_had_the_most_and_is_gone(scene):
    scene.starts((memory(0), ALL), (memory(1), (INIT,)))
    [event] = Event.objects.all()
    assert event.title == "A process was killed for want of memory, likely java (812), which had 8.0 GiB"
    [culprit] = event.culprits
    assert (culprit["username"], culprit["command"], culprit["is_likely"]) == ("app", "p812 --flag", True)


def test_a_pid_that_is_used_again_is_another_process(scene):
    again = process_row(812, start_seconds=33_612.0, name="sh")
    scene.starts((memory(0), ALL), (memory(1), (INIT, again, SHELL)))
    assert "likely java (812)" in told()[0]


def test_where_nobody_is_gone_nobody_is_blamed(scene):
    scene.starts((memory(0), ALL), (memory(1), ALL))
    assert told() == ["A process was killed for want of memory; which one is not known"]
    assert Event.objects.get().culprits == []


@pytest.mark.parametrize("own", [None, 0])
def test_in_a_container_a_kill_elsewhere_blames_nobody_here(scene, monkeypatch, own):
    monkeypatch.setattr(containers, "has_own_processes", lambda: True)
    scene.starts((memory(0, own), ALL), (memory(1, own), (INIT,)))
    assert "likely" not in told()[0]


@pytest.mark.parametrize("machine", [None, 1])
def test_a_kill_for_the_limit_of_this_container_is_told_once(scene, monkeypatch, machine):
    monkeypatch.setattr(containers, "has_own_processes", lambda: True)
    scene.starts((memory(machine and 0, own=0), ALL), (memory(machine, own=1), (INIT,)))
    assert told() == ["A process was killed for want of memory, likely java (812), which had 8.0 GiB"]
    assert Event.objects.get().details["own_limit_kills"] == 1


def test_the_counter_of_another_container_is_another_one(scene):
    scene.starts((memory(None, own=0, group=7), ALL)).starts((memory(None, own=5, group=8), ALL))
    assert told() == []


def test_a_boot_begins_to_count_anew(scene, host):
    scene.starts((memory(0), ALL))
    host.boot_id = "another"
    host.save()
    scene.starts((memory(4), ALL))
    assert told() == []


def test_a_storm_of_kills_has_a_bound(scene):
    scene.starts((memory(0), ALL), (memory(5000), (INIT,)))
    titles = told()
    assert len(titles) == 21
    assert titles[-1] == "4980 other processes were killed for want of memory"


@pytest.fixture
def small_group():
    """A control group of this machine that may hold 32 MiB."""
    roots = [Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")]
    limits = [("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"), ("memory.max", "memory.swap.max")]
    for root, (limit, swap) in zip(roots, limits, strict=True):
        group = root / f"sysmon-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(32 * 2**20))
        except OSError:
            group.rmdir()
            continue
        if (group / swap).exists():
            (group / swap).write_text("0" if swap == "memory.swap.max" else str(32 * 2**20))
        yield group
        group.rmdir()
        return
    pytest.skip("needs root and a control group of memory, to have the kernel kill a process of its own")


def test_a_real_kill_of_the_kernel_is_told(host, small_group):
    recording = Recording(host, 5, [Runner(collectors()["memory"]()), Runner(collectors()["processes"]())])
    recording.tick(TICK)
    program = f"open({str(small_group / 'cgroup.procs')!r}, 'w').write('0'); bytearray(200 << 20)"
    victim = subprocess.Popen([sys.executable, "-c", program])
    assert victim.wait(timeout=30) == -9
    recording.tick(TICK + 5)
    events = [event for event in Event.objects.all() if event.kind == "oom_kill"]
    assert events
    if kernel_log.oom_kills():
        [culprit] = [c for event in events for c in event.culprits if c["pid"] == victim.pid]
        assert culprit["unit"] == small_group.name
        assert 16 * 2**20 < culprit["rss_bytes"] < 64 * 2**20
