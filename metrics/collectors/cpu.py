"""CPU: where its time went, for the machine and for each core, load, frequency, switches, pressure."""

from collections.abc import Mapping, Sequence
from glob import glob
from pathlib import Path
from typing import NamedTuple

import psutil

from metrics.collectors import linux
from metrics.collectors.base import Collector, Reading, Row
from metrics.collectors.pressure import read_pressure

FREQUENCY_FILES = "/sys/devices/system/cpu/cpufreq/policy*/scaling_cur_freq"

# Everything else that psutil names (system, irq, softirq, interrupt, dpc) is work of the kernel. The guests'
# time is left out, since Linux counts it in user and nice as well: the rule of psutil's own cpu_percent.
_NOT_SYSTEM = frozenset({"user", "nice", "idle", "iowait", "steal", "guest", "guest_nice"})


class CpuAccount(NamedTuple):
    """CPU seconds since boot, each in exactly one place."""

    user: float
    system: float
    idle: float
    iowait: float | None
    steal: float | None

    @property
    def busy(self) -> float:
        """Total without idle and iowait, added up: a difference of floats could fall by its last digit."""
        return self.user + self.system + (self.steal or 0.0)

    @property
    def total(self) -> float:
        """The sum of the five, in their order, so that they add up to it exactly."""
        return self.user + self.system + self.idle + (self.iowait or 0.0) + (self.steal or 0.0)


def account(times: Mapping[str, float]) -> CpuAccount:
    """Sort the fields of psutil.cpu_times(), which differ by platform, into the five of an account."""
    return CpuAccount(
        user=times["user"] + times.get("nice", 0.0),
        system=sum(seconds for name, seconds in times.items() if name not in _NOT_SYSTEM),
        idle=times["idle"],
        iowait=times.get("iowait"),
        steal=times.get("steal"),
    )


def load_averages() -> tuple[float | None, float | None, float | None]:
    """Return the load over 1, 5 and 15 minutes (emulated by psutil on Windows)."""
    try:
        return psutil.getloadavg()
    except OSError:
        return None, None, None


def mean_frequency(paths: Sequence[str]) -> float | None:
    """Return the mean of files that each hold a frequency in kHz, in MHz; a core that is off is left out."""
    frequencies = [khz for khz in map(_read_khz, paths) if khz]
    return sum(frequencies) / len(frequencies) / 1000 if frequencies else None


def _read_khz(path: str) -> int | None:
    try:
        return int(Path(path).read_text("ascii"))
    except (OSError, ValueError):  # gone with its core, or "<unknown>"
        return None


def psutil_frequency() -> float | None:
    """Return psutil's current frequency in MHz; None where there is none, or where it says 0."""
    read = getattr(psutil, "cpu_freq", None)
    if read is None:
        return None
    try:
        frequency = read()
    except (OSError, RuntimeError):
        return None
    return float(frequency.current) if frequency and frequency.current else None


class CpuCollector(Collector):
    """Kind `cpu`: one row for the machine. Kind `core`: one row a core, as psutil names its times.

    Kinds `stat`, `file_handles` and `uname`, for exporters: a row each where there is one.
    """

    family = "cpu"

    def __init__(self) -> None:
        # psutil reads /proc/cpuinfo and three files a core each time; this is one file a group of cores.
        self._frequency_paths = sorted(glob(FREQUENCY_FILES))

    def read(self) -> Reading:
        # The machine's own line is not the sum of its cores': those are each cut to whole clock ticks, and go
        # away with a core that is taken offline.
        machine = account(psutil.cpu_times()._asdict())
        cores = [times._asdict() for times in psutil.cpu_times(percpu=True)]
        row = _time_values(machine) | _core_values(cores) | _activity_values() | self._frequency_value()
        stat = linux.read_text(linux.PROC / "stat")
        return {"cpu": [row], "core": _core_rows(linux.core_numbers(stat), cores)} | _kernel_rows(stat)

    def _frequency_value(self) -> Row:
        paths = self._frequency_paths
        return {"frequency_mhz": mean_frequency(paths) if paths else psutil_frequency()}


def _time_values(machine: CpuAccount) -> Row:
    return {
        "user_seconds": machine.user,
        "system_seconds": machine.system,
        "idle_seconds": machine.idle,
        "iowait_seconds": machine.iowait,
        "steal_seconds": machine.steal,
        "busy_seconds": machine.busy,
        "total_seconds": machine.total,
    }


def _core_values(cores: Sequence[Mapping[str, float]]) -> Row:
    accounts = [account(times) for times in cores]
    return {
        "core_busy_seconds": [core.busy for core in accounts],
        "core_total_seconds": [core.total for core in accounts],
        "cores": len(accounts),
    }


def _activity_values() -> Row:
    load_1, load_5, load_15 = load_averages()
    stats = psutil.cpu_stats()
    return {
        "load_1": load_1,
        "load_5": load_5,
        "load_15": load_15,
        "context_switches": stats.ctx_switches,
        "interrupts": stats.interrupts,
        "pressure_some_seconds": read_pressure("cpu").some_seconds,
    }


def _core_rows(numbers: Sequence[int], cores: Sequence[Mapping[str, float]]) -> list[Row]:
    """One row a core, under the kernel's number for it: one that is switched off leaves a gap in them."""
    if len(numbers) != len(cores):
        numbers = range(len(cores))
    return [
        {"core": number, **{f"{name}_seconds": seconds for name, seconds in times.items()}}
        for number, times in zip(numbers, cores, strict=True)
    ]


def _kernel_rows(stat: str) -> Reading:
    handles = linux.parse_file_handles(linux.read_text(linux.PROC / "sys/fs/file-nr"))
    rows = {"stat": linux.parse_stat(stat), "file_handles": handles, "uname": linux.uname_row()}
    return {kind: [row] for kind, row in rows.items() if row}
