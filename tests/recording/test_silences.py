"""What is said of a time in which nothing was recorded: each way to stop, made to happen to the recorder."""

import contextlib
import itertools

import pytest
from django.db import OperationalError

from metrics.collectors import machine
from metrics.formatting.moments import iso
from metrics.models import Event, Process, Recorder, Tick
from metrics.models.events import Severity
from metrics.recording import boots, rivals
from metrics.recording import recording as recording_module
from metrics.recording.recording import Recording, this_host
from metrics.recording.run import RecordingRun
from metrics.recording.writing import TickWriter
from tests.recording.fakes import Clock, FakeLine, ScriptedRunner, process_row, processes_reading
from tests.recording.test_run import FakeHandOver

NOON = 1_795_348_800.0
GIB = 2**30


class Killed(BaseException):
    """What `kill -9` does: nothing that comes after it is done."""


class Machine:
    """A machine that is booted, suspended, switched off and set to another time, and what records it."""

    def __init__(self, monkeypatch):
        self.clock = Clock(NOON)
        self.boots, self.booted_at, self.suspended = 1, NOON - 86_400, 0.0
        self.processes = (process_row(1), process_row(7, name="java", rss_bytes=15 * GIB), process_row(8))
        facts = machine.describe() | {"memory_bytes": 16 * GIB, "logical_cores": 4}
        own = lambda: {**facts, "boot_id": self.boot_id, "booted_at": self.booted_at}  # noqa: E731
        monkeypatch.setattr(machine, "describe", own)
        monkeypatch.setattr(machine, "boot_id", lambda: self.boot_id)
        monkeypatch.setattr(machine, "booted_at", lambda: self.booted_at)
        for module in (boots, recording_module):
            monkeypatch.setattr(module, "uptime_seconds", self.uptime)
        monkeypatch.setattr(recording_module, "suspended_seconds", lambda: self.suspended)

    @property
    def boot_id(self):
        return f"boot-{self.boots}"

    def uptime(self):
        return self.clock.now - self.booted_at

    def reading(self):
        while True:
            yield processes_reading(*self.processes)

    def start(self, interval=5):
        """A new process records."""
        self.recording = Recording(this_host(), interval, [ScriptedRunner("processes", self.reading(), self.uptime)])
        return self

    def records(self, seconds=20, *, is_killed=False):
        """A run, to its end in good order or not."""
        line = FakeLine(self.clock, cut_at=self.clock.now + seconds)
        if is_killed:
            line.at_wait = self._kill_at(line.cut_at)
        run = RecordingRun(self.recording, line, now=self.clock, sleep=self.clock.sleep, hand_over=FakeHandOver())
        with contextlib.suppress(Killed):
            run.run()
        return self

    def _kill_at(self, moment):
        def kill():
            if self.clock.now >= moment:
                raise Killed

        return kill

    def passes(self, seconds):
        """Time goes by."""
        self.clock.now += seconds
        return self

    def suspends(self, seconds):
        self.suspended += seconds
        return self.passes(seconds)

    def boots_again(self, after=60):
        """It is off for a while, and then there again."""
        self.passes(after)
        self.boots, self.booted_at, self.suspended = self.boots + 1, self.clock.now - 10, 0.0
        return self

    def sets_clock(self, seconds):
        self.clock.now += seconds
        self.booted_at += seconds
        return self


@pytest.fixture
def box(db, monkeypatch):
    return Machine(monkeypatch)


def told():
    return [(event.kind, event.title) for event in Event.objects.order_by("pk")]


def test_recording_without_a_hole_is_no_event(box):
    box.start().records(600)
    assert told() == []


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_restart_within_seconds_is_no_event(box, is_killed):
    box.start().records(is_killed=is_killed).passes(4).start().records()
    assert told() == []


def test_a_clean_stop_is_a_gap_that_is_to_nobody_s_blame(box):
    box.start().records().passes(600).start().records()
    assert told() == [("gap", "Not recorded for 10 min 5 s: sysmon was stopped")]
    event = Event.objects.get()
    ticks = [tick.timestamp for tick in Tick.objects.order_by("timestamp")]
    assert (event.started_at, event.ended_at) in itertools.pairwise(ticks)
    assert (event.severity, event.culprits, event.details["cause"]) == (Severity.INFO, [], "stopped")


def test_a_kill_of_the_program_alone_is_a_gap_and_no_unclean_stop(box):
    box.start().records(is_killed=True).passes(60).start().records()
    assert told() == [("gap", "Not recorded for 1 min 5 s: the recorder was killed, or ended without a word")]
    event = Event.objects.get()
    assert (event.severity, event.details["cause"]) == (Severity.WARNING, "killed")
    assert event.culprits[0]["name"] == "java"


def test_a_reboot_in_order_is_a_reboot(box):
    box.start().records().boots_again(after=50).start().records()
    assert told() == [("reboot", "Rebooted; not recorded for 50 s")]
    event = Event.objects.get()
    assert (event.severity, event.culprits) == (Severity.INFO, [])
    assert event.details["booted_at"] == iso(box.booted_at)


def test_a_power_cut_is_an_unclean_stop_with_the_processes_before_it(box):
    box.start().records(is_killed=True).boots_again(after=415).start().records()
    assert told() == [("unclean_stop", "Gone for 7 min; before that java had 15.0 GiB of 16.0 GiB of memory")]
    event = Event.objects.get()
    last = Tick.objects.filter(timestamp__lte=event.started_at).order_by("-timestamp").first()
    first = Tick.objects.filter(timestamp__gt=last.timestamp).order_by("timestamp").first()
    assert (event.severity, event.started_at, event.ended_at) == (Severity.CRITICAL, last.timestamp, first.timestamp)
    java = event.culprits[0]
    assert (java["pid"], java["username"], java["command"]) == (7, "root", "p7 --flag")
    assert (java["rss_bytes"], java["is_likely"]) == (15 * GIB, False)
    assert {culprit["pid"] for culprit in event.culprits} == {1, 7, 8}


def test_culprits_outlive_their_processes(box):
    box.start().records(is_killed=True).boots_again().start().records()
    Process.objects.all().delete()
    assert Event.objects.get().culprits[0]["name"] == "java"


def test_nobody_is_blamed_in_the_title_who_had_little(box):
    box.processes = (process_row(1), process_row(7, name="java", rss_bytes=1 * GIB))
    box.start().records(is_killed=True).boots_again(after=415).start().records()
    assert told() == [("unclean_stop", "Gone for 7 min")]


def test_a_suspended_machine_is_a_gap_that_says_so_in_the_process_that_lived_on(box):
    box.start().records(20, is_killed=True)
    box.suspends(3600)
    box.recording.take_over(1, box.clock.now, is_successor=True)
    box.recording.tick(int(box.clock.now))
    [(kind, title)] = told()
    assert (kind, title) == ("gap", "Not recorded for 1 h: the machine was suspended")
    assert Event.objects.get().severity == Severity.INFO


def test_a_suspended_machine_is_known_by_a_recorder_of_another_process(box):
    box.start().records(20, is_killed=True).suspends(7200).start().records()
    assert [event.details["cause"] for event in Event.objects.all()] == ["suspended"]


def test_a_battery_that_dies_in_sleep_is_an_unclean_stop(box):
    box.start().records(is_killed=True).suspends(7200).boots_again().start().records()
    assert [kind for kind, _title in told()] == ["unclean_stop"]


def test_a_recorder_that_was_held_up_says_so(box):
    box.start().records(20, is_killed=True).passes(45)
    box.recording.tick(int(box.clock.now))
    assert [event.details["cause"] for event in Event.objects.all()] == ["held_up"]


@pytest.mark.parametrize("interval", [1, 5, 60])
def test_one_tick_that_is_missing_is_no_gap(box, interval):
    box.start(interval).records(4 * interval, is_killed=True)
    last = int(Tick.objects.order_by("-pk")[0].timestamp.timestamp())
    box.clock.now = last + 2.0 * interval
    box.recording.tick(last + 2 * interval)
    assert told() == []


def test_a_longer_interval_before_a_restart_is_no_gap(box):
    box.start(60).records(300).passes(50).start(1).records()
    assert told() == []


@pytest.mark.parametrize("is_killed", [False, True])
def test_nothing_is_told_twice_by_the_next_starts(box, is_killed):
    box.start().records(is_killed=is_killed).boots_again(after=300).start().records()
    for _ in range(3):
        box.passes(3).start().records(is_killed=is_killed)
    assert len(told()) == 1


def test_runs_that_follow_each_other_in_one_process_are_no_event(box):
    for number in range(5):
        box.start() if not number else None
        box.recording.take_over(1, box.clock.now, is_successor=number > 0)
        for _ in range(12):
            box.recording.tick(int(box.clock.now) // 5 * 5)
            box.passes(5)
    assert told() == []


def test_runs_that_follow_each_other_in_several_processes_are_no_event(box):
    """A run that hands over does not note that it has ended."""
    for _ in range(5):
        box.start().records(60, is_killed=True)
    assert Recorder.objects.get().released_at is None
    assert told() == []


def test_the_event_and_the_first_tick_are_one_transaction(box, monkeypatch):
    box.start().records(is_killed=True).boots_again(after=300).start()
    insert_tick = TickWriter._insert_tick

    def fail(*_arguments):
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(TickWriter, "_insert_tick", fail)
    box.recording.take_over(1, box.clock.now, is_successor=False)
    box.recording.tick(int(box.clock.now) // 5 * 5)
    assert told() == []
    monkeypatch.setattr(TickWriter, "_insert_tick", insert_tick)
    box.passes(5).recording.tick(int(box.clock.now) // 5 * 5)
    assert [kind for kind, _title in told()] == ["unclean_stop"]


def test_another_machine_on_the_same_history_is_no_unclean_stop(box, monkeypatch):
    """A backup that was restored elsewhere was made while its recorder was at work."""
    box.start().records(is_killed=True)
    monkeypatch.setattr(machine, "machine_id", lambda: "another machine")
    monkeypatch.setattr(rivals, "_noted_boot", None)
    box.boots_again(after=3600).start().records()
    assert [event.details.get("cause") for event in Event.objects.all()] == ["moved"]


def test_a_clock_that_begins_in_1970_ends_no_silence_before_it_began(box):
    box.start().records(is_killed=True).boots_again(after=300)
    box.sets_clock(-NOON + 100).start().records()
    event = Event.objects.get(kind="unclean_stop")
    assert event.ended_at is None
    assert event.title.startswith("Gone, nobody knows how long: the clock was wrong")


@pytest.mark.parametrize("seconds", [3600, -3600, 2.5, -86_400 * 20])
def test_a_clock_that_is_set_is_a_step_and_no_gap(box, seconds):
    box.start().records(20, is_killed=True)
    box.sets_clock(seconds).records(20)
    event = Event.objects.get()
    assert (event.kind, event.details["seconds"]) == ("clock_step", pytest.approx(seconds, abs=0.02))
    assert (
        event.title
        == {
            3600: "The clock was set forward by 1 h",
            -3600: "The clock was set back by 1 h",
            2.5: "The clock was set forward by 2.5 s",
            -86_400 * 20: "The clock was set back by 20 d",
        }[seconds]
    )


def test_a_clock_that_was_set_while_nobody_recorded_is_told_by_the_next_start(box):
    box.start().records().passes(4).sets_clock(-900).start().records()
    assert told() == [("clock_step", "The clock was set back by 15 min")]
    box.passes(3).start().records()
    assert len(told()) == 1


@pytest.mark.parametrize("seconds", [0.4, -0.9])
def test_a_clock_that_is_slewed_is_no_step(box, seconds):
    box.start().records(20, is_killed=True).sets_clock(seconds).records(20)
    assert told() == []


def mounts(*, is_read_only, device="/dev/sdb1", mountpoints=("/srv",)):
    rows = [{"device": device, "mountpoint": one, "is_read_only": is_read_only} for one in mountpoints]
    return {"disk": [], "partition": [], "device": [], "filesystem": rows}


def remounted(host, *readings, boot="boot"):
    clock = Clock(100.0)
    recording = Recording(host, 5, [ScriptedRunner("disk", readings, clock)])
    for number in range(len(readings)):
        clock.now += 5
        recording.tick(int(NOON) + 5 * number)
    return told()


def test_a_file_system_that_turns_read_only_is_told_once(host):
    both = ("/srv", "/srv/shop")
    writable, broken = (mounts(is_read_only=flag, mountpoints=both) for flag in (False, True))
    assert remounted(host, writable, broken, broken, broken) == [
        ("read_only", "/srv, /srv/shop (/dev/sdb1) turned read-only")
    ]
    assert Event.objects.get().severity == Severity.CRITICAL


def test_a_file_system_that_was_read_only_is_no_event(host):
    assert remounted(host, mounts(is_read_only=True), mounts(is_read_only=True)) == []
    assert remounted(host, mounts(is_read_only=None), mounts(is_read_only=True)) == []


def test_one_that_is_mounted_read_only_is_another_one(host):
    there = {"disk": [], "partition": [], "device": [], "filesystem": []}
    assert remounted(host, there, mounts(is_read_only=True)) == []


def test_a_remount_while_nobody_recorded_is_told_by_the_next_start(host):
    remounted(host, mounts(is_read_only=False))
    clock = Clock(200.0)
    Recording(host, 5, [ScriptedRunner("disk", [mounts(is_read_only=True)], clock)]).tick(int(NOON) + 100)
    assert [kind for kind, _title in told()] == ["read_only"]


def test_a_tick_whose_time_has_been_recorded_still_tells_what_happened(host):
    clock = Clock(100.0)
    readings = [mounts(is_read_only=False), mounts(is_read_only=True)]
    recording = Recording(host, 5, [ScriptedRunner("disk", readings, clock)])
    for _ in readings:
        clock.now += 5
        recording.tick(int(NOON))
    assert Tick.objects.count() == 1
    assert [kind for kind, _title in told()] == ["read_only"]
