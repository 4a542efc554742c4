"""How full file systems are: what statvfs says, as far as it can be, and one row for each."""

import os
import stat
from collections.abc import Iterable
from typing import NamedTuple

import psutil

from metrics.collectors.base import Row
from metrics.collectors.mounts import Mount

# What the database can hold; some that have no end say a size of 2^63 or more.
MAX_BYTES = 2**63 - 1

_NO_SPACE: Row = dict.fromkeys(("total_bytes", "used_bytes", "free_bytes", "percent", "inodes_percent"))
_NO_COUNTS: Row = dict.fromkeys(("size_bytes", "free_bytes", "available_bytes", "files", "files_free"))


class Space(NamedTuple):
    """What a file system holds. None for what it does not count, and for what cannot be; `impossible` names the latter.

    Free and available bytes and files are never above their whole, and nothing is below zero.
    """

    size_bytes: int | None
    free_bytes: int | None
    """Free to root."""
    available_bytes: int | None
    """Free to any user."""
    files: int | None
    files_free: int | None
    is_directory: bool = True
    """False where a file is mounted, such as /etc/hosts in a container."""
    impossible: tuple[str, ...] = ()


def space_at(path: str, before: Space | None) -> Space:
    """Ask the file system of a path, which may take for ever. Raises OSError.

    What was a directory `before` is one still: a mount does not change.
    """
    is_directory = before.is_directory if before else stat.S_ISDIR(os.stat(path).st_mode)
    if hasattr(os, "statvfs"):
        space = space_of(os.statvfs(path))
    else:
        usage = psutil.disk_usage(path)
        space = _possible(usage.total, usage.total - usage.used, usage.free, None, None)
    return space if is_directory else space._replace(is_directory=False)


def space_of(usage: os.statvfs_result) -> Space:
    """Sort what statvfs says, in blocks, into bytes that can be."""
    unit = usage.f_frsize or usage.f_bsize
    has_files = usage.f_files > 0
    return _possible(
        usage.f_blocks * unit,
        usage.f_bfree * unit,
        usage.f_bavail * unit,
        usage.f_files if has_files else None,
        usage.f_ffree if has_files else None,
    )


def _possible(size: int, free: int, available: int, files: int | None, files_free: int | None) -> Space:
    size_is, files_are = 0 <= size <= MAX_BYTES, files is None or files <= MAX_BYTES
    is_possible = {
        "size": size_is,
        "free": not size_is or 0 <= free <= size,
        "available": not size_is or 0 <= available <= size,
        "inodes": files_are and (files is None or files_free is None or 0 <= files_free <= files),
    }
    return Space(
        size if size_is else None,
        free if size_is and is_possible["free"] else None,
        available if size_is and is_possible["available"] else None,
        files if files_are else None,
        files_free if is_possible["inodes"] else None,
        impossible=tuple(name for name, possible in is_possible.items() if not possible),
    )


def partition_row(mount: Mount, space: Space | None) -> Row:
    """Return how full a partition is, with psutil's formulas; None for all of it where it does not answer."""
    labels: Row = {"device": mount.device, "mountpoint": mount.mountpoint, "fstype": mount.fstype}
    if space is None:
        return labels | _NO_SPACE
    used = None if space.size_bytes is None or space.free_bytes is None else space.size_bytes - space.free_bytes
    usable = None if used is None or space.available_bytes is None else used + space.available_bytes
    return labels | {
        "total_bytes": space.size_bytes,
        "used_bytes": used,
        "free_bytes": space.available_bytes,
        "percent": round(used * 100 / usable, 1) if used is not None and usable else None,
        "inodes_percent": inodes_percent(space),
    }


def inodes_percent(space: Space) -> float | None:
    """Return the share of inodes in use, as `df -i`; None where the file system has no fixed number of them."""
    if not space.files or space.files_free is None:
        return None
    return round((space.files - space.files_free) * 100 / space.files, 1)


def file_system_row(mount: Mount, space: Space | None) -> Row:
    """Return what statvfs says of a mount, for exporters; None for the numbers where it does not answer."""
    row: Row = {"device": mount.device, "mountpoint": mount.mountpoint, "fstype": mount.fstype}
    row |= {"is_read_only": mount.is_read_only, "has_error": space is None}
    return row | (_NO_COUNTS if space is None else {name: getattr(space, name) for name in _NO_COUNTS})


def one_a_file_system(mounts: Iterable[tuple[Mount, Space | None]]) -> list[tuple[Mount, Space | None]]:
    """Choose of each file system's mounts the one with the shortest path, and of two the one that shows all of it.

    Files that are mounted say nothing about a folder, and what has no blocks at all holds no files.
    """
    chosen: dict[str, tuple[Mount, Space | None]] = {}
    for mount, space in mounts:
        if space is not None and not (space.is_directory and space.size_bytes != 0):
            continue
        best = chosen.get(mount.device_number)
        if best is None or _preference(mount, space) < _preference(*best):
            chosen[mount.device_number] = mount, space
    return list(chosen.values())


def _preference(mount: Mount, space: Space | None) -> tuple[bool, int, bool, str]:
    return space is None, len(mount.mountpoint), mount.root != "/", mount.mountpoint
