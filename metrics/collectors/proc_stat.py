"""/proc/stat: where CPU time went, of the machine and of each core, and what the kernel counts beside it."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from metrics.collectors.base import Row
from metrics.collectors.omissions import Omissions

# The columns of a line, in their order; an old kernel has fewer, but never less than the first four.
CPU_COLUMNS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice")
FEWEST_COLUMNS = 4
COUNTS = ("intr ", "ctxt ", "processes ", "procs_running ", "procs_blocked ")
# What falls by more than this was plugged in again, or restored from a snapshot: it counts anew, as in node_exporter.
RESTART_SECONDS = 3.0

_PER_SECOND = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100

CpuTimes = dict[str, float | None]
"""Seconds by name; None for what this kernel does not count."""


class ProcStat(NamedTuple):
    """What /proc/stat says. `machine` is None where its line cannot be read; cores by the kernel's numbers."""

    machine: CpuTimes | None
    cores: dict[int, CpuTimes]
    counts: dict[str, int]
    """The first number of each line of COUNTS."""

    def process_counts(self) -> Row | None:
        """Forks since the boot, and the processes that run or wait for a disk now."""
        names = {"forks": "processes", "procs_running": "procs_running", "procs_blocked": "procs_blocked"}
        row: Row = {name: self.counts.get(source) for name, source in names.items()}
        return row if any(value is not None for value in row.values()) else None


def parse_stat(text: str, omissions: Omissions | None = None) -> ProcStat:
    """Parse /proc/stat; a line that cannot be read is left out."""
    omissions = omissions or Omissions()
    lines = text.split("\n")
    cpus = dict(
        omissions.parsed("the lines of /proc/stat", [line for line in lines if line.startswith("cpu")], _cpu_line)
    )
    others = [line for line in lines if line.startswith(COUNTS)]
    counts = dict(omissions.parsed("the lines of /proc/stat", others, _count_line))
    machine = cpus.pop("", None)
    return ProcStat(machine, {int(number): times for number, times in cpus.items()}, counts)


def _cpu_line(line: str) -> tuple[str, CpuTimes]:
    name, *ticks = line.split()
    number = name.removeprefix("cpu")
    if len(ticks) < FEWEST_COLUMNS or not all(map(str.isdecimal, ticks)) or not (number or "0").isdecimal():
        raise ValueError(line)
    seconds: list[float | None] = [int(count) / _PER_SECOND for count in ticks[: len(CPU_COLUMNS)]]
    missing = len(CPU_COLUMNS) - len(seconds)
    return number, dict(zip(CPU_COLUMNS, [*seconds, *[None] * missing], strict=True))


def _count_line(line: str) -> tuple[str, int]:
    name, count, *_rest = line.split(" ", 2)
    return name, int(count)


class RisingTimes:
    """Holds CPU times that the kernel itself sets back a little (idle, iowait, steal) where they were.

    Whoever takes the fall of a counter for a restart computes hundreds of seconds of it in one.
    """

    def __init__(self) -> None:
        self._held: dict[object, Mapping[str, float | None]] = {}

    def is_empty(self) -> bool:
        """Whether nothing is held yet."""
        return not self._held

    def hold(self, line: object, times: Mapping[str, float | None]) -> CpuTimes:
        """The times of a line, none of them lower than it was, unless the line counts anew."""
        before = self._held.get(line, {})
        fallen = {name: last for name, last in before.items() if last and last > (times.get(name) or 0.0)}
        if any(last - (times.get(name) or 0.0) > RESTART_SECONDS for name, last in fallen.items()):
            fallen = {}
        held = {**times, **fallen}
        self._held[line] = held
        return held
