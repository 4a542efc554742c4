"""CPU: where its time went, for the machine and for each core, load, frequency, switches, pressure."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import psutil

from metrics.collectors import containers, linux
from metrics.collectors.base import Collector, Reading, Row
from metrics.collectors.cpu_frequency import CpuFrequency, core_list
from metrics.collectors.omissions import Omissions
from metrics.collectors.pressure import read_pressure
from metrics.collectors.proc_stat import CpuTimes, ProcStat, RisingTimes, parse_stat

PRESENT_CORES = Path("/sys/devices/system/cpu/present")
MACHINE = "cpu"

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


def account(times: Mapping[str, float | None]) -> CpuAccount:
    """Sort the times of a line, or of psutil.cpu_times(), which differ by platform, into the five of an account."""
    return CpuAccount(
        user=(times["user"] or 0.0) + (times.get("nice") or 0.0),
        system=sum(seconds or 0.0 for name, seconds in times.items() if name not in _NOT_SYSTEM),
        idle=times["idle"] or 0.0,
        iowait=times.get("iowait"),
        steal=times.get("steal"),
    )


def load_averages() -> tuple[float | None, float | None, float | None]:
    """Return the load over 1, 5 and 15 minutes (emulated by psutil on Windows)."""
    try:
        return psutil.getloadavg()
    except OSError:
        return None, None, None


class CpuCollector(Collector):
    """Kind `cpu`: one row for the machine. Kind `core`: one row a core, as psutil names its times.

    Kind `core_clock`, for exporters: one row a core where the kernel scales frequencies, so that clusters of big and of
    little cores have their own. Kinds `stat`, `file_handles` and `uname`, likewise: a row each where there is one.
    """

    family = "cpu"

    def __init__(self) -> None:
        self._frequency = CpuFrequency()
        self._rising = RisingTimes()
        # A core that is switched off keeps its place.
        self._places = max(core_list(linux.read_text(PRESENT_CORES)), default=-1) + 1

    def resume(self, reading: Reading) -> None:
        """Go on from the times that were recorded last."""
        if self._rising.is_empty():
            for row in reading.get("core", []):
                self._rising.hold(row["core"], _recorded_times(row, [name for name in row if name != "core"]))
            for row in reading.get("cpu", []):
                self._rising.hold(MACHINE, _recorded_times(row, [f"{name}_seconds" for name in CpuAccount._fields]))

    def _machine(self, stat: ProcStat) -> CpuAccount | None:
        return account(self._rising.hold(MACHINE, account(stat.machine)._asdict())) if stat.machine else None

    def read(self) -> Reading:
        omissions = Omissions()
        stat = parse_stat(linux.proc_text("stat"), omissions) if psutil.LINUX else _psutil_stat()
        # The machine's own line is not the sum of its cores': those are each cut to whole clock ticks, and go
        # away with a core that is taken offline.
        machine = self._machine(stat)
        cores = {number: self._rising.hold(number, times) for number, times in stat.cores.items()}
        self._places = max(self._places, max(cores, default=-1) + 1)
        row = _time_values(machine) | _core_values(cores, self._places) | _activity_values(stat)
        row["frequency_mhz"], clocks = self._frequency.read(cores)
        omissions.say(containers.cpu_remark(len(cores)))
        self.warning = str(omissions)
        return {
            "cpu": [row],
            "core": _core_rows(cores),
            "core_clock": [clock._asdict() for clock in clocks],
        } | _kernel_rows(stat)


def _recorded_times(row: Row, names: Iterable[str]) -> CpuTimes:
    values = {name.removesuffix("_seconds"): row.get(name) for name in names}
    return {name: value if isinstance(value, int | float) else None for name, value in values.items()}


def _psutil_stat() -> ProcStat:
    """The same from psutil, for another platform."""
    cores = {number: times._asdict() for number, times in enumerate(psutil.cpu_times(percpu=True))}
    stats = psutil.cpu_stats()
    return ProcStat(psutil.cpu_times()._asdict(), cores, {"ctxt": stats.ctx_switches, "intr": stats.interrupts})


def _time_values(machine: CpuAccount | None) -> Row:
    return {
        "user_seconds": machine and machine.user,
        "system_seconds": machine and machine.system,
        "idle_seconds": machine and machine.idle,
        "iowait_seconds": machine and machine.iowait,
        "steal_seconds": machine and machine.steal,
        "busy_seconds": machine and machine.busy,
        "total_seconds": machine and machine.total,
    }


def _core_values(cores: Mapping[int, CpuTimes], places: int) -> Row:
    """Lists by the kernel's numbers, None in the place of a core that is switched off."""
    accounts = [account(cores[number]) if number in cores else None for number in range(places)]
    return {
        "core_busy_seconds": [core and core.busy for core in accounts],
        "core_total_seconds": [core and core.total for core in accounts],
        "cores": len(cores),
    }


def _activity_values(stat: ProcStat) -> Row:
    load_1, load_5, load_15 = load_averages()
    return {
        "load_1": load_1,
        "load_5": load_5,
        "load_15": load_15,
        "context_switches": stat.counts.get("ctxt"),
        "interrupts": stat.counts.get("intr"),
        "pressure_some_seconds": read_pressure("cpu").some_seconds,
    }


def _core_rows(cores: Mapping[int, CpuTimes]) -> list[Row]:
    """One row a core, under the kernel's number for it."""
    return [
        {"core": number, **{f"{name}_seconds": seconds for name, seconds in times.items()}}
        for number, times in cores.items()
    ]


def _kernel_rows(stat: ProcStat) -> Reading:
    handles = linux.parse_file_handles(linux.proc_text("sys/fs/file-nr"))
    rows = {
        "stat": stat.process_counts() if psutil.LINUX else None,
        "file_handles": handles,
        "uname": linux.uname_row(),
    }
    return {kind: [row] for kind, row in rows.items() if row}
