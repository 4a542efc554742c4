"""Names of block devices, from trees like those of /sys, /run/udev and /proc."""

import pytest

from metrics.collectors import device_names, linux
from metrics.collectors.device_names import DeviceNames, device_name, is_set_up
from metrics.collectors.diskstats import DiskStat

STAT = DiskStat("253:0", tuple(range(10, 27)))


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setattr(device_names, "BLOCK_DEVICES", tmp_path / "block")
    monkeypatch.setattr(device_names, "UDEV_DATA", tmp_path / "udev")
    monkeypatch.setattr(linux, "PROC", tmp_path / "proc")

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")

    return write


@pytest.mark.parametrize(
    ("device", "file", "text", "name"),
    [
        ("dm-0", "block/dm-0/dm/name", "ubuntu--vg-root\n", "ubuntu--vg-root"),
        ("dm-12", "block/dm-12/dm/name", "mpatha\n", "mpatha"),
        ("dm-1", "block/dm-1/dm/name", "luks-2f3a 한글\n", "luks-2f3a 한글"),
        ("md127", "udev/b253:0", "S:disk/by-id/md-uuid-1\nS:md/home\nE:MD_LEVEL=raid1\n", "home"),
        ("zd16", "udev/b253:0", "I:1\nS:zvol/tank/vm-1\n", "tank/vm-1"),
        ("loop3", "block/loop3/loop/backing_file", "/srv/disk image.img\n", "/srv/disk image.img"),
        ("loop4", "block/loop4/loop/backing_file", "/srv/\udcff (deleted)\n", r"/srv/\xff (deleted)"),
        ("zram0", "proc/swaps", "Filename Type\n/dev/zram0 partition 1 0 100\n", "zram0 (swap)"),
        ("zram1", "proc/swaps", "Filename Type\n/dev/zram10 partition 1 0 100\n", "zram1"),
        ("dm-5", "block/dm-5/size", "1\n", "dm-5"),
        ("md0", "udev/b1:1", "S:md/other\n", "md0"),
        ("sda", "block/sda/size", "1\n", "sda"),
        ("nvme0n1", "udev/b253:0", "S:disk/by-id/x\n", "nvme0n1"),
    ],
)
def test_a_device_has_the_name_that_people_know_or_its_own(write, device, file, text, name):
    write(file, text)
    assert device_name(device, "253:0") == name


def test_a_device_of_an_old_driver_stands_in_a_folder_with_a_mark(write):
    write("block/cciss!c0d0/size", "5\n")
    assert is_set_up("cciss/c0d0")


@pytest.mark.parametrize(
    ("device", "size", "read_only", "expected"),
    [("loop0", "2048", "0", True), ("loop1", "2048", "1", False), ("zram0", "0", "0", False), ("sda", "0", "1", True)],
)
def test_a_loop_device_is_a_disk_where_it_can_be_written(write, device, size, read_only, expected):
    write(f"block/{device}/size", f"{size}\n")
    write(f"block/{device}/ro", f"{read_only}\n")
    assert is_set_up(device) is expected


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


def test_a_name_is_read_again_after_a_while_or_when_the_counters_fall(write):
    clock = Clock()
    names = DeviceNames(clock)
    write("block/dm-0/dm/name", "one\n")
    assert names.know("dm-0", STAT).name == "one"
    write("block/dm-0/dm/name", "two\n")
    more = STAT._replace(numbers=tuple(number + 5 for number in STAT.numbers))
    assert names.know("dm-0", more).name == "one"
    assert names.know("dm-0", STAT).name == "two"
    write("block/dm-0/dm/name", "three\n")
    clock.seconds = 31.0
    assert names.know("dm-0", STAT).name == "three"


def test_another_number_is_another_device(write):
    names = DeviceNames(Clock())
    write("block/dm-0/dm/name", "one\n")
    names.know("dm-0", STAT)
    write("block/dm-0/dm/name", "two\n")
    assert names.know("dm-0", STAT._replace(device_number="252:0")).name == "two"
