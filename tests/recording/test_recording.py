"""Ticks of one host, from readings to rows."""

import logging
import os
import time

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from metrics.models import (
    CollectorState,
    CpuSample,
    DeviceSample,
    DiskSample,
    Host,
    NewestProcesses,
    NewestReading,
    PartitionSample,
    Process,
    ProcessSample,
    ProcessTotals,
    Tick,
)
from metrics.recording import recording as recording_module
from metrics.recording.pending import PendingTicks
from metrics.recording.recording import Recording, recording_of_process, this_host
from metrics.recording.runner import Runner
from metrics.recording.writing import TickWriter
from tests.recording.fakes import Clock, ScriptedRunner, cpu_row, process_row, processes_reading

TICK = 1_700_000_000
DISK = {
    "disk": [{"pressure_some_seconds": 1.0, "pressure_full_seconds": 1.0}],
    "partition": [
        {
            "device": "/dev/sda1",
            "mountpoint": "/",
            "fstype": "ext4",
            "total_bytes": 100,
            "used_bytes": 40,
            "free_bytes": 60,
            "percent": 40.0,
            "inodes_percent": 1.5,
        }
    ],
    "device": [],
}


def cpu(busy, total):
    return {"cpu": [cpu_row(busy, total)]}


class Scene:
    """A recording of scripted readings, five seconds apart."""

    def __init__(self, host, **readings):
        self.uptime = Clock(100.0)
        runners = [ScriptedRunner(family, script, self.uptime) for family, script in readings.items()]
        self.recording = Recording(host, 5, runners)

    def tick(self, number):
        self.uptime.now = 100.0 + number * 5
        return self.recording.tick(TICK + number * 5)


def percents(host):
    return list(CpuSample.objects.filter(host=host).order_by("timestamp").values_list("percent", flat=True))


def test_a_tick_is_one_row_a_family_with_rates_from_the_second_on(host):
    scene = Scene(host, cpu=[cpu(0, 100), cpu(1, 110), cpu(6, 120)])
    for number in range(3):
        scene.tick(number)
    assert percents(host) == [None, 10.0, 50.0]
    assert Tick.objects.count() == 3


def test_after_a_warm_up_the_first_tick_has_rates(host, monkeypatch):
    scene = Scene(host, cpu=[cpu(0, 100), cpu(1, 110)])
    monkeypatch.setattr(recording_module, "uptime_seconds", scene.uptime)
    assert scene.recording.warm_up()
    scene.tick(1)
    assert percents(host) == [10.0]
    assert Tick.objects.count() == 1


@pytest.mark.parametrize(
    ("later_seconds", "boot_id", "expected"), [(5, "boot", False), (500, "boot", True), (5, "b", True)]
)
def test_a_warm_up_is_needed_where_the_kept_reading_is_too_old(host, monkeypatch, later_seconds, boot_id, expected):
    Scene(host, cpu=[cpu(0, 100)]).tick(0)
    host.boot_id = boot_id
    scene = Scene(host, cpu=[cpu(1, 110)])
    scene.uptime.now = 100.0 + later_seconds
    monkeypatch.setattr(recording_module, "uptime_seconds", scene.uptime)
    assert scene.recording.warm_up() is expected


def test_a_tick_is_one_transaction(host):
    scene = Scene(host, cpu=[cpu(0, 100)], disk=[DISK], processes=[processes_reading(process_row(1))])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        scene.tick(0)
    begun = [q["sql"] for q in queries if q["sql"].startswith(("BEGIN", "SAVEPOINT"))]
    assert len(begun) == 1


def test_a_tick_that_cannot_be_finished_leaves_nothing(host, monkeypatch):
    scene = Scene(host, cpu=[cpu(0, 100)], disk=[DISK])

    def fail(*_args):
        raise OperationalError("disk full")

    monkeypatch.setattr(scene.recording._pending._writer, "_keep_states", fail)
    scene.tick(0)
    assert (Tick.objects.count(), CpuSample.objects.count(), NewestReading.objects.count()) == (0, 0, 0)


def test_what_could_not_be_written_is_written_later_in_order(host, monkeypatch):
    scene = Scene(host, cpu=[cpu(0, 100), cpu(1, 110), cpu(6, 120)])
    writer = scene.recording._pending._writer
    write = writer.write

    def locked(_record):
        raise OperationalError("database is locked")

    monkeypatch.setattr(writer, "write", locked)
    scene.tick(0)
    scene.tick(1)
    monkeypatch.setattr(writer, "write", write)
    scene.tick(2)
    assert percents(host) == [None, 10.0, 50.0]


@pytest.mark.parametrize("absurd", [2**64 - 1, float("nan"), float("inf")])
def test_a_value_for_which_no_column_has_room_is_null_and_costs_nothing_else(host, absurd):
    disk = {**DISK, "partition": [{**DISK["partition"][0], "total_bytes": absurd}]}
    scene = Scene(host, cpu=[cpu(0, 100), cpu(1, 110)], disk=[disk, DISK])
    scene.tick(0)
    scene.tick(1)
    found = PartitionSample.objects.order_by("timestamp").values_list("total_bytes", "used_bytes")
    assert list(found) == [(None, 40), (100, 40)]
    assert percents(host) == [None, 10.0]


def test_a_moment_is_never_recorded_twice(host, caplog):
    scene = Scene(host, cpu=[cpu(0, 100), cpu(50, 110)])
    scene.tick(0)
    scene.uptime.now += 5
    scene.recording.tick(TICK)
    assert percents(host) == [None]
    assert "clock" in caplog.text


def test_the_next_recording_computes_its_first_rate_from_the_kept_reading(host):
    Scene(host, cpu=[cpu(0, 100)]).tick(0)
    Scene(host, cpu=[cpu(1, 110)]).tick(1)
    assert percents(host) == [None, 10.0]


def test_a_boot_between_two_recordings_gives_no_rate(host):
    Scene(host, cpu=[cpu(0, 100)]).tick(0)
    host.boot_id = "next boot"
    Scene(host, cpu=[cpu(1, 110)]).tick(1)
    assert percents(host) == [None, None]


def test_a_family_that_fails_leaves_the_others_alone(host):
    scene = Scene(host, cpu=[cpu(0, 100), cpu(1, 110)], disk=[ValueError("broken"), DISK])
    scene.tick(0)
    scene.tick(1)
    assert len(percents(host)) == 2
    assert DiskSample.objects.count() == 1
    state = CollectorState.objects.get(family="disk")
    assert (state.runs, state.failures, state.outcome) == (2, 1, "ok")


def test_a_failure_is_logged_once_and_so_is_the_recovery(host, caplog):
    caplog.set_level(logging.INFO)
    scene = Scene(host, disk=[DISK, ValueError("a"), ValueError("a"), ValueError("a"), DISK, DISK])
    for number in range(6):
        scene.tick(number)
    assert [record.getMessage() for record in caplog.records] == [
        "collector disk failed: a",
        "collector disk has recovered",
    ]


def test_a_hung_mount_costs_only_itself(host, monkeypatch):
    import threading

    from metrics.collectors import mount_questions
    from metrics.collectors.disk import DiskCollector
    from metrics.collectors.file_systems import space_at

    gate = threading.Event()

    def hang_at_the_root(path, before):
        if path == "/":
            gate.wait(10)
        return space_at(path, before)

    monkeypatch.setattr(mount_questions, "space_at", hang_at_the_root)
    monkeypatch.setattr(mount_questions, "TOGETHER_SECONDS", 0.01)
    recording = Recording(host, 1, [Runner(DiskCollector())])
    recording.tick(TICK)
    recording.tick(TICK + 1)
    gate.set()
    root = PartitionSample.objects.filter(mountpoint="/")
    assert [row.used_bytes for row in root] == [None, None]
    state = CollectorState.objects.get(family="disk")
    assert (state.outcome, state.failures) == ("ok", 0)
    assert "/: no answer for" in state.message


@pytest.mark.parametrize(
    ("kind", "before", "now", "model", "field"),
    [
        ("partition", {}, {"used_bytes": 101}, PartitionSample, "used_bytes"),
        ("partition", {}, {"free_bytes": 340, "used_bytes": 10}, PartitionSample, "free_bytes"),
        ("partition", {}, {"used_bytes": -1}, PartitionSample, "used_bytes"),
        ("partition", {}, {"percent": -340.0}, PartitionSample, "percent"),
        ("partition", {}, {"inodes_percent": 100.1}, PartitionSample, "inodes_percent"),
        ("device", {"read_bytes": 0}, {"read_bytes": 2**62}, DeviceSample, "read_bytes_per_second"),
        ("device", {"writes": 5}, {"writes": 10**12}, DeviceSample, "writes_per_second"),
    ],
)
def test_a_value_of_a_disk_that_cannot_be_is_null_and_counted(host, kind, before, now, model, field):
    place = {"device": "a", "name": "a", "mountpoint": "/", "fstype": "xfs", "total_bytes": 100, "percent": 10.0}
    readings = [{"disk": [{}], kind: [{**place, **values}]} for values in (before, now)]
    scene = Scene(host, disk=readings)
    scene.tick(0)
    scene.tick(1)
    newest = model.objects.order_by("timestamp").last()
    assert getattr(newest, field) is None
    assert CollectorState.objects.get(family="disk").message == f"left out as impossible: {kind} {field}"


class TestProcesses:
    def test_an_identity_is_made_once(self, host):
        scene = Scene(host, processes=[processes_reading(process_row(1)), processes_reading(process_row(1))])
        scene.tick(0)
        scene.tick(1)
        assert Process.objects.count() == 1
        assert ProcessSample.objects.count() == 2

    def test_a_reused_pid_is_another_identity(self, host):
        scene = Scene(
            host,
            processes=[
                processes_reading(process_row(1, start_seconds=5.0)),
                processes_reading(process_row(1, start_seconds=104.0)),
            ],
        )
        scene.tick(0)
        scene.tick(1)
        assert Process.objects.count() == 2

    def test_a_program_that_runs_another_keeps_its_identity_and_takes_the_new_name(self, host):
        scene = Scene(
            host,
            processes=[
                processes_reading(process_row(1, name="sh", command="sh -c make")),
                processes_reading(process_row(1, name="make", command="make")),
            ],
        )
        scene.tick(0)
        scene.tick(1)
        assert list(Process.objects.values_list("name", "command")) == [("make", "make")]

    def test_the_start_is_the_boot_time_plus_the_seconds_since(self, host):
        Scene(host, processes=[processes_reading(process_row(1, start_seconds=12.34))]).tick(0)
        assert Process.objects.get().started_at.timestamp() == 1_700_000_012.34

    def test_only_the_top_ones_become_samples_and_a_hundred_stay_with_the_newest_tick(self, host):
        rows = [process_row(pid) for pid in range(1, 61)]
        scene = Scene(host, processes=[processes_reading(*rows), processes_reading(*rows)])
        for number in (0, 1):
            scene.tick(number)
            assert ProcessSample.objects.filter(timestamp=TICK + number * 5).count() == 10
            newest = NewestProcesses.objects.get()
            assert newest.timestamp.timestamp() == TICK + number * 5
            assert len(NewestProcesses.decoded(newest.rows)) == 60
        assert ProcessTotals.objects.get(timestamp=TICK).total == 60

    def test_who_is_not_among_the_newest_is_looked_up_again(self, host):
        """Retention may have deleted the identity meanwhile, and no constraint would notice."""
        others = [process_row(pid, rss_bytes=500) for pid in range(1, 131)]
        scripts = [[*others, process_row(200, rss_bytes=size)] for size in (999, 1, 998)]
        scene = Scene(host, processes=[processes_reading(*rows) for rows in scripts])
        scene.tick(0)
        assert 200 in self.newest_pids()
        scene.tick(1)
        assert 200 not in self.newest_pids()
        ProcessSample.objects.filter(process__pid=200).delete()
        Process.objects.filter(pid=200).delete()
        scene.tick(2)
        assert 200 in self.newest_pids()

    def newest_pids(self):
        ids = [row["process"] for row in NewestProcesses.decoded(NewestProcesses.objects.get().rows)]
        return set(Process.objects.filter(pk__in=ids).values_list("pid", flat=True))

    def test_a_command_line_that_had_to_wait_is_stored_when_it_comes(self, host):
        rows = [process_row(7, command=command) for command in (None, "app --new", None, "app: another title")]
        scene = Scene(host, processes=[processes_reading(row) for row in rows])
        stored = []
        for number in range(4):
            scene.tick(number)
            stored.append(Process.objects.get(pid=7).command)
        assert stored == [None, "app --new", "app --new", "app: another title"]

    def test_identities_of_a_tick_that_was_not_stored_are_not_believed(self, host, monkeypatch):
        row = process_row(1)
        scene = Scene(host, processes=[processes_reading(row), processes_reading(row)])
        writer = scene.recording._pending._writer
        keep_states = writer._keep_states

        def fail_once(tick):
            monkeypatch.setattr(writer, "_keep_states", keep_states)
            raise OperationalError("disk full")

        monkeypatch.setattr(writer, "_keep_states", fail_once)
        scene.tick(0)
        assert Process.objects.count() == 0
        scene.tick(1)
        assert self.newest_pids() == {1}

    @pytest.mark.django_db(transaction=True)
    def test_one_that_was_pruned_meanwhile_is_made_again(self, host):
        row = process_row(1)
        scene = Scene(host, processes=[processes_reading(row), processes_reading(row)])
        scene.tick(0)
        ProcessSample.objects.all().delete()
        Process.objects.all().delete()
        scene.tick(1)
        assert Process.objects.count() == ProcessSample.objects.count() == 1

    def test_a_hostile_name_is_stored_as_it_is(self, host):
        name = "<img src=x onerror=alert(1)>\x1b[2J'; DROP TABLE metrics_process; --"
        Scene(host, processes=[processes_reading(process_row(1, name=name))]).tick(0)
        assert Process.objects.get().name == name


def test_this_host_is_made_once_and_knows_its_machine(db):
    assert this_host().pk == this_host().pk
    host = Host.objects.get()
    assert host.name == "test-host"
    assert host.logical_cores >= 1
    assert host.booted_at.timestamp() < time.time()


def test_another_boot_is_counted(db, monkeypatch):
    from metrics.collectors import machine

    facts = machine.describe()
    first = this_host()
    monkeypatch.setattr(machine, "describe", lambda: {**facts, "boot_id": "x", "booted_at": facts["booted_at"] + 90})
    assert this_host().booted_at > first.booted_at
    assert (first.boot, this_host().boot) == (1, 2)


def test_without_an_id_a_boot_is_another_by_its_time(db, monkeypatch):
    from metrics.collectors import machine

    facts = {**machine.describe(), "boot_id": ""}
    boots = []
    for moved in (0, 30, 90):
        new = {**facts, "booted_at": facts["booted_at"] + moved}
        monkeypatch.setattr(machine, "describe", lambda new=new: new)
        boots.append(this_host().boot)
    assert boots == [1, 1, 2]


class TestOfOneProcess:
    @pytest.fixture(autouse=True)
    def new_process(self, monkeypatch):
        monkeypatch.setattr(recording_module, "_of_process", None)
        monkeypatch.setattr(recording_module, "BackgroundTicks", PendingTicks)
        monkeypatch.setattr(recording_module, "runners", list)

    def test_every_run_has_the_same_one(self, host):
        assert recording_of_process(host, 5) is recording_of_process(Host.objects.get(), 5)

    @pytest.mark.parametrize("change", ["host", "interval"])
    def test_another_host_or_interval_keeps_what_waits(self, host, monkeypatch, change):
        first = recording_of_process(host, 5)
        with monkeypatch.context() as locked:
            locked.setattr(TickWriter, "write", lambda *_: (_ for _ in ()).throw(OperationalError("locked")))
            first.tick(TICK)
        other = Host.objects.create(name="restored", boot_id="boot") if change == "host" else host
        second = recording_of_process(other, 7 if change == "interval" else 5)
        assert (second is first, second.pending_ticks) == (False, 1)
        assert second.flush()
        assert Tick.objects.get().host == other

    def test_a_host_whose_row_was_renewed_goes_on_with_what_is_known(self, host):
        recording = recording_of_process(host, 5)
        recording.tick(TICK)
        Host.objects.update(kernel="7.0")
        assert recording_of_process(Host.objects.get(), 5).host.kernel == "7.0"
        assert recording.newest_tick == TICK

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")
    def test_a_fork_stores_nothing_of_its_parent(self, host):
        recording_of_process(host, 5)
        read, write = os.pipe()
        if not os.fork():
            os.write(write, b"none" if recording_module._of_process is None else b"some")
            os._exit(0)
        os.wait()
        assert os.read(read, 4) == b"none"


@pytest.mark.live
def test_the_live_machine_gives_every_family_a_sample(host):
    recording = Recording(host, 1)
    recording.tick(TICK)
    assert set(CollectorState.objects.values_list("family", "outcome")) >= {
        (family, "ok") for family in ("cpu", "disk", "memory", "network", "processes")
    }
    assert CpuSample.objects.get().per_core is None
    assert ProcessSample.objects.count() > 1
