"""What a process and everything below it use."""

import time
from contextlib import suppress

import psutil


def processes(pid: int) -> list[psutil.Process]:
    """The process, and all of its descendants."""
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def cpu_seconds(pid: int) -> float:
    """The CPU time of all of them, in the kernel's steps of 10 ms."""
    total = 0.0
    for process in processes(pid):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def exact_cpu_seconds(pid: int) -> float:
    """The CPU time of all of them in nanoseconds, that of threads that have ended too (Linux)."""
    total = 0
    for process in processes(pid):
        with suppress(OSError, psutil.NoSuchProcess):
            total += time.clock_gettime_ns(_cpu_clock(process.pid))
    return total / 1e9


def _cpu_clock(pid: int) -> int:
    """The clock of a process that the kernel derives from its pid, as clock_getcpuclockid(3) does."""
    return ~pid << 3 | 2


def cpu_percent(pids: list[int], seconds: float) -> list[float]:
    """The share of a core that each tree used during the same stretch of time."""
    before, began = [exact_cpu_seconds(pid) for pid in pids], time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - began
    return [(exact_cpu_seconds(pid) - old) / passed * 100 for pid, old in zip(pids, before, strict=True)]


def pss_mb(pid: int) -> float:
    """The memory of a tree; what is shared counts once."""
    total = 0
    for process in processes(pid):
        with suppress(psutil.NoSuchProcess):
            total += process.memory_full_info().pss
    return total / 2**20
