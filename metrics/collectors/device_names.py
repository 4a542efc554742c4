"""The names that people know of block devices: what `dm-0` is, and which file is behind `loop3`."""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from metrics.collectors import linux
from metrics.collectors.device_links import DeviceLinks, device_links
from metrics.collectors.diskstats import DiskStat
from metrics.collectors.linux import read_text

BLOCK_DEVICES = Path("/sys/block")
DEVICE_NUMBERS = Path("/sys/dev/block")
UDEV_DATA = Path("/run/udev/data")

# A name is a file or two for each device; it is read again when the counters fall, and after this time.
NAMES_LAST_SECONDS = 30.0

# There are always some of these, whether anybody uses them or not.
_OF_NOBODY_YET = re.compile(r"(zram|loop)\d+")
_NUMBERED_MAPPER = re.compile(r"/dev/(dm-\d+)")
# The links to a device that stand for its name: an array's, a ZFS volume's.
_UDEV_LINK = re.compile(r"^S:(?:md|zvol)/(.+)$", re.MULTILINE)


class Known(NamedTuple):
    """What was found out about a device, and when; it may be another one when a counter of it falls."""

    name: str
    is_set_up: bool
    links: DeviceLinks | None
    at: float
    stat: DiskStat

    def holds_for(self, stat: DiskStat, now: float) -> bool:
        """Whether it need not be found out again."""
        fell = any((new or 0) < (old or 0) for new, old in zip(stat.numbers[:8], self.stat.numbers, strict=False))
        return not fell and stat.device_number == self.stat.device_number and now - self.at < NAMES_LAST_SECONDS


class DeviceNames:
    """Remembers the names for a while."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._known: dict[str, Known] = {}

    def know(self, device: str, stat: DiskStat) -> Known:
        """Return the name that people know, the device's own where it has no other, and whether it is set up."""
        known, now = self._known.get(device), self._now()
        if known is None or not known.holds_for(stat, now):
            links = device_links(_directory(device))
            known = Known(device_name(device, stat.device_number), is_set_up(device), links, now, stat)
        else:
            known = known._replace(stat=stat)
        self._known[device] = known
        return known


def device_name(device: str, device_number: str) -> str:
    """Return the name in the device mapper (LVM, multipath, LUKS), of an array, of the file behind a loop."""
    if device.startswith("dm-"):
        return _line(device, "dm/name") or device
    if device.startswith("loop"):
        return _line(device, "loop/backing_file") or device
    if device.startswith("zram"):
        return f"{device} (swap)" if f"/dev/{device} " in linux.proc_text("swaps") else device
    if device.startswith(("md", "zd")):
        found = _UDEV_LINK.search(read_text(UDEV_DATA / f"b{device_number}"))
        return found[1] if found else device
    return device


def is_set_up(device: str) -> bool:
    """Whether it is a disk, or a loop or zram device that can be written to: images of programs are no news."""
    if not _OF_NOBODY_YET.fullmatch(device):
        return True
    size = _line(device, "size")
    return size.isdecimal() and int(size) > 0 and _line(device, "ro") == "0"


def source_name(device: str, device_number: str) -> str:
    """Return what is mounted by a name that lasts: /dev/root is none, the mapper's numbers change with a boot."""
    if device in ("/dev/root", "rootfs"):
        try:
            return f"/dev/{os.path.basename(os.readlink(DEVICE_NUMBERS / device_number))}"
        except OSError:
            return device
    numbered = _NUMBERED_MAPPER.fullmatch(device)
    name = _line(numbered[1], "dm/name") if numbered else ""
    return f"/dev/mapper/{name}" if name else device


def _line(device: str, fact: str) -> str:
    return read_text(_directory(device) / fact).rstrip("\n")


def _directory(device: str) -> Path:
    return BLOCK_DEVICES / device.replace("/", "!")
