"""What statvfs says of a file system, and which of its mounts stands for it."""

import os
from collections import namedtuple

import pytest

from metrics.collectors import file_systems
from metrics.collectors.file_systems import (
    Space,
    file_system_row,
    inodes_percent,
    one_a_file_system,
    partition_row,
    space_at,
    space_of,
)
from metrics.collectors.mounts import Mount

StatVfs = namedtuple("StatVfs", "f_files f_ffree f_frsize f_blocks f_bfree f_bavail f_bsize")
LABELS = {"device": "/dev/vda1", "mountpoint": "/", "fstype": "ext4"}
SPACE = Space(1000, 750, 700, 1000, 875)


def statvfs(files=1000, files_free=875, unit=10, blocks=100, free=75, available=70, block_bytes=10):
    return StatVfs(files, files_free, unit, blocks, free, available, block_bytes)


def mount(path="/", device_number="254:0", root="/", *, is_read_only=False):
    return Mount(1, 0, device_number, root, path, path, "ext4", "/dev/vda1", is_read_only)


def test_blocks_become_bytes():
    assert space_of(statvfs()) == SPACE


def test_where_there_is_no_size_of_a_fragment_it_is_that_of_a_block():
    assert space_of(statvfs(unit=0, block_bytes=4096)).size_bytes == 409600


@pytest.mark.parametrize(
    ("says", "impossible", "row"),
    [
        ({"free": 440}, ("free",), {"used_bytes": None, "percent": None, "total_bytes": 1000, "free_bytes": 700}),
        ({"free": -1}, ("free",), {"used_bytes": None, "percent": None, "total_bytes": 1000}),
        ({"available": 101}, ("available",), {"free_bytes": None, "percent": None, "used_bytes": 250}),
        ({"available": 2**61}, ("available",), {"free_bytes": None, "used_bytes": 250}),
        ({"blocks": 2**62}, ("size",), {"total_bytes": None, "used_bytes": None, "free_bytes": None, "percent": None}),
        ({"blocks": -5}, ("size",), {"total_bytes": None, "used_bytes": None}),
        ({"files_free": 1001}, ("inodes",), {"inodes_percent": None, "used_bytes": 250}),
        ({"files_free": -1}, ("inodes",), {"inodes_percent": None, "percent": 26.3}),
        ({"files": 2**64}, ("inodes",), {"inodes_percent": None}),
        ({"free": 440, "files_free": 1001}, ("free", "inodes"), {"used_bytes": None, "inodes_percent": None}),
    ],
)
def test_what_cannot_be_is_null_and_named(says, impossible, row):
    space = space_of(statvfs(**says))
    assert space.impossible == impossible
    found = partition_row(mount(), space)
    assert {name: found[name] for name in row} == row


@pytest.mark.parametrize("says", [{"free": 100, "available": 100}, {"free": 0, "available": 0}, {"available": 80}])
def test_what_is_rare_can_be(says):
    assert space_of(statvfs(**says)).impossible == ()


def test_every_value_that_is_there_can_be():
    """Whatever a file system says, nothing is negative, above its whole or above 100 %."""
    some = (-(2**40), -1, 0, 1, 99, 100, 101, 2**33, 2**63, 2**64)
    for blocks in some:
        for free in some:
            for available in some:
                row = partition_row(mount(), space_of(statvfs(blocks, free, 4096, blocks, free, available)))
                total = row["total_bytes"]
                for name in ("total_bytes", "used_bytes", "free_bytes"):
                    assert row[name] is None or 0 <= row[name] <= total < 2**63
                assert all(row[name] is None or 0 <= row[name] <= 100 for name in ("percent", "inodes_percent"))


def test_a_partition_says_how_full_it_is_by_psutils_formulas():
    assert partition_row(mount(), SPACE) == LABELS | {
        "total_bytes": 1000, "used_bytes": 250, "free_bytes": 700, "percent": 26.3, "inodes_percent": 12.5,
    }  # fmt: skip


def test_a_mount_says_what_the_system_counts():
    assert file_system_row(mount(is_read_only=True), SPACE) == LABELS | {
        "is_read_only": True, "has_error": False, "size_bytes": 1000, "free_bytes": 750, "available_bytes": 700,
        "files": 1000, "files_free": 875,
    }  # fmt: skip


def test_one_that_does_not_answer_keeps_its_rows():
    row = partition_row(mount(), None)
    assert row == LABELS | dict.fromkeys(("total_bytes", "used_bytes", "free_bytes", "percent", "inodes_percent"))
    row = file_system_row(mount(), None)
    assert (row["has_error"], row["size_bytes"], row["files"]) == (True, None, None)
    assert set(row) == set(file_system_row(mount(), SPACE))


def test_a_file_system_without_a_number_of_inodes_has_no_percent():
    space = space_of(statvfs(files=0, files_free=0))
    assert (space.files, inodes_percent(space), space.impossible) == (None, None, ())


def chosen(*mounts, space=SPACE):
    return [found.path for found, _space in one_a_file_system((one, space) for one in mounts)]


@pytest.mark.parametrize(
    ("mounts", "paths"),
    [
        ([mount("/a"), mount("/b", "8:1")], ["/a", "/b"]),
        ([mount("/var/lib/kubelet/pods/x"), mount("/data"), mount("/var/snap")], ["/data"]),
        ([mount("/home", root="/@home"), mount("/", root="/@"), mount("/var/log", root="/@log")], ["/"]),
        ([mount("/data", root="/var/lib/volumes/x"), mount("/host")], ["/host"]),
        ([mount("/host"), mount("/data", root="/var/lib/volumes/x")], ["/host"]),
        ([mount("/b"), mount("/a")], ["/a"]),
    ],
)
def test_one_row_a_file_system_under_the_shortest_path(mounts, paths):
    assert chosen(*mounts) == paths


def test_a_file_that_is_mounted_is_no_partition():
    file = SPACE._replace(is_directory=False)
    assert chosen(mount("/etc/hosts"), space=file) == []
    found = one_a_file_system([(mount("/h"), file), (mount("/var/lib/data"), SPACE)])
    assert [one.path for one, _space in found] == ["/var/lib/data"]


def test_what_has_no_blocks_at_all_is_no_partition():
    assert chosen(mount("/new"), space=space_of(statvfs(blocks=0, free=0, available=0))) == []


def test_of_two_mounts_the_one_that_answers_stands_for_it():
    found = one_a_file_system([(mount("/a"), None), (mount("/longer"), SPACE)])
    assert [one.path for one, _space in found] == ["/longer"]
    assert chosen(mount("/a"), mount("/longer"), space=None) == ["/a"]


def test_a_path_is_asked_whether_it_is_a_folder_once(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    assert space_at(str(tmp_path), None).is_directory
    known = space_at(str(tmp_path / "file"), None)
    assert not known.is_directory
    monkeypatch.setattr(os, "stat", None)
    assert not space_at(str(tmp_path / "file"), known).is_directory


def test_windows_has_no_inodes(monkeypatch, tmp_path):
    usage = namedtuple("usage", "total used free percent")(1000, 300, 700, 30.0)
    monkeypatch.delattr(os, "statvfs")
    monkeypatch.setattr(file_systems.psutil, "disk_usage", lambda path: usage)
    row = partition_row(mount(), space_at(str(tmp_path), None))
    assert (row["used_bytes"], row["percent"], row["inodes_percent"]) == (300, 30.0, None)


def test_what_is_not_there_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        space_at(str(tmp_path / "gone"), None)
