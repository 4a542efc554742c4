"""Memory and swap, and how long work stood still for want of memory."""

import psutil

from metrics.collectors import linux
from metrics.collectors.base import Collector, Reading, Row
from metrics.collectors.pressure import read_pressure

_NO_SWAP: Row = {
    "swap_total_bytes": None,
    "swap_used_bytes": None,
    "swap_percent": None,
    "swap_in_bytes": None,
    "swap_out_bytes": None,
}


class MemoryCollector(Collector):
    """Kind `memory`: one row. Kinds `meminfo` and `vmstat`, for exporters: one row each on Linux."""

    family = "memory"

    def read(self) -> Reading:
        pressure = read_pressure("memory")
        row = memory_values() | swap_values()
        row["pressure_some_seconds"] = pressure.some_seconds
        row["pressure_full_seconds"] = pressure.full_seconds
        meminfo = linux.parse_meminfo(linux.read_text(linux.PROC / "meminfo"))
        vmstat = linux.parse_vmstat(linux.read_text(linux.PROC / "vmstat"))
        return {"memory": [row]} | {kind: [row] for kind, row in (("meminfo", meminfo), ("vmstat", vmstat)) if row}


def memory_values() -> Row:
    """Return the machine's memory, as psutil defines used and available."""
    memory = psutil.virtual_memory()
    return {
        "total_bytes": memory.total,
        "available_bytes": memory.available,
        "used_bytes": memory.used,
        "free_bytes": memory.free,
        "percent": memory.percent,
        "buffers_bytes": getattr(memory, "buffers", None),
        "cached_bytes": getattr(memory, "cached", None),
    }


def swap_values() -> Row:
    """Return the swap and what went in and out of it since boot; None where psutil cannot tell."""
    try:
        swap = psutil.swap_memory()
    except (OSError, RuntimeError):
        return dict(_NO_SWAP)
    # psutil has 0 for what Windows does not count.
    counted = not psutil.WINDOWS
    return {
        "swap_total_bytes": swap.total,
        "swap_used_bytes": swap.used,
        "swap_percent": swap.percent,
        "swap_in_bytes": swap.sin if counted else None,
        "swap_out_bytes": swap.sout if counted else None,
    }
