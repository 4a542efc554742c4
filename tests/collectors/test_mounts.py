"""Tables of mounts, as /proc/self/mountinfo shows them."""

import os
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from metrics.collectors import device_names, linux, mounts
from metrics.collectors.mounts import MountTable, PsutilMounts, holds_files, in_sight, parse_mountinfo

Partition = namedtuple("Partition", "device mountpoint fstype opts")

ROOT = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard"


def table(*lines):
    found, unreadable = parse_mountinfo("\n".join(lines).encode("utf-8", "surrogateescape"))
    assert unreadable == []
    return found


def kept(*lines):
    return [mount.mountpoint for mount in in_sight(table(*lines)) if holds_files(mount)]


def test_a_line_says_what_is_mounted_where():
    [mount] = table("36 35 98:1 /mnt1 /mnt2 rw,noatime master:1 shared:3 - ext3 /dev/sdb1 rw,errors=continue")
    assert (mount.number, mount.parent, mount.device_number, mount.root) == (36, 35, "98:1", "/mnt1")
    assert (mount.path, mount.mountpoint, mount.fstype, mount.device) == ("/mnt2", "/mnt2", "ext3", "/dev/sdb1")


@pytest.mark.parametrize(
    ("mount_options", "super_options", "is_read_only"),
    [
        ("ro,relatime", "rw,discard", False),
        ("rw,relatime", "ro", True),
        ("ro", "ro,errors=remount-ro", True),
        ("rw", "rw,errors=remount-ro", False),
        ("rw", "rw,rootcontext=ro", False),
    ],
)
def test_whether_it_is_read_only_says_the_super_block(mount_options, super_options, is_read_only):
    [mount] = table(f"27 1 254:0 / / {mount_options} - ext4 /dev/vda {super_options}")
    assert mount.is_read_only is is_read_only


@pytest.mark.parametrize(
    ("written", "mountpoint", "path"),
    [
        (r"/my\040disk", "/my disk", "/my disk"),
        (r"/tab\011new\012line", "/tab\tnew\nline", "/tab\tnew\nline"),
        (r"/back\134slash\043", r"/back\slash#", r"/back\slash#"),
        ("/디스크", "/디스크", "/디스크"),
        ("/media/\udcff", r"/media/\xff", os.fsdecode(b"/media/\xff")),
        (r"/a\040-\040b", "/a - b", "/a - b"),
    ],
)
def test_odd_characters_of_a_path_are_those_of_the_folder(written, mountpoint, path):
    [mount] = table(f"27 1 254:0 / {written} rw - ext4 /dev/vda rw")
    assert (mount.mountpoint, mount.path) == (mountpoint, path)


def test_what_is_mounted_may_have_no_name_and_shows_no_password():
    assert table("27 1 0:9 / /a rw - tmpfs  rw")[0].device == ""
    assert table("27 1 0:9 / /a rw - davfs https://me:secret@host/x rw")[0].device == "https://me@host/x"


@pytest.mark.parametrize(
    "line",
    [
        "27",
        "27 1 254:0 / /",
        "x 1 254:0 / / rw - ext4 a rw",
        "27 1 254 / x rw - ext4 a rw",
        "27 1 254:0 / / rw ext4 a rw",
        "\x00",
    ],
)
def test_a_line_that_cannot_be_read_costs_itself_alone(line):
    found, unreadable = parse_mountinfo(f"{line}\n\n{ROOT}\n".encode())
    assert [mount.path for mount in found] == ["/"]
    assert unreadable == [line.encode()]


NETWORK = {
    "nfs4": "server:/export", "nfs": "server:/export", "cifs": "//server/share", "fuse.sshfs": "me@host:",
    "fuse.mergerfs": "a:b", "9p": "share", "virtiofs": "share", "ceph": "1.2.3.4:/", "fuse.rclone": "remote:",
    "fuse.glusterfs": "host:/v", "lustre": "x@tcp:/l", "smb3": "//s/x", "fuse.s3fs": "s3fs",
}  # fmt: skip


@pytest.mark.parametrize(("fstype", "device"), NETWORK.items())
def test_what_has_no_block_device_is_there_and_is_asked_once_a_minute(fstype, device):
    [_root, mount] = table(ROOT, f"40 27 0:40 / /mnt/x rw - {fstype} {device} rw")
    assert holds_files(mount)
    assert mount.is_remote


@pytest.mark.parametrize("fstype", ["zfs", "btrfs", "tmpfs", "fuseblk", "xfs", "bcachefs", "ubifs", "new"])
def test_what_this_machine_answers_for_itself_is_there_at_each_reading(fstype):
    [_root, mount] = table(ROOT, f"40 27 0:40 / /tmp rw - {fstype} a rw")
    assert holds_files(mount)
    assert not mount.is_remote


@pytest.mark.parametrize(
    "line",
    [
        "22 27 0:21 / /proc rw - proc proc rw", "23 27 0:22 / /sys rw - sysfs sysfs rw",
        "24 27 0:6 / /dev rw - devtmpfs devtmpfs rw", "26 24 0:24 / /dev/pts rw - devpts devpts rw",
        "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw", "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw",
        "31 27 0:28 / /proc/acpi ro - tmpfs tmpfs ro", "31 27 0:28 / /run/credentials/a.service ro - tmpfs x ro",
        "31 27 0:3 net:[4026532] /run/netns/x rw - nsfs nsfs rw", "31 27 0:50 / /auto rw - autofs systemd-1 rw",
        "31 27 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro", "31 27 11:0 / /media/cd ro - iso9660 /dev/sr0 ro",
        "31 27 0:60 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw",
        "31 27 0:61 / /var/lib/kubelet/pods/x/volumes/secret rw - tmpfs tmpfs rw",
        "31 27 0:62 / /host/var/lib/docker/containers/x/mounts/shm rw - tmpfs shm rw",
        "31 27 0:63 / /run/user/1000/gvfs rw - fuse.gvfsd-fuse gvfsd-fuse rw",
        "31 27 0:64 / /var/lib/lxcfs rw - fuse.lxcfs lxcfs rw",
    ],
)  # fmt: skip
def test_what_the_kernel_and_runtimes_mount_for_themselves_is_not(line):
    assert kept(ROOT, line) == ["/"]


@pytest.mark.parametrize(
    "path", ["/tmp", "/run", "/dev/shm", "/run/user/1000", "/mnt/sysfiles", "/processed", "/devel"]
)
def test_memory_that_people_fill_is(path):
    assert path in kept(ROOT, f"31 27 0:60 / {path} rw - tmpfs tmpfs rw")


def test_the_overlay_root_of_a_container_is():
    assert kept("31 20 0:60 / / rw - overlay overlay rw") == ["/"]


@pytest.mark.parametrize(
    ("lines", "seen"),
    [
        # Mounted over one another, the last is seen.
        (["30 27 8:1 / /a rw - ext4 one rw", "31 30 8:2 / /a rw - ext4 two rw"], ["/", "two /a"]),
        # Something is mounted over the folder above it.
        (["30 27 8:1 / /a/b rw - ext4 one rw", "31 27 8:2 / /a rw - ext4 two rw"], ["/", "two /a"]),
        (["30 27 8:1 / /a/b/c/d rw - ext4 one rw", "31 27 8:2 / /a rw - ext4 two rw"], ["/", "two /a"]),
        # Beside one another, and one within the other, all are seen.
        (["30 27 8:1 / /a rw - ext4 one rw", "31 27 8:2 / /ab rw - ext4 two rw"], ["/", "one /a", "two /ab"]),
        (["30 27 8:1 / /a rw - ext4 one rw", "31 30 8:2 / /a/b rw - ext4 two rw"], ["/", "one /a", "two /a/b"]),
        # What is mounted within one that is covered is covered too.
        (
            ["30 27 8:1 / /a rw - ext4 one rw", "31 30 8:2 / /a/b rw - ext4 two rw", "32 30 8:3 / /a rw - xfs 3 rw"],
            ["/", "3 /a"],
        ),
        (
            ["30 27 8:1 / /a/b rw - ext4 one rw", "31 30 8:2 / /a/b/c rw - ext4 two rw", "32 27 8:3 / /a rw - xfs 3 w"],
            ["/", "3 /a"],
        ),
        # Pseudo file systems cover as well.
        (["30 27 8:1 / /proc/x rw - ext4 one rw", "31 27 0:3 / /proc rw - proc proc rw"], ["/"]),
    ],
)  # fmt: skip
def test_what_lies_under_another_mount_is_not_seen(lines, seen):
    found = [mount for mount in in_sight(table(ROOT, *lines)) if holds_files(mount)]
    assert [f"{mount.device} {mount.path}" if mount.path != "/" else "/" for mount in found] == seen


def test_the_root_that_the_kernel_began_with_is_covered():
    assert kept("1 1 0:2 / / rw - ramfs none rw", ROOT) == ["/"]


def test_a_table_that_turns_in_circles_ends():
    in_sight(table("30 31 8:1 / /a/x rw - ext4 one rw", "31 30 8:2 / /b/y rw - ext4 two rw"))


@pytest.fixture
def proc(tmp_path, monkeypatch):
    (tmp_path / "self").mkdir()
    monkeypatch.setattr(linux, "PROC", tmp_path)
    return tmp_path / "self/mountinfo"


@pytest.mark.parametrize(
    ("autofs_options", "every_seconds"),
    [("rw,fd=5,timeout=600,direct", 1200), ("rw,fd=5,timeout=10,indirect", 60), ("rw,timeout=0", 60), ("rw", 60)],
)
def test_an_automounted_one_is_asked_no_more_often_than_lets_it_become_idle(proc, autofs_options, every_seconds):
    proc.write_text(
        f"{ROOT}\n30 27 0:50 / /net rw - autofs auto.net {autofs_options}\n31 30 8:1 / /net/a rw - ext4 /dev/sda1 rw\n"
        "32 31 0:60 / /net/a/deeper rw - nfs4 s:/x rw\n33 27 0:61 / /other rw - nfs4 s:/y rw\n"
    )
    found = MountTable()
    assert [mount.path for mount in found.read()] == ["/", "/net/a", "/net/a/deeper", "/other"]
    assert found.every_seconds.get(27) is None
    assert [found.every_seconds[number] for number in (31, 32, 33)] == [every_seconds, every_seconds, 60]


def test_a_table_that_did_not_change_is_not_parsed_again(proc, monkeypatch):
    proc.write_text(ROOT)
    found = MountTable()
    before = found.read()
    monkeypatch.setattr(mounts, "parse_mountinfo", None)
    assert found.read() is before
    monkeypatch.undo()
    monkeypatch.setattr(linux, "PROC", proc.parent.parent)
    proc.write_text(ROOT.replace("rw,discard", "ro,discard"))
    assert [mount.is_read_only for mount in found.read()] == [True]


def test_names_that_do_not_last_are_replaced(proc, tmp_path, monkeypatch):
    monkeypatch.setattr(device_names, "BLOCK_DEVICES", tmp_path)
    monkeypatch.setattr(device_names, "DEVICE_NUMBERS", tmp_path)
    (tmp_path / "dm-3/dm").mkdir(parents=True)
    (tmp_path / "dm-3/dm/name").write_text("vg-home\n")
    (tmp_path / "254:0").symlink_to("../../devices/pci/block/vda/vda1")
    proc.write_text(f"{ROOT.replace('/dev/vda', '/dev/root')}\n30 27 253:3 / /home rw - ext4 /dev/dm-3 rw\n")
    assert [mount.device for mount in MountTable().read()] == ["/dev/vda1", "/dev/mapper/vg-home"]


def test_elsewhere_psutil_says_what_is_mounted(monkeypatch):
    parts = [
        Partition("C:\\", "C:\\", "NTFS", "rw,fixed"), Partition("/dev/disk1", "/", "apfs", "ro,local"),
        Partition("/dev/disk2", "/", "apfs", "rw"), Partition("/dev/cd0", "/cd", "iso9660", "ro"),
    ]  # fmt: skip
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: parts)  # noqa: A006
    found = PsutilMounts().read()
    assert [(mount.device, mount.path, mount.is_read_only) for mount in found] == [
        ("C:\\", "C:\\", False), ("/dev/disk2", "/", False),
    ]  # fmt: skip
    assert len({mount.device_number for mount in found}) == 2


@pytest.mark.skipif(not Path("/proc/self/mountinfo").exists(), reason="needs Linux")
def test_every_line_of_this_machine_can_be_read():
    assert parse_mountinfo(Path("/proc/self/mountinfo").read_bytes())[1] == []
