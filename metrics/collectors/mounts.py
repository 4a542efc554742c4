"""Which file systems are mounted where: from /proc/self/mountinfo on Linux, elsewhere from psutil."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import psutil

from metrics.collectors import linux
from metrics.collectors.device_names import source_name
from metrics.collectors.text import decode, valid_text

# A file system that another machine, or another program, answers for is asked once a minute.
REMOTE_EVERY_SECONDS = 60.0

# fmt: off
_REMOTE_FSTYPES = frozenset({
    "9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "fhgfs", "fuse", "gfarm", "glusterfs",
    "gpfs", "lustre", "ncp", "ncpfs", "nfs", "nfs4", "orangefs", "panfs", "prl_fs", "pvfs2", "shfs", "smb2", "smb3",
    "smbfs", "vboxsf", "virtiofs", "vmhgfs", "wekafs",
})
# fmt: on
# What the kernel shows of itself: nothing is kept there.
# fmt: off
_PSEUDO_FSTYPES = frozenset({
    "autofs", "binder", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "cpuset", "debugfs", "devfs",
    "devpts", "devtmpfs", "efivarfs", "functionfs", "fuse.gvfsd-fuse", "fuse.lxcfs", "fuse.portal",
    "fuse.xdg-document-portal", "fusectl", "gadgetfs", "hugetlbfs", "ipathfs", "mqueue", "nfsd", "none", "nsfs",
    "nullfs", "pipefs", "proc", "procfs", "pstore", "rdma_cm", "resctrl", "rootfs", "rpc_pipefs", "securityfs",
    "selinuxfs", "smackfs", "sockfs", "spufs", "sysfs", "tracefs", "usbdevfs", "usbfs", "xenfs", "zonefs",
})
# fmt: on
# Images that can only be read: always 100 % full, which is no news (every snap is one).
_IMAGE_FSTYPES = frozenset({"cramfs", "erofs", "fuse.snapfuse", "fuse.squashfuse", "iso9660", "romfs", "squashfs"})
# Layers of other file systems: their space is that of the upper layer, which has a mount of its own. The root of a
# container has none, and stays.
_LAYER_FSTYPES = frozenset({"aufs", "overlay", "overlayfs", "unionfs", "fuse.fuse-overlayfs", "fuse.unionfs-fuse"})
_MEMORY_FSTYPES = frozenset({"ramfs", "tmpfs"})
# Where the kernel, systemd and the runtimes of containers mount small file systems in memory for themselves.
_OWN_MEMORY = re.compile(
    r"^/(proc|sys|dev(?!/shm(/|$)))(/|$)|/(run/(credentials|containerd|docker|snapd)|var/lib/(docker|containers|kubelet))/"
)
_ESCAPED = re.compile(rb"\\([0-7]{3})")
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")


class Mount(NamedTuple):
    """One mount. All is valid text but `path`, which may carry odd bytes as surrogates, as os takes them."""

    number: int
    parent: int
    device_number: str
    """The super block's, such as `254:0`: all mounts of one file system have the same."""
    root: str
    """Which folder of the file system is mounted; another one than / is a bind mount or a subvolume."""
    path: str
    mountpoint: str
    """The path as text."""
    fstype: str
    device: str
    is_read_only: bool
    """Whether the super block is: a bind mount that is read-only says nothing about the file system."""
    options: str = ""
    """Those of an automounter, which say how long a mount may be idle; of others none are kept."""

    @property
    def is_remote(self) -> bool:
        """Whether another machine, or another program, answers for it."""
        return self.fstype in _REMOTE_FSTYPES or self.fstype.startswith("fuse.")


def parse_mountinfo(raw: bytes) -> tuple[list[Mount], list[bytes]]:
    """Parse /proc/self/mountinfo (proc_pid_mountinfo(5)); return the mounts, and the lines that cannot be read."""
    mounts: list[Mount] = []
    unreadable: list[bytes] = []
    for line in filter(None, raw.split(b"\n")):
        try:
            mounts.append(_parse_line(line))
        except (ValueError, IndexError):
            unreadable.append(line)
    return mounts, unreadable


def _parse_line(line: bytes) -> Mount:
    head, _, tail = line.partition(b" - ")
    number, parent, device_number, root, path, _options, *_propagation = head.split(b" ")
    fstype, device, options = tail.split(b" ", 2)
    if not (device_number.replace(b":", b"", 1).isdigit() and path.startswith(b"/") and fstype):
        raise ValueError(line)
    return Mount(
        number=int(number),
        parent=int(parent),
        device_number=device_number.decode(),
        root=decode(_unescaped(root)),
        path=os.fsdecode(_unescaped(path)),
        mountpoint=decode(_unescaped(path)),
        fstype=decode(_unescaped(fstype)),
        device=source_name(_PASSWORD.sub(r"\1@", decode(_unescaped(device))), device_number.decode()),
        is_read_only=b"ro" in options.split(b","),
        options=decode(options) if fstype == b"autofs" else "",
    )


def _unescaped(raw: bytes) -> bytes:
    return _ESCAPED.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), raw) if b"\\" in raw else raw


def in_sight(mounts: Sequence[Mount]) -> list[Mount]:
    """Leave out what lies under another mount: whoever asks for its path is told about that one.

    A mount is covered by one on its own root, and buried by one on a folder above it that has the same parent, or by
    whatever buries its parent.
    """
    by_number = {mount.number: mount for mount in mounts}
    taken = {(mount.parent, mount.path): mount for mount in mounts if mount.parent != mount.number}
    buried: dict[int, bool] = {}

    def is_buried(mount: Mount) -> bool:
        if mount.number not in buried:
            buried[mount.number] = False  # whatever a broken table says, this ends
            above = (taken.get((mount.parent, folder)) for folder in _folders_above(mount.path))
            parent = by_number.get(mount.parent)
            is_second = mount is not parent and taken.get((mount.parent, mount.path), mount) is not mount
            buried[mount.number] = is_second or any(above) or (parent is not None and is_buried(parent))
        return buried[mount.number]

    return [mount for mount in mounts if (mount.number, mount.path) not in taken and not is_buried(mount)]


def _folders_above(path: str) -> Iterator[str]:
    while path != "/":
        path = path.rpartition("/")[0] or "/"
        yield path


def holds_files(mount: Mount) -> bool:
    """Whether it is a file system in which somebody keeps files, with a space of its own."""
    if mount.fstype in _PSEUDO_FSTYPES or mount.fstype in _IMAGE_FSTYPES:
        return False
    if mount.fstype in _LAYER_FSTYPES:
        return mount.path == "/"
    return mount.fstype not in _MEMORY_FSTYPES or not _OWN_MEMORY.search(mount.path)


def automount_idle_seconds(mounts: Iterable[Mount]) -> dict[int, float]:
    """How long each mount below an automounter's has to be idle to be unmounted, by its number; 0.0 is for ever."""
    by_number = {mount.number: mount for mount in mounts}
    return {number: idle for number in by_number if (idle := _idle_seconds(number, by_number)) is not None}


def _idle_seconds(number: int, by_number: dict[int, Mount]) -> float | None:
    for _step in by_number:
        number = by_number[number].parent
        if number not in by_number:
            return None
        if by_number[number].fstype == "autofs":
            found = re.search(r"(?:^|,)timeout=(\d+)", by_number[number].options)
            return float(found[1]) if found else 0.0
    return None


class MountTable:
    """The mounts that can be seen and hold files; a table that did not change is not parsed again."""

    def __init__(self) -> None:
        self._raw: bytes | None = None
        self.mounts: list[Mount] = []
        self.unreadable: list[str] = []
        self.every_seconds: dict[int, float] = {}
        """How often a mount may be asked, by its number; one that is not in it, at each reading."""

    def read(self) -> list[Mount]:
        """Return the mounts as they are now. Raises OSError where Linux has no table of them."""
        raw = linux.proc_bytes("self/mountinfo")
        if raw != self._raw:
            every_one, unreadable = parse_mountinfo(raw)
            self.unreadable = [decode(line) for line in unreadable]
            self.mounts = [mount for mount in in_sight(every_one) if holds_files(mount)]
            self.every_seconds = self._paces(every_one)
            self._raw = raw
        return self.mounts

    def _paces(self, every_one: list[Mount]) -> dict[int, float]:
        """An automounted one would never become idle if it were asked more often than that takes."""
        idle = automount_idle_seconds(every_one)
        paces = {mount.number: REMOTE_EVERY_SECONDS for mount in self.mounts if mount.is_remote}
        return paces | {number: max(REMOTE_EVERY_SECONDS, 2 * seconds) for number, seconds in idle.items()}


class PsutilMounts:
    """The same where there is no table: psutil's partitions, which are asked at each reading."""

    unreadable: Sequence[str] = ()

    def __init__(self) -> None:
        self.every_seconds: dict[int, float] = {}

    def read(self) -> list[Mount]:
        """Return psutil's physical partitions, one for each mount point: of two on one the last is seen."""
        mounts = [
            Mount(
                number=number,
                parent=0,
                device_number=part.mountpoint,
                root="/",
                path=part.mountpoint,
                mountpoint=valid_text(part.mountpoint),
                fstype=valid_text(part.fstype),
                device=valid_text(part.device),
                is_read_only="ro" in part.opts.split(","),
            )
            for number, part in enumerate(psutil.disk_partitions(all=False), 1)
        ]
        return list({mount.path: mount for mount in mounts if mount.fstype not in _IMAGE_FSTYPES}.values())
