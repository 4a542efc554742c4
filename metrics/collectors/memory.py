"""Memory and swap, and how long work stood still for want of memory.

On Linux the kernel's own files are read: psutil reads them too, but fails as a whole where one line is odd, guesses
what an old kernel does not say, and takes every page for one of 4 KiB.
"""

import os
import re
from collections.abc import Mapping

import psutil

from metrics.collectors import containers, linux
from metrics.collectors.base import Collector, Reading, Row
from metrics.collectors.omissions import Omissions
from metrics.collectors.pressure import read_pressure

_NO_SWAP: Row = {
    "swap_total_bytes": None,
    "swap_used_bytes": None,
    "swap_percent": None,
    "swap_in_bytes": None,
    "swap_out_bytes": None,
}
_TOTAL = re.compile(r"^MemTotal: *([0-9]+) kB$", re.MULTILINE)
ARC_FILE = "spl/kstat/zfs/arcstats"


class MemoryCollector(Collector):
    """Kind `memory`: one row. Kinds `meminfo` and `vmstat`, for exporters: one row each on Linux. Kind
    `own_limit`: one row in a container that has a limit."""

    family = "memory"

    def read(self) -> Reading:
        omissions = Omissions()
        pressure = read_pressure("memory")
        stalled: Row = {
            "pressure_some_seconds": pressure.some_seconds,
            "pressure_full_seconds": pressure.full_seconds,
        }
        if not psutil.LINUX:
            return {"memory": [psutil_memory() | psutil_swap() | stalled]}
        meminfo = linux.parse_meminfo(linux.proc_text("meminfo"), omissions) or {}
        vmstat = linux.parse_vmstat(linux.proc_text("vmstat"), omissions) or {}
        row = linux_memory(meminfo, omissions) | linux_swap(meminfo, vmstat) | stalled
        omissions.say(containers.memory_remark(meminfo.get("MemTotal_bytes")))
        self.warning = str(omissions)
        own_limit = containers.own_limit()
        exported: Reading = {kind: [{**rows}] for kind, rows in (("meminfo", meminfo), ("vmstat", vmstat)) if rows}
        return {"memory": [row], "own_limit": [own_limit] if own_limit else [], **exported}


def machine_memory_bytes() -> int | None:
    """Return how much memory the machine has; None where the kernel does not say."""
    if not psutil.LINUX:
        return psutil.virtual_memory().total
    total = _TOTAL.search(linux.proc_text("meminfo"))
    return int(total[1]) * 1024 if total else None


def memory_values() -> Row:
    """Return the machine's memory: total, available and so on in bytes, and the share in use in percent."""
    if psutil.LINUX:
        return linux_memory(linux.parse_meminfo(linux.proc_text("meminfo")) or {}, Omissions())
    return psutil_memory()


def linux_memory(meminfo: Mapping[str, int], omissions: Omissions) -> Row:
    """Return the memory from /proc/meminfo; what the kernel does not say is None, and so is what follows from it.

    What ZFS would give back at once (the size of its cache, less the least that it keeps) is available, as in htop and
    btop: the kernel does not count it among its caches.
    """
    total, available = meminfo.get("MemTotal_bytes"), meminfo.get("MemAvailable_bytes")
    cached, reclaimable = meminfo.get("Cached_bytes"), meminfo.get("SReclaimable_bytes") or 0
    if available is None:
        omissions.say("the kernel says no MemAvailable: available, used and percent are not known")
    arc_bytes, shrinkable_bytes = read_arc()
    if total is not None and available is not None and available + shrinkable_bytes <= total:
        available += shrinkable_bytes
    elif shrinkable_bytes:
        # A container's view of its own memory: the cache is the host's.
        arc_bytes = None
    used = None if total is None or available is None else total - available
    return {
        "total_bytes": total,
        "available_bytes": available,
        "used_bytes": used,
        "free_bytes": meminfo.get("MemFree_bytes"),
        "percent": used * 100 / total if used is not None and total else None,
        "buffers_bytes": meminfo.get("Buffers_bytes"),
        "cached_bytes": None if cached is None else cached + reclaimable,
        "zfs_arc_bytes": arc_bytes,
    }


def read_arc() -> tuple[int | None, int]:
    """Return the size of ZFS' cache in bytes, None without ZFS, and how much of it can be given back."""
    lines = (line.split() for line in linux.proc_text(ARC_FILE).splitlines())
    values = {fields[0]: int(fields[2]) for fields in lines if len(fields) == 3 and fields[2].isdecimal()}
    size = values.get("size")
    # Without the least that it keeps nothing can be said of what it gives back.
    return size, 0 if size is None else max(0, size - values.get("c_min", size))


def linux_swap(meminfo: Mapping[str, int], vmstat: Mapping[str, int]) -> Row:
    """Return the swap and what went in and out of it since boot, in bytes; None where the kernel does not count it."""
    total, free = meminfo.get("SwapTotal_bytes"), meminfo.get("SwapFree_bytes")
    used = None if total is None or free is None else total - free
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    pages_in, pages_out = vmstat.get("pswpin"), vmstat.get("pswpout")
    return {
        "swap_total_bytes": total,
        "swap_used_bytes": used,
        "swap_percent": None if used is None else used * 100 / total if total else 0.0,
        "swap_in_bytes": None if pages_in is None else pages_in * page_bytes,
        "swap_out_bytes": None if pages_out is None else pages_out * page_bytes,
    }


def psutil_memory() -> Row:
    """Return the memory as psutil defines used and available."""
    memory = psutil.virtual_memory()
    return {
        "total_bytes": memory.total,
        "available_bytes": memory.available,
        "used_bytes": memory.used,
        "free_bytes": memory.free,
        "percent": memory.percent,
        "buffers_bytes": getattr(memory, "buffers", None),
        "cached_bytes": getattr(memory, "cached", None),
        "zfs_arc_bytes": None,
    }


def psutil_swap() -> Row:
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
