import os
from collections import namedtuple
from pathlib import Path
from typing import Any

import psutil
import pytest

from metrics.collectors import device_names, disk, linux, pressure
from metrics.collectors.base import NoData, Reading
from metrics.collectors.disk import DiskCollector, whole_devices
from metrics.collectors.mounts import PsutilMounts

DISKSTATS = """\
   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
   7       1 loop1 5 0 8 0 3 0 8 0 0 0 0 0 0 0 0 0 0
   7       2 loop2 5 0 8 0 3 0 8 0 0 0 0 0 0 0 0 0 0
 253       0 dm-0 10 0 8 1500 20 0 16 2500 0 3000 9 0 0 0 0 0 0
 254       0 vda 10 0 8 1500 20 0 16 2500 0 3000 9 0 0 0 0 0 0
 254       1 vda1 10 0 8 1500 20 0 16 2500 0 3000 9 0 0 0 0 0 0
"""
IO = "some avg10=0.12 avg60=0.19 avg300=0.08 total=1500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n"

Mac = namedtuple("Mac", "read_count write_count read_bytes write_bytes read_time write_time")
Partition = namedtuple("Partition", "device mountpoint fstype opts")


class FrozenMachine:
    """A tree like those of /proc and /sys, with folders that are mounted by what mountinfo says."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        monkeypatch.setattr(disk, "IS_LINUX", True)
        monkeypatch.setattr(linux, "PROC", directory / "proc")
        monkeypatch.setattr(pressure, "PRESSURE_DIRECTORY", directory / "proc/pressure")
        monkeypatch.setattr(device_names, "BLOCK_DEVICES", directory / "block")
        self.write("proc/diskstats", DISKSTATS)
        self.write("proc/pressure/io", IO)
        self.write("block/dm-0/dm/name", "vg-root\n")
        self.write("block/loop1/loop/backing_file", "/srv/disk.img\n")
        for device, read_only in (("loop1", "0"), ("loop2", "1")):
            self.write(f"block/{device}/size", "2048\n")
            self.write(f"block/{device}/ro", read_only)
        self.mount(f"27 1 254:0 / {directory} rw - ext4 /dev/vda rw")

    def write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))

    def mount(self, *lines: str) -> None:
        self.write("proc/self/mountinfo", "\n".join(lines))

    def read(self) -> tuple[Reading, str]:
        collector = DiskCollector()
        return collector.read(), collector.warning


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FrozenMachine:
    return FrozenMachine(tmp_path, monkeypatch)


def test_a_reading_has_the_space_the_devices_and_the_pressure(machine: FrozenMachine) -> None:
    reading, warning = machine.read()
    assert warning == ""
    assert reading["disk"] == [{"pressure_some_seconds": 1.5, "pressure_full_seconds": 0.5}]
    [partition] = reading["partition"]
    usage = os.statvfs(machine.directory)
    assert (partition["device"], partition["mountpoint"]) == ("/dev/vda", str(machine.directory))
    assert partition["total_bytes"] == usage.f_blocks * usage.f_frsize
    assert [row["mountpoint"] for row in reading["filesystem"]] == [str(machine.directory)]


def test_devices_have_names_and_images_that_can_only_be_read_are_none(machine: FrozenMachine) -> None:
    reading, _warning = machine.read()
    names = {row["device"]: row["name"] for row in reading["device"]}
    assert names == {"dm-0": "vg-root", "vda": "vda", "loop1": "/srv/disk.img"}
    assert [row["device"] for row in reading["diskstats"]] == list(names)


def test_what_stands_on_another_disk_is_not_counted(machine: FrozenMachine) -> None:
    machine.write("block/vda/device/model", "x\n")
    machine.write("block/dm-0/slaves/vda", "")
    facts = {row["device"]: (row["lower"], row["is_counted"]) for row in machine.read()[0]["device"]}
    assert facts == {"dm-0": ("vda", False), "vda": ("", True), "loop1": ("", False)}


def test_where_sys_is_not_there_nobody_knows_what_stands_on_what(machine: FrozenMachine) -> None:
    machine.write("proc/diskstats", DISKSTATS.replace("vda", "vdb"))
    facts = {row["device"]: (row["lower"], row["is_counted"]) for row in machine.read()[0]["device"]}
    assert facts["vdb"] == (None, None)


ODD_LINES = [
    "8 0 sda 0 0 0 0 46 0 977 34 0 2 0 0 0 0", "8 0 sda 0 0 0 0 46 0 977 34 0 2 0 0 0 0 0 0 0 0 0 0", "", "8", "8 0",
    "8 0 sda", "8 0 sda 1 2 3", "8 0 sda -1 0 0 0 0 0 0 0 0 0 0", "x y z a b c d e f g h i j k", "\0\0\0",
    "8 0 \udcff 1 2",
]  # fmt: skip


@pytest.mark.parametrize("line", ODD_LINES)
def test_an_odd_line_of_diskstats_costs_its_own_disk(machine: FrozenMachine, line: str) -> None:
    machine.write("proc/diskstats", f"{line}\n{DISKSTATS}")
    reading, _warning = machine.read()
    assert {"vda", "dm-0"} <= {row["device"] for row in reading["device"]}
    assert len(reading["partition"]) == 1
    assert reading["disk"][0]["pressure_some_seconds"] == 1.5


@pytest.mark.parametrize("line", ["8", "8 0 sda 1 2 3", "8 0 sda -1 0 0 0 0 0 0 0 0 0 0"])
def test_what_could_not_be_read_is_named(machine: FrozenMachine, line: str) -> None:
    machine.write("proc/diskstats", f"{DISKSTATS}{line}\n")
    _reading, warning = machine.read()
    assert warning == f"left out 1 of the lines of /proc/diskstats ({line!r})"


@pytest.mark.parametrize("line", ["x", "30 27 8:1 / /x", "30 27 8:1 / /x rw ext4 a rw", "\udcff"])
def test_an_odd_line_of_mountinfo_costs_its_own_mount(machine: FrozenMachine, line: str) -> None:
    machine.mount(line, f"27 1 254:0 / {machine.directory} rw - ext4 /dev/vda rw")
    reading, warning = machine.read()
    assert len(reading["partition"]) == 1
    assert warning.startswith("left out 1 of the lines of /proc/self/mountinfo (")


@pytest.mark.parametrize(
    ("file", "lost", "is_named"),
    [
        ("proc/self/mountinfo", {"partition", "filesystem"}, True),
        ("proc/diskstats", {"device", "diskstats"}, False),
        ("proc/pressure/io", set(), False),
    ],
)
def test_a_file_that_is_missing_costs_its_own_part(
    machine: FrozenMachine, file: str, lost: set[str], is_named: bool
) -> None:
    (machine.directory / file).unlink()
    reading, warning = machine.read()
    assert {kind for kind, rows in reading.items() if not rows} == lost
    assert bool(warning) is is_named


@pytest.mark.parametrize("text", ["", "\udcff\udcfe", "some total=x\n", "some avg10=0.0 total=-5\n", "1\n2\n"])
def test_pressure_that_cannot_be_read_costs_the_pressure_alone(machine: FrozenMachine, text: str) -> None:
    machine.write("proc/pressure/io", text)
    reading, _warning = machine.read()
    assert reading["disk"] == [{"pressure_some_seconds": None, "pressure_full_seconds": None}]
    assert (len(reading["partition"]), len(reading["device"])) == (1, 3)


def test_a_mount_that_is_not_there_keeps_its_row_and_is_named(machine: FrozenMachine) -> None:
    machine.mount(
        f"27 1 254:0 / {machine.directory} rw - ext4 /dev/vda rw", "28 27 8:1 / /nowhere/at/all rw - xfs /dev/sda1 rw"
    )
    reading, warning = machine.read()
    assert [row["total_bytes"] is None for row in reading["partition"]] == [False, True]
    assert [row["has_error"] for row in reading["filesystem"]] == [False, True]
    assert warning == "/nowhere/at/all: No such file or directory"


def test_a_warning_does_not_grow_with_the_mounts(machine: FrozenMachine) -> None:
    machine.mount(*(f"{number} 27 8:{number} / /nowhere/{number} rw - xfs /dev/sda1 rw" for number in range(30, 130)))
    _reading, warning = machine.read()
    assert warning.endswith("/nowhere/33: No such file or directory; and 96 mounts more")


def test_values_that_cannot_be_are_null_and_named(machine: FrozenMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = os.statvfs(machine.directory)
    fields = ["f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree"]
    values = {name: getattr(usage, name) for name in fields} | {"f_bfree": usage.f_blocks * 4}
    monkeypatch.setattr(os, "statvfs", lambda path: namedtuple("StatVfs", fields)(**values))
    reading, warning = machine.read()
    assert (reading["partition"][0]["used_bytes"], reading["partition"][0]["percent"]) == (None, None)
    assert reading["filesystem"][0]["free_bytes"] is None
    assert warning == f"{machine.directory}: impossible: free"


def test_every_mount_is_for_exporters_and_one_a_file_system_for_people(machine: FrozenMachine) -> None:
    places = [machine.directory / name for name in ("bind-of-a-pod", "sub")]
    for place in places:
        place.mkdir()
    machine.mount(
        f"27 1 254:0 / {machine.directory} rw - ext4 /dev/vda rw",
        *(f"{number} 27 254:0 /x {place} ro - ext4 /dev/vda rw" for number, place in enumerate(places, 30)),
    )
    reading, _warning = machine.read()
    assert [row["mountpoint"] for row in reading["partition"]] == [str(machine.directory)]
    assert len(reading["filesystem"]) == 3
    assert not any(row["is_read_only"] for row in reading["filesystem"])


@pytest.mark.parametrize(
    ("names", "whole"),
    [
        ("sda sda1 sda2 sdb sdaa sdaa12", "sda sdb sdaa"),
        ("nvme0n1 nvme0n1p1 nvme0n1p15 nvme1n1", "nvme0n1 nvme1n1"),
        ("mmcblk0 mmcblk0p1 mmcblk0boot0", "mmcblk0 mmcblk0boot0"),
        ("vda xvda1 xvda2", "vda xvda1 xvda2"),
        ("loop0 loop1 loop1p1 ram0 ram15 zram0 fd0", ""),
        ("sda dm-0 dm-1 md127 md127p1 sr0 nbd0 nbd0p2", "sda dm-0 dm-1 md127 sr0 nbd0"),
        ("disk0 disk1", "disk0 disk1"),
        ("PhysicalDrive0 PhysicalDrive1", "PhysicalDrive0 PhysicalDrive1"),
        ("ada0 cd0", "ada0 cd0"),
    ],
)
def test_only_whole_devices_are_read(names: str, whole: str) -> None:
    assert list(whole_devices(names.split())) == whole.split()


@pytest.mark.parametrize("text", ["", "   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"])
def test_a_machine_without_disks_has_no_data(machine: FrozenMachine, text: str) -> None:
    machine.mount()
    machine.write("proc/diskstats", text)
    with pytest.raises(NoData):
        machine.read()


class TestElsewhere:
    @pytest.fixture(autouse=True)
    def _elsewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(disk, "IS_LINUX", False)
        monkeypatch.setattr(linux, "PROC", tmp_path)
        monkeypatch.setattr(pressure, "PRESSURE_DIRECTORY", tmp_path)
        partitions = [Partition("/dev/disk1", str(tmp_path), "apfs", "rw")]
        counters = {"disk0": Mac(10, 20, 4096, 8192, 1500, 2500)}
        monkeypatch.setattr(psutil, "disk_partitions", lambda all: partitions)  # noqa: A006
        monkeypatch.setattr(psutil, "disk_io_counters", lambda perdisk, nowrap: counters)

    def test_psutil_says_what_there_is(self, tmp_path: Path) -> None:
        reading = DiskCollector().read()
        assert [row["mountpoint"] for row in reading["partition"]] == [str(tmp_path)]
        assert reading["device"] == [
            {
                "device": "disk0", "name": "disk0", "read_bytes": 4096, "write_bytes": 8192, "reads": 10, "writes": 20,
                "read_seconds": 1.5, "write_seconds": 2.5, "busy_seconds": None, "lower": None, "is_counted": True,
            }
        ]  # fmt: skip
        assert reading["disk"] == [{"pressure_some_seconds": None, "pressure_full_seconds": None}]

    @pytest.mark.parametrize("error", [NotImplementedError("no counters"), OSError(5, "x"), psutil.AccessDenied(1)])
    def test_counters_that_cannot_be_read_cost_only_the_devices(
        self, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        def refuse(**_options: Any) -> None:
            raise error

        monkeypatch.setattr(psutil, "disk_io_counters", refuse)
        collector = DiskCollector()
        reading = collector.read()
        assert (reading["device"], len(reading["partition"])) == ([], 1)
        assert "devices" in collector.warning

    def test_mounts_that_cannot_be_listed_cost_only_the_space(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(_mounts: PsutilMounts) -> None:
            raise psutil.AccessDenied(1)

        monkeypatch.setattr(PsutilMounts, "read", refuse)
        collector = DiskCollector()
        reading = collector.read()
        assert (len(reading["device"]), reading["partition"]) == (1, [])
        assert "space" in collector.warning


def test_this_machine_has_something_in_its_root() -> None:
    rows = [row for row in DiskCollector().read()["partition"] if row["mountpoint"] == "/"]
    assert len(rows) == 1
    assert 0 < rows[0]["used_bytes"] < rows[0]["total_bytes"]  # type: ignore[operator]
