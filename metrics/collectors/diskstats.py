"""What each disk did since boot, from /proc/diskstats: a line that cannot be read costs its own disk."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from metrics.collectors.base import Row

SECTOR_BYTES = 512  # whatever the disk's own sectors are: include/linux/types.h
_MILLISECONDS = 1000
# Highest number of the kernel's: what is beyond is none of its counters.
_MAX_COUNT = 2**64 - 1

# How many numbers follow a name: Linux 2.6, 4.18 (discards), 5.5 (flushes). lxcfs leaves out one of the discards, so
# of any other length only those of 2.6 are sure.
_SURE, _WITH_DISCARDS, _WITH_FLUSHES = 11, 15, 17

_NO_NUMBERS = (None,) * _WITH_FLUSHES


class DiskStat(NamedTuple):
    """One line: 17 numbers (Documentation/admin-guide/iostats.rst), None for those that it does not say."""

    device_number: str
    numbers: tuple[int | None, ...]


class DiskLines:
    """The lines of /proc/diskstats by device, of which only those are taken apart that are asked for."""

    def __init__(self, text: str) -> None:
        self.unreadable: list[str] = []
        self._fields: dict[str, list[str]] = {}
        for line in text.split("\n"):
            fields = line.split()
            if len(fields) >= 3:
                self._fields[fields[2]] = fields
            elif fields:
                self.unreadable.append(line)

    @property
    def devices(self) -> Collection[str]:
        """The names, as they are in the file."""
        return self._fields.keys()

    def is_idle(self, device: str) -> bool:
        """Whether it never read or wrote."""
        fields = self._fields[device]
        return fields[3:4] == ["0"] == fields[7:8]

    def stat(self, device: str) -> DiskStat | None:
        """Return a device's counters; None, and its line is among the unreadable ones, where it is cut short."""
        fields = self._fields[device]
        numbers, is_whole = parse_numbers(fields[3:])
        if not is_whole:
            self.unreadable.append(" ".join(fields))
        return DiskStat(f"{fields[0]}:{fields[1]}", numbers) if numbers else None


def parse_numbers(fields: Sequence[str]) -> tuple[tuple[int | None, ...], bool]:
    """Return the 17 numbers after a name, and whether all that are there can be; () where too few are there."""
    count = len(fields)
    if count < _SURE:
        return (), False
    if count >= _WITH_FLUSHES:
        count = _WITH_FLUSHES
    elif count != _WITH_DISCARDS:
        count = _SURE
    numbers = tuple(map(_number, fields[:count]))
    return numbers + _NO_NUMBERS[count:], None not in numbers


def _number(text: str) -> int | None:
    """A counter of the kernel's; None for what cannot be one, such as a negative number."""
    return number if text.isdecimal() and (number := int(text)) <= _MAX_COUNT else None


def device_row(device: str, name: str, stat: DiskStat) -> Row:
    """Return what a disk did, in bytes and seconds; None for what its line does not say."""
    reads, _, read_sectors, read_ms, writes, _, written_sectors, write_ms, _, busy_ms, *_ = stat.numbers
    return {
        "device": device,
        "name": name,
        "read_bytes": _bytes(read_sectors),
        "write_bytes": _bytes(written_sectors),
        "reads": reads,
        "writes": writes,
        "read_seconds": _seconds(read_ms),
        "write_seconds": _seconds(write_ms),
        "busy_seconds": _seconds(busy_ms),
    }


def diskstats_row(device: str, stat: DiskStat) -> Row:
    """Return the rest, for exporters; None for what an older kernel does not count."""
    _, reads_merged, _, _, _, writes_merged, _, _, io_now, _, weighted_ms, *rest = stat.numbers
    discards, discards_merged, discarded_sectors, discard_ms, flushes, flush_ms = rest
    return {
        "device": device,
        "reads_merged": reads_merged,
        "writes_merged": writes_merged,
        "io_now": io_now,
        "weighted_seconds": _seconds(weighted_ms),
        "discards": discards,
        "discards_merged": discards_merged,
        "discarded_sectors": discarded_sectors,
        "discard_seconds": _seconds(discard_ms),
        "flushes": flushes,
        "flush_seconds": _seconds(flush_ms),
    }


def _bytes(sectors: int | None) -> int | None:
    return None if sectors is None else sectors * SECTOR_BYTES


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / _MILLISECONDS
