"""Two recorders of one host's name that do not see each other's lock."""

import time

import pytest

from metrics.collectors import machine
from metrics.models import Host, Recorder, Tick
from metrics.recording import rivals
from metrics.recording.recording import this_host


@pytest.fixture(autouse=True)
def new_process(monkeypatch):
    start_anew(monkeypatch)


def start_anew(monkeypatch):
    monkeypatch.setattr(rivals, "_noted_boot", None)
    monkeypatch.setattr(rivals, "_is_said", False)


class Machine:
    """One that records test-host, in turns with others: what a process of it knows, and what its kernel says."""

    def __init__(self, monkeypatch, machine_id, boot_id="a", directory="/data"):
        self._monkeypatch, self._boot_id = monkeypatch, boot_id
        self._id, self._directory, self._noted = machine_id, directory, (None, False)

    def begins_a_run(self):
        set_to = self._monkeypatch.setattr
        set_to(machine, "machine_id", lambda: self._id)
        set_to(machine, "boot_id", lambda: self._boot_id)
        set_to(rivals.conf, "data_directory", lambda: self._directory)
        rivals._noted_boot, rivals._is_said = self._noted
        host = this_host()
        self._noted = rivals._noted_boot, rivals._is_said
        Recorder.objects.update_or_create(host=host, defaults={"pid": 1, "taken_over_at": 0, "released_at": None})
        return self

    def ticks(self, age_seconds=0):
        at = int(time.time()) - age_seconds
        values = {"resolution": 5, "lag_milliseconds": 0, "duration_milliseconds": 0}
        Tick.objects.get_or_create(host=Host.objects.get(), timestamp=at, defaults=values)


def is_contested():
    return Host.objects.get().contested_at is not None


@pytest.fixture
def machine_of(db, monkeypatch):
    return lambda *arguments, **more: Machine(monkeypatch, *arguments, **more)


def test_a_machine_that_records_run_after_run_is_alone(machine_of):
    one = machine_of("one")
    for _run in range(3):
        one.begins_a_run().ticks()
    assert not is_contested()
    assert len(Host.objects.get().machine_id) == 32


@pytest.mark.parametrize(
    "other",
    [{"machine_id": "other", "boot_id": "b"}, {"machine_id": "one", "directory": "/elsewhere"}],
    ids=["two machines", "two data directories"],
)
def test_two_notice_each_other_and_say_so_once(machine_of, caplog, other):
    one, other = machine_of("one"), machine_of(**other)
    one.begins_a_run().ticks()
    for _minute in range(3):
        other.begins_a_run().ticks()
        assert is_contested()
        Host.objects.update(contested_at=None)
        one.begins_a_run().ticks()
        assert is_contested()
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2, "each of them once"
    assert "set SYSMON_HOSTNAME" in said[0]


def test_a_copy_of_a_machine_is_noticed_by_its_boot(machine_of):
    one, copy = machine_of("one"), machine_of("one", boot_id="b")
    one.begins_a_run().ticks()
    copy.begins_a_run().ticks()
    assert not is_contested(), "it may be the same one, after a boot"
    one.begins_a_run().ticks()
    assert is_contested()


def test_another_boot_of_one_machine_is_no_other(machine_of):
    machine_of("one").begins_a_run().ticks()
    machine_of("one", boot_id="b").begins_a_run().ticks()
    assert not is_contested()


@pytest.mark.parametrize("change", ["released", "old"])
def test_a_machine_that_took_the_place_of_another_is_alone(machine_of, change):
    machine_of("one").begins_a_run().ticks(age_seconds=300 if change == "old" else 0)
    if change == "released":
        Recorder.objects.update(released_at=1)
    machine_of("other", boot_id="b").begins_a_run().ticks()
    assert not is_contested()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["abc\n", "def"], "abc"),
        (["", "def"], "def"),
        (["uninitialized\n", ""], "of the boot"),
        ([None, None], "of the boot"),
    ],
)
def test_what_tells_machines_apart(tmp_path, monkeypatch, files, expected):
    paths = [tmp_path / str(number) for number in range(len(files))]
    for path, text in zip(paths, files, strict=True):
        if text is not None:
            path.write_text(text)
    monkeypatch.setattr(machine, "MACHINE_ID_FILES", paths)
    monkeypatch.setattr(machine.psutil, "MACOS", False)
    monkeypatch.setattr(machine, "boot_id", lambda: "of the boot")
    assert machine.machine_id() == expected
