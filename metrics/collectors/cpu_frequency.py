"""The clock of the cores: one number for the machine, in which each core counts once, and each core's own."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

import psutil

from metrics.collectors import linux

CPUFREQ = Path("/sys/devices/system/cpu/cpufreq")
# As x86, Loongson, POWER (with its unit) and s390x write it in /proc/cpuinfo.
_CPUINFO_MHZ = re.compile(r"^(?:cpu MHz(?: dynamic)?|CPU MHz|clock)\s*:\s*([0-9]+(?:\.[0-9]+)?)(?:MHz)?$", re.MULTILINE)


class FrequencyPolicy(NamedTuple):
    """Cores with one clock: all of one, or a cluster of big or of little ones, and the limits of the hardware in Hz."""

    file: Path
    cores: frozenset[int]
    lowest_hertz: int | None
    highest_hertz: int | None


class CoreClock(NamedTuple):
    """The clock of a core and the limits of its hardware; None for what is not known."""

    core: int
    frequency_hertz: int | None
    lowest_hertz: int | None
    highest_hertz: int | None


class CpuFrequency:
    """Reads the clock from a file a policy; which there are is looked up again when cores come or go."""

    def __init__(self) -> None:
        self._online: frozenset[int] | None = None
        self._policies: list[FrequencyPolicy] = []

    def read(self, cores: Collection[int]) -> tuple[float | None, list[CoreClock]]:
        """The mean of the cores of these numbers in MHz, None where the platform does not say, and each core's clock.

        Those are empty where the kernel does not scale frequencies.
        """
        if not psutil.LINUX:
            return psutil_frequency(), []
        if self._online != (online := frozenset(cores)):
            self._online, self._policies = online, find_policies()
        if not self._policies:
            return cpuinfo_mhz(linux.proc_text("cpuinfo")), []
        clocks = core_clocks(self._policies, online)
        known = [clock.frequency_hertz for clock in clocks if clock.frequency_hertz]
        return sum(known) / len(known) / 1e6 if known else None, clocks


def find_policies() -> list[FrequencyPolicy]:
    """The policies of this machine; empty where the kernel does not scale frequencies."""
    directories = [d for d in sorted(CPUFREQ.glob("policy*")) if (d / "scaling_cur_freq").exists()]
    return [
        FrequencyPolicy(
            d / "scaling_cur_freq",
            frozenset(core_list(linux.read_text(d / "related_cpus"))),
            _hertz(d / "cpuinfo_min_freq"),
            _hertz(d / "cpuinfo_max_freq"),
        )
        for d in directories
    ]


def core_clocks(policies: Iterable[FrequencyPolicy], online: Collection[int]) -> list[CoreClock]:
    """The clock of each core that is on, by its number: that of its cluster."""
    clocks: list[CoreClock] = []
    for policy in policies:
        if cores := policy.cores.intersection(online):
            hertz = _hertz(policy.file)
            clocks += [CoreClock(core, hertz, policy.lowest_hertz, policy.highest_hertz) for core in cores]
    return sorted(clocks)


def cpuinfo_mhz(cpuinfo: str) -> float | None:
    """The mean of the clocks in /proc/cpuinfo, which has one a core."""
    found = [mhz for mhz in map(float, _CPUINFO_MHZ.findall(cpuinfo)) if mhz]
    return sum(found) / len(found) if found else None


def core_list(text: str) -> set[int]:
    """Numbers of cores as the kernel lists them: `0-3,8`, or with blanks; empty where it is no list."""
    cores: set[int] = set()
    for part in text.replace(",", " ").split():
        first, _, last = part.partition("-")
        if not (first.isdecimal() and (last or first).isdecimal()):
            return set()
        cores.update(range(int(first), int(last or first) + 1))
    return cores


def _hertz(file: Path) -> int | None:
    text = linux.read_text(file).strip()  # in kHz; gone with its core, or "<unknown>"
    return int(text) * 1000 or None if text.isdecimal() else None


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
