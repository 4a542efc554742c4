"""Lines of /proc/diskstats, as kernels and containers write them."""

import pytest

from metrics.collectors.diskstats import DiskLines, device_row, diskstats_row
from tests.collectors.test_linux import DISKSTATS

LXCFS = "8       0 sda 7 1 16 9 46 2 977 34 0 2 3 0 5 6"


def stat_of(text, device):
    lines = DiskLines(text)
    return lines.stat(device), lines.unreadable


def test_a_disk_has_its_counters_in_bytes_and_seconds():
    stat, unreadable = stat_of(DISKSTATS, "vda")
    assert unreadable == []
    assert device_row("vda", "vda", stat) == {
        "device": "vda", "name": "vda", "read_bytes": 2518794 * 512, "write_bytes": 14263400 * 512, "reads": 35987,
        "writes": 84337, "read_seconds": 5.853, "write_seconds": 77.407, "busy_seconds": 6.304,
    }  # fmt: skip
    assert diskstats_row("vda", stat) == {
        "device": "vda", "reads_merged": 8913, "writes_merged": 169592, "io_now": 2, "weighted_seconds": 83.762,
        "discards": 4974, "discards_merged": 40, "discarded_sectors": 135296, "discard_seconds": 0.358,
        "flushes": 3473, "flush_seconds": 0.142,
    }  # fmt: skip


def test_an_old_kernel_counts_no_discards():
    row = diskstats_row("sda", stat_of(DISKSTATS, "sda")[0])
    assert (row["weighted_seconds"], row["discards"], row["flush_seconds"]) == (0.011, None, None)


@pytest.mark.parametrize("numbers", [11, 12, 13, 14, 15, 16, 17, 18, 25])
def test_a_line_of_any_length_has_the_eleven_that_are_sure(numbers):
    line = "8 0 sda " + " ".join(str(10 + place) for place in range(numbers))
    stat, unreadable = stat_of(line, "sda")
    assert unreadable == []
    assert stat.numbers[:11] == tuple(range(10, 21))


def test_of_a_length_that_no_kernel_has_nothing_but_what_is_sure_is_taken():
    stat, unreadable = stat_of(LXCFS, "sda")
    assert unreadable == []
    assert device_row("sda", "sda", stat)["write_bytes"] == 977 * 512
    assert diskstats_row("sda", stat)["discards"] is None


@pytest.mark.parametrize("line", ["8 0 sda", "8 0 sda 1 2 3", "8 0 sda 1 2 3 4 5 6 7 8 9 10"])
def test_a_line_that_is_cut_is_no_disk_and_is_counted(line):
    stat, unreadable = stat_of(line, "sda")
    assert (stat, unreadable) == (None, [line])


@pytest.mark.parametrize("value", ["-1", "1.5", "x", "99999999999999999999999", "\\xff", "٣x"])
def test_a_number_that_cannot_be_is_null_and_counted(value):
    stat, unreadable = stat_of(f"8 0 sda 1 2 {value} 4 5 6 7 8 9 10 11", "sda")
    row = device_row("sda", "sda", stat)
    assert (row["read_bytes"], row["reads"], row["writes"]) == (None, 1, 5)
    assert len(unreadable) == 1


def test_lines_beside_an_odd_one_are_read():
    text = f"\n8\n8 16 sdb 1\n{LXCFS}\n\n 254 0 vda 1 2 3 4 5 6 7 8 9 10 11\n"
    lines = DiskLines(text)
    assert list(lines.devices) == ["sdb", "sda", "vda"]
    assert [bool(lines.stat(device)) for device in lines.devices] == [False, True, True]
    assert lines.unreadable == ["8", "8 16 sdb 1"]


def test_an_empty_file_has_no_disk():
    assert list(DiskLines("").devices) == []


def test_a_device_that_never_worked_is_idle():
    lines = DiskLines(DISKSTATS)
    assert [lines.is_idle(device) for device in ("loop0", "vda")] == [True, False]
