"""Disks: how full each file system is, what each whole device did, how long work stood still for I/O."""

import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import psutil

from metrics.collectors import linux
from metrics.collectors.base import Collector, NoData, Reading, Row
from metrics.collectors.device_links import counted_devices, lower_names
from metrics.collectors.device_names import DeviceNames, Known
from metrics.collectors.diskstats import DiskLines, DiskStat, device_row, diskstats_row
from metrics.collectors.exclusions import Exclusion
from metrics.collectors.file_systems import Space, file_system_row, one_a_file_system, partition_row
from metrics.collectors.mount_questions import MountQuestions
from metrics.collectors.mounts import Mount, MountTable, PsutilMounts
from metrics.collectors.omissions import Omissions
from metrics.collectors.parts import read_part
from metrics.collectors.pressure import NO_PRESSURE, read_pressure
from metrics.collectors.text import decode, valid_text

IS_LINUX = sys.platform == "linux"

# Not hardware: node_exporter's default leaves the same out.
_VIRTUAL_DEVICE = re.compile(r"(z?ram|loop|fd)\d+(p\d+)?")
# Of these the ones that are set up are kept all the same: a disk image, swap that is compressed.
_SET_UP_BY_SOMEBODY = re.compile(r"(zram|loop)\d+")
# sda1 of sda, but nvme0n1p1 of nvme0n1: a name that ends in a digit takes a p before the partition's number.
_PARTITION_OF = re.compile(r"(?P<numbered>.*\d)p\d+|(?P<device>.*[a-z])\d+")

_MILLISECONDS = 1000
# So many mounts are named of those that do not answer.
_SAID = 4


class DiskCollector(Collector):
    """Kind `disk`: one row for the machine. Kind `partition`: one a file system. Kind `device`: one a disk.

    Kinds `filesystem` and `diskstats`, for exporters: every mount, and more about the devices, as the system counts.
    """

    family = "disk"

    def __init__(self) -> None:
        self._mounts: MountTable | PsutilMounts = MountTable() if IS_LINUX else PsutilMounts()
        self._questions = MountQuestions()
        self._names = DeviceNames()
        self._excluded_mounts, self._excluded_disks = Exclusion("mounts"), Exclusion("disks")

    def set_up(self, settings: Mapping[str, str]) -> None:
        self._excluded_mounts.set_up(settings)
        self._excluded_disks.set_up(settings)

    def read(self) -> Reading:
        omissions = Omissions()
        self._excluded_mounts.begin()
        self._excluded_disks.begin()
        space = read_part("space", lambda: self._read_space(omissions), _nothing("partition", "filesystem"), omissions)
        devices = read_part(
            "devices", lambda: self._read_devices(omissions), _nothing("device", "diskstats"), omissions
        )
        pressure = read_part("pressure", lambda: read_pressure("io"), NO_PRESSURE, omissions)
        self.warning = str(omissions)
        self.excluded = {**self._excluded_mounts.names(), **self._excluded_disks.names()}
        if not (space["partition"] or devices["device"] or self.warning):
            raise NoData(
                "every mount and every disk is excluded"
                if self.excluded
                else "no mounted file system and no disk device"
            )
        row: Row = {
            "pressure_some_seconds": pressure.some_seconds,
            "pressure_full_seconds": pressure.full_seconds,
        }
        return {"disk": [row], **space, **devices}

    def _read_space(self, omissions: Omissions) -> Reading:
        """Every mount but the excluded is asked, on Linux at its own pace; one row a file system is chosen of them."""
        mounts = [mount for mount in self._mounts.read() if not self._excluded_mounts.leaves_out(mount.mountpoint)]
        every_seconds = self._mounts.every_seconds
        self._questions.ask(mounts, every_seconds)
        asked = [(mount, self._questions.space(mount, every_seconds.get(mount.number, 0.0))) for mount in mounts]
        for line in self._mounts.unreadable:
            omissions.add("the lines of /proc/self/mountinfo", line)
        _say_some(omissions, [text for mount, space in asked if (text := self._complaint(mount, space))])
        return {
            "partition": [partition_row(mount, space) for mount, space in one_a_file_system(asked)],
            "filesystem": [file_system_row(mount, space) for mount, space in asked],
        }

    def _complaint(self, mount: Mount, space: Space | None) -> str:
        if space is None:
            return f"{mount.mountpoint}: {self._questions.complaint(mount)}"
        return f"{mount.mountpoint}: impossible: {', '.join(space.impossible)}" if space.impossible else ""

    def _read_devices(self, omissions: Omissions) -> Reading:
        if not IS_LINUX:
            rows = [row for row in psutil_devices() if not self._excluded_disks.leaves_out(str(row["device"]))]
            return {"device": rows, "diskstats": []}
        lines = DiskLines(decode(_diskstats()))
        found: dict[str, tuple[Known, DiskStat]] = {}
        for name in _worth_reading(tuple(lines.devices)):
            if _SET_UP_BY_SOMEBODY.fullmatch(name) and lines.is_idle(name):
                continue
            stat = lines.stat(name)
            known = stat and self._names.know(name, stat)
            if stat and known and known.is_set_up and not self._excluded_disks.leaves_out(known.name, name):
                found[name] = known, stat
        for line in lines.unreadable:
            omissions.add("the lines of /proc/diskstats", line)
        counted = counted_devices({name: known.links for name, (known, _stat) in found.items() if known.links})
        return {
            "device": [_device_row(name, *facts, is_counted=name in counted) for name, facts in found.items()],
            "diskstats": [diskstats_row(name, stat) for name, (_known, stat) in found.items()],
        }


def _device_row(device: str, known: Known, stat: DiskStat, *, is_counted: bool) -> Row:
    links = known.links
    facts: Row = {"lower": links and lower_names(links), "is_counted": is_counted if links else None}
    return {**device_row(device, known.name, stat), **facts}


def _say_some(omissions: Omissions, complaints: Sequence[str]) -> None:
    """A line in health, not a log: the first tell what to look for."""
    for complaint in complaints[:_SAID]:
        omissions.say(complaint)
    if len(complaints) > _SAID:
        omissions.say(f"and {len(complaints) - _SAID} mounts more")


def _nothing(*kinds: str) -> Reading:
    return {kind: [] for kind in kinds}


def _diskstats() -> bytes:
    try:
        return linux.proc_bytes("diskstats")
    except FileNotFoundError:
        raise NoData("no /proc/diskstats") from None


@lru_cache(maxsize=1)
def _worth_reading(names: Collection[str]) -> Sequence[str]:
    """Whole devices, and those that somebody may have set up."""
    return [*whole_devices(names), *filter(_SET_UP_BY_SOMEBODY.fullmatch, names)]


def whole_devices(names: Collection[str]) -> Iterable[str]:
    """Leave out partitions, and ram, zram, loop and floppy devices.

    What is left of a partition's name without its number is a device's; where it is none (an `xvda1`
    without `xvda`, as on some virtual machines) the name is a device's own.
    """
    return [name for name in names if not _VIRTUAL_DEVICE.fullmatch(name) and _parent(name) not in names]


def _parent(name: str) -> str | None:
    match = _PARTITION_OF.fullmatch(name)
    return match and (match["numbered"] or match["device"])


def psutil_devices() -> list[Row]:
    """Return what each whole device did since boot, where there is no /proc/diskstats."""
    # psutil's nowrap keeps state in the process: two recorders would count differently.
    counters = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
    return [_psutil_row(valid_text(device), counters[device]) for device in whole_devices(counters)]


def _psutil_row(device: str, counters: Any) -> Row:
    return {
        "device": device,
        "name": device,
        "read_bytes": counters.read_bytes,
        "write_bytes": counters.write_bytes,
        "reads": counters.read_count,
        "writes": counters.write_count,
        "read_seconds": _seconds(getattr(counters, "read_time", None)),
        "write_seconds": _seconds(getattr(counters, "write_time", None)),
        "busy_seconds": _seconds(getattr(counters, "busy_time", None)),
        "lower": None,
        # Elsewhere the system names physical drives only.
        "is_counted": True,
    }


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / _MILLISECONDS
