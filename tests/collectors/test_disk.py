import os
from collections import namedtuple
from pathlib import Path
from typing import Any

import psutil
import pytest

from metrics.collectors import disk
from metrics.collectors.base import NoData
from metrics.collectors.disk import DiskCollector, inodes_percent, whole_devices
from metrics.collectors.pressure import NO_PRESSURE, Pressure

Partition = namedtuple("Partition", "device mountpoint fstype opts")
Usage = namedtuple("Usage", "total used free percent")
Linux = namedtuple(
    "Linux",
    "read_count write_count read_bytes write_bytes read_time write_time read_merged_count write_merged_count busy_time",
)
Mac = namedtuple("Mac", "read_count write_count read_bytes write_bytes read_time write_time")
StatVfs = namedtuple("StatVfs", "f_files f_ffree f_frsize f_blocks f_bfree f_bavail", defaults=(10, 100, 75, 70))

VDA = Linux(10, 20, 4096, 8192, 1500, 2500, 0, 0, 3000)


class FrozenMachine:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.partitions: list[Partition] = [Partition("/dev/vda1", "/", "ext4", "rw")]
        self.others: list[Partition] = []
        self.counters: dict[str, Any] | None = {"vda": VDA}
        monkeypatch.setattr(psutil, "disk_partitions", self._partitions)
        monkeypatch.setattr(psutil, "disk_io_counters", self._counters)
        monkeypatch.setattr(psutil, "disk_usage", lambda mountpoint: Usage(1000, 250, 700, 26.3))
        monkeypatch.setattr(os, "statvfs", lambda mountpoint: StatVfs(1000, 875))
        monkeypatch.setattr(disk, "read_pressure", {"io": Pressure(1.5, 0.5)}.__getitem__)

    def _partitions(self, all: bool) -> list[Partition]:  # noqa: A002
        return [*self.partitions, *self.others] if all else list(self.partitions)

    def _counters(self, perdisk: bool, nowrap: bool) -> dict[str, Any] | None:
        assert perdisk
        assert not nowrap
        return self.counters


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> FrozenMachine:
    return FrozenMachine(monkeypatch)


def partitions() -> list[dict[str, Any]]:
    return DiskCollector().read()["partition"]


def test_a_partition_says_how_full_it_is(machine: FrozenMachine) -> None:
    assert partitions() == [
        {
            "device": "/dev/vda1",
            "mountpoint": "/",
            "fstype": "ext4",
            "total_bytes": 1000,
            "used_bytes": 250,
            "free_bytes": 700,
            "percent": 26.3,
            "inodes_percent": 12.5,
        }
    ]


def test_a_file_system_says_what_the_system_counts(machine: FrozenMachine) -> None:
    assert DiskCollector().read()["filesystem"] == [
        {
            "device": "/dev/vda1",
            "mountpoint": "/",
            "fstype": "ext4",
            "is_read_only": False,
            "has_error": False,
            "size_bytes": 1000,
            "free_bytes": 750,
            "available_bytes": 700,
            "files": 1000,
            "files_free": 875,
        }
    ]


def test_a_file_system_that_does_not_answer_says_so(machine: FrozenMachine) -> None:
    def refuse(mountpoint: str) -> StatVfs:
        raise OSError

    machine.partitions = [Partition("/dev/vda1", "/", "ext4", "ro,errors=continue")]
    machine.monkeypatch.setattr(os, "statvfs", refuse)
    [row] = DiskCollector().read()["filesystem"]
    assert (row["has_error"], row["is_read_only"], row["size_bytes"], row["files"]) == (True, True, None, None)


def test_a_device_has_its_counters_in_seconds_and_bytes(machine: FrozenMachine) -> None:
    assert DiskCollector().read()["device"] == [
        {
            "device": "vda",
            "read_bytes": 4096,
            "write_bytes": 8192,
            "reads": 10,
            "writes": 20,
            "read_seconds": 1.5,
            "write_seconds": 2.5,
            "busy_seconds": 3.0,
        }
    ]


def test_the_machine_has_its_pressure_in_a_row_of_its_own(machine: FrozenMachine) -> None:
    assert DiskCollector().read()["disk"] == [{"pressure_some_seconds": 1.5, "pressure_full_seconds": 0.5}]


def test_a_platform_without_pressure_or_busy_time_has_none(
    machine: FrozenMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.counters = {"disk0": Mac(10, 20, 4096, 8192, 1500, 2500)}
    monkeypatch.setattr(disk, "read_pressure", lambda resource: NO_PRESSURE)
    reading = DiskCollector().read()
    assert reading["device"][0]["busy_seconds"] is None
    assert reading["device"][0]["read_seconds"] == 1.5
    assert reading["disk"] == [{"pressure_some_seconds": None, "pressure_full_seconds": None}]


def test_a_partition_that_does_not_answer_keeps_its_row(
    machine: FrozenMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(mountpoint: str) -> None:
        raise PermissionError(mountpoint)

    machine.partitions.append(Partition("/dev/vdb1", "/nowhere/at/all", "xfs", "rw"))
    monkeypatch.setattr(psutil, "disk_usage", refuse)
    row = partitions()[1]
    assert row.pop("mountpoint") == "/nowhere/at/all"
    assert (row.pop("device"), row.pop("fstype")) == ("/dev/vdb1", "xfs")
    assert row == dict.fromkeys(("total_bytes", "used_bytes", "free_bytes", "percent", "inodes_percent"))


def test_a_file_that_is_mounted_is_no_partition(machine: FrozenMachine, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.touch()
    machine.partitions += [Partition("/dev/vda1", str(hosts), "ext4", "rw"), Partition("/dev/vdb", "/usr", "xfs", "")]
    assert [row["mountpoint"] for row in partitions()] == ["/", "/usr"]


def test_of_two_on_one_mountpoint_the_last_is_the_one_that_is_seen(machine: FrozenMachine) -> None:
    machine.partitions.append(Partition("/dev/vdb1", "/", "xfs", "rw"))
    assert [row["device"] for row in partitions()] == ["/dev/vdb1"]


def test_images_that_can_only_be_read_are_left_out(machine: FrozenMachine) -> None:
    machine.partitions.append(Partition("/dev/loop3", "/snap/core/1", "squashfs", "ro"))
    assert [row["fstype"] for row in partitions()] == ["ext4"]


def test_the_overlay_root_of_a_container_is_a_partition(machine: FrozenMachine) -> None:
    machine.partitions = [Partition("/dev/vda1", "/data", "ext4", "rw")]
    machine.others = [Partition("overlay", "/", "overlay", "rw"), Partition("tmpfs", "/dev/shm", "tmpfs", "rw")]
    assert [row["device"] for row in partitions()] == ["/dev/vda1", "overlay"]


def test_odd_bytes_in_a_mountpoint_become_valid_text(machine: FrozenMachine) -> None:
    machine.partitions = [Partition("/dev/sdb1", os.fsdecode(b"/media/\xff"), "vfat", "rw")]
    assert partitions()[0]["mountpoint"] == "/media/\\xff"


def test_a_file_system_without_a_number_of_inodes_has_no_percent(
    machine: FrozenMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda mountpoint: StatVfs(0, 0))
    assert inodes_percent("/") is None


def test_windows_has_no_inodes(machine: FrozenMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "statvfs")
    assert partitions()[0]["inodes_percent"] is None


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


@pytest.mark.parametrize("counters", [None, {}, {"loop0": VDA}])
def test_a_machine_without_disks_has_no_data(machine: FrozenMachine, counters: dict[str, Any] | None) -> None:
    machine.partitions, machine.counters = [], counters
    with pytest.raises(NoData):
        DiskCollector().read()


def test_counters_that_cannot_be_read_cost_only_the_devices(
    machine: FrozenMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**options: bool) -> None:
        raise NotImplementedError("no /proc/diskstats")

    monkeypatch.setattr(psutil, "disk_io_counters", refuse)
    reading = DiskCollector().read()
    assert reading["device"] == []
    assert len(reading["partition"]) == 1


def test_this_machine_has_something_in_its_root() -> None:
    rows = [row for row in partitions() if row["mountpoint"] == "/"]
    assert len(rows) == 1
    assert 0 < rows[0]["used_bytes"] < rows[0]["total_bytes"]
