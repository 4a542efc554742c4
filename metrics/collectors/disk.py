"""Disks: how full each partition is, what each whole device did, how long work stood still for I/O."""

import os
import re
import stat
from collections.abc import Collection, Iterable
from typing import Any

import psutil

from metrics.collectors import linux
from metrics.collectors.base import Collector, NoData, Reading, Row
from metrics.collectors.pressure import read_pressure
from metrics.collectors.text import valid_text

# Not hardware: node_exporter's default leaves the same out.
_VIRTUAL_DEVICE = re.compile(r"(z?ram|loop|fd)\d+(p\d+)?")
# sda1 of sda, but nvme0n1p1 of nvme0n1: a name that ends in a digit takes a p before the partition's number.
_PARTITION_OF = re.compile(r"(?P<numbered>.*\d)p\d+|(?P<device>.*[a-z])\d+")

# Images that can only be read: always 100 % full, which is no news (every snap is one).
_IMAGE_FSTYPES = frozenset({"squashfs", "iso9660", "erofs"})

_MILLISECONDS = 1000


class DiskCollector(Collector):
    """Kind `disk`: one row for the machine. Kind `partition`: one a mounted one. Kind `device`: one a disk.

    Kinds `filesystem` and `diskstats`, for exporters: more about the partitions and the devices, as the system counts.
    """

    family = "disk"

    def read(self) -> Reading:
        mounted = mounted_partitions()
        partitions = [partition_row(partition) for partition in mounted]
        devices = device_rows()
        if not partitions and not devices:
            raise NoData("no mounted partition and no disk device")
        pressure = read_pressure("io")
        row: Row = {
            "pressure_some_seconds": pressure.some_seconds,
            "pressure_full_seconds": pressure.full_seconds,
        }
        counters = linux.parse_diskstats(
            linux.read_text(linux.PROC / "diskstats"), [str(row["device"]) for row in devices]
        )
        file_systems = [file_system_row(partition) for partition in mounted] if hasattr(os, "statvfs") else []
        reading: Reading = {"disk": [row], "partition": partitions, "device": devices}
        return reading | {"filesystem": file_systems, "diskstats": counters}


def mounted_partitions() -> list[Any]:
    """Return psutil's partitions without images and bind-mounted files, one for each mountpoint.

    Where the root is none of psutil's physical ones (the overlay of a container), it is added.
    """
    partitions = psutil.disk_partitions(all=False)
    if os.name == "posix" and all(partition.mountpoint != "/" for partition in partitions):
        partitions += [partition for partition in psutil.disk_partitions(all=True) if partition.mountpoint == "/"]
    wanted = [partition for partition in partitions if _is_wanted(partition)]
    # Mounted over one another, the last is the one that is seen.
    return list({partition.mountpoint: partition for partition in wanted}.values())


def _is_wanted(partition: Any) -> bool:
    return partition.fstype not in _IMAGE_FSTYPES and not _is_file(partition.mountpoint)


def _is_file(mountpoint: str) -> bool:
    """Whether it is certainly no directory, as /etc/hosts in a container; one that fails to say is kept."""
    try:
        return not stat.S_ISDIR(os.stat(mountpoint).st_mode)
    except OSError:
        return False


def partition_row(partition: Any) -> Row:
    """Return what a partition holds; None for all of it where it does not answer."""
    return _partition_labels(partition) | _usage_values(partition.mountpoint)


def _partition_labels(partition: Any) -> Row:
    return {name: valid_text(getattr(partition, name)) for name in ("device", "mountpoint", "fstype")}


def file_system_row(partition: Any) -> Row:
    """Return what statvfs says of a partition; None for the numbers where it does not answer."""
    is_read_only = "ro" in partition.opts.split(",")
    return _partition_labels(partition) | {"is_read_only": is_read_only} | _statvfs_values(partition.mountpoint)


def _statvfs_values(mountpoint: str) -> Row:
    names = ("size_bytes", "free_bytes", "available_bytes", "files", "files_free")
    try:
        usage = os.statvfs(mountpoint)
    except OSError:
        return dict.fromkeys(names) | {"has_error": True}
    blocks = (usage.f_blocks, usage.f_bfree, usage.f_bavail)
    sizes = [count * usage.f_frsize for count in blocks]
    return {"has_error": False, **dict(zip(names, (*sizes, usage.f_files, usage.f_ffree), strict=True))}


def _usage_values(mountpoint: str) -> Row:
    try:
        usage = psutil.disk_usage(mountpoint)
        inodes = inodes_percent(mountpoint)
    except OSError:
        return dict.fromkeys(("total_bytes", "used_bytes", "free_bytes", "percent", "inodes_percent"))
    return {
        "total_bytes": usage.total,
        "used_bytes": usage.used,
        "free_bytes": usage.free,
        "percent": usage.percent,
        "inodes_percent": inodes,
    }


def inodes_percent(mountpoint: str) -> float | None:
    """Return the share of inodes in use, as `df -i`; None where the file system has no fixed number of them."""
    if not hasattr(os, "statvfs"):
        return None
    usage = os.statvfs(mountpoint)
    if not usage.f_files:
        return None
    return round((usage.f_files - usage.f_ffree) * 100 / usage.f_files, 1)


def device_rows() -> list[Row]:
    """Return what each whole device did since boot."""
    # psutil's nowrap keeps state in the process: two recorders would count differently.
    try:
        counters = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
    except (OSError, RuntimeError):  # neither /proc/diskstats nor /sys/block
        counters = {}
    return [_device_row(device, counters[device]) for device in whole_devices(counters)]


def whole_devices(names: Collection[str]) -> Iterable[str]:
    """Leave out partitions, and ram, zram, loop and floppy devices.

    What is left of a partition's name without its number is a device's; where it is none (an `xvda1`
    without `xvda`, as on some virtual machines) the name is a device's own.
    """
    return [name for name in names if not _VIRTUAL_DEVICE.fullmatch(name) and _parent(name) not in names]


def _parent(name: str) -> str | None:
    match = _PARTITION_OF.fullmatch(name)
    return match and (match["numbered"] or match["device"])


def _device_row(device: str, counters: Any) -> Row:
    busy = getattr(counters, "busy_time", None)
    return {
        "device": valid_text(device),
        "read_bytes": counters.read_bytes,
        "write_bytes": counters.write_bytes,
        "reads": counters.read_count,
        "writes": counters.write_count,
        "read_seconds": _seconds(getattr(counters, "read_time", None)),
        "write_seconds": _seconds(getattr(counters, "write_time", None)),
        "busy_seconds": _seconds(busy),
    }


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / _MILLISECONDS
