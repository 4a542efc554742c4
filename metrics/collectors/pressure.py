"""Linux pressure stall information (PSI): how long work stood still for want of a resource."""

from pathlib import Path
from typing import NamedTuple

from metrics.collectors import linux

PRESSURE_DIRECTORY = Path("/proc/pressure")

_MICROSECONDS = 1_000_000


class Pressure(NamedTuple):
    """Running totals since boot. None where the kernel has no PSI, or no such line."""

    some_seconds: float | None  # at least one task stood still
    full_seconds: float | None  # all tasks that had work stood still


NO_PRESSURE = Pressure(None, None)


def parse_pressure(text: str) -> Pressure:
    """Parse a file of /proc/pressure, such as `some avg10=0.00 avg60=0.00 avg300=0.00 total=1435213`.

    The kernel's documentation (accounting/psi.rst) gives `total` in microseconds.
    """
    totals: dict[str, float] = {}
    for line in text.splitlines():
        kind, _, averages = line.partition(" ")
        total = averages.rpartition("total=")[2]
        if total.isdecimal():
            totals[kind] = int(total) / _MICROSECONDS
    return Pressure(totals.get("some"), totals.get("full"))


def read_pressure(resource: str) -> Pressure:
    """Read the pressure on `cpu`, `memory` or `io`; NO_PRESSURE where there is none to read.

    A kernel booted with psi=0 has the files and refuses to read them.
    """
    return parse_pressure(linux.read_text(PRESSURE_DIRECTORY / resource))
