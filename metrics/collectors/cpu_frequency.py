"""The clock of the cores: one number for the machine, in which each core counts once."""

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
    """Cores with one clock: all of one, or a cluster of big or of little ones."""

    file: Path
    cores: frozenset[int]


class CpuFrequency:
    """Reads the clock from a file a policy; which there are is looked up again when cores come or go."""

    def __init__(self) -> None:
        self._online: frozenset[int] | None = None
        self._policies: list[FrequencyPolicy] = []

    def mean_mhz(self, cores: Collection[int]) -> float | None:
        """The mean of the cores of these numbers, None where the platform does not say."""
        if not psutil.LINUX:
            return psutil_frequency()
        if self._online != (online := frozenset(cores)):
            self._online, self._policies = online, find_policies()
        if self._policies:
            return weighted_mhz(self._policies, online)
        return cpuinfo_mhz(linux.proc_text("cpuinfo"))


def find_policies() -> list[FrequencyPolicy]:
    """The policies of this machine; empty where the kernel does not scale frequencies."""
    directories = sorted(CPUFREQ.glob("policy*"))
    found = [(d / "scaling_cur_freq", core_list(linux.read_text(d / "related_cpus"))) for d in directories]
    return [FrequencyPolicy(file, frozenset(cores)) for file, cores in found if file.exists()]


def weighted_mhz(policies: Iterable[FrequencyPolicy], online: Collection[int]) -> float | None:
    """The mean over cores, not over policies; cores that are off, and clocks that are not known, do not count."""
    weighted = [(_khz(policy.file), len(policy.cores.intersection(online))) for policy in policies]
    known = [(khz, cores) for khz, cores in weighted if khz and cores]
    total = sum(cores for _khz, cores in known)
    return sum(khz * cores for khz, cores in known) / total / 1000 if total else None


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


def _khz(file: Path) -> int:
    text = linux.read_text(file).strip()  # gone with its core, or "<unknown>"
    return int(text) if text.isdecimal() else 0


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
