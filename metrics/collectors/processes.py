"""Processes: what each one uses. Most of what the whole program costs is spent here.

On Linux two files a process are read at each reading (stat and io, see procfs.py), elsewhere psutil is asked.
What a process is (its name, user and command) is read once and remembered until it is gone.
"""

import os
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import psutil

from metrics.collectors import procfs
from metrics.collectors.base import Collector, Reading, Row
from metrics.collectors.masking import mask_command
from metrics.collectors.text import valid_text

COMMAND_CHARACTERS = 4096

# A process this young may yet exec, take another user, or give itself a title: what it is, is read again.
SETTLING_SECONDS = 1.0

_ENDED = frozenset({psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD})

# io_counters is not there on macOS.
_PSUTIL_ATTRIBUTES = [
    name
    for name in ("status", "cpu_times", "memory_info", "num_threads", "io_counters")
    if hasattr(psutil.Process, name)
]


class Facts(NamedTuple):
    """What a process is. `start` and `image` tell whether it is still the same process and program."""

    start: float
    image: tuple[bytes, ...]
    settled: bool
    name: str
    username: str | None
    command: str | None

    def hold_for(self, start: float, image: tuple[bytes, ...], status: str) -> bool:
        """Whether nothing need be read again; of a zombie nothing can be."""
        if self.start != start:
            return False
        return status in _ENDED or (self.settled and self.image == image)


class Sweep(Protocol):
    """A way to read every process of this platform; it remembers the facts of those still there."""

    def rows(self) -> list[Row]:
        """Return one row a process."""


class ProcessesCollector(Collector):
    """Kind `processes`: one row for the machine. Kind `process`: one row a process that this user may see."""

    family = "processes"

    def __init__(self) -> None:
        self._sweep: Sweep = ProcfsSweep() if psutil.LINUX else PsutilSweep()

    def read(self) -> Reading:
        rows = self._sweep.rows()
        return {"processes": [summary(rows)], "process": rows}


def summary(rows: Sequence[Row]) -> Row:
    """Count the processes, those that run at this moment, and their threads."""
    threads = [row["threads"] for row in rows]
    return {
        "total": len(rows),
        "running": sum(row["status"] == psutil.STATUS_RUNNING for row in rows),
        "threads": sum(count for count in threads if isinstance(count, int)),
    }


def masked_command(arguments: Sequence[str] | None) -> str | None:
    """Return the command line without its secrets; None where it could not be read."""
    return None if arguments is None else valid_text(mask_command(arguments))[:COMMAND_CHARACTERS]


class ProcfsSweep:
    """Every process by /proc/PID/stat and /proc/PID/io."""

    def __init__(self) -> None:
        self._facts: dict[str, Facts] = {}
        self._ticks_per_second: int = os.sysconf("SC_CLK_TCK")
        self._page_bytes: int = os.sysconf("SC_PAGE_SIZE")

    def rows(self) -> list[Row]:
        """Return one row a process; one that vanishes, or hides its stat, meanwhile has none."""
        memory_bytes = psutil.virtual_memory().total
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        known, self._facts = self._facts, {}
        rows = []
        for pid in procfs.pids():
            try:
                stat = procfs.read_stat(pid)
                facts = self._current_facts(pid, stat, known.get(pid), now)
            except (FileNotFoundError, ProcessLookupError, PermissionError, ValueError):
                continue
            self._facts[pid] = facts
            rows.append(self._row(pid, stat, facts, memory_bytes))
        return rows

    def _current_facts(self, pid: str, stat: procfs.Stat, known: Facts | None, now: float) -> Facts:
        start = stat.start_ticks / self._ticks_per_second
        if known and known.hold_for(start, stat.image, stat.status):
            return known
        arguments = procfs.read_arguments(pid)
        return Facts(
            start=start,
            image=stat.image,
            settled=now - start >= SETTLING_SECONDS,
            name=procfs.program_name(stat.comm, arguments),
            username=procfs.read_username(pid),
            command=masked_command(arguments),
        )

    def _row(self, pid: str, stat: procfs.Stat, facts: Facts, memory_bytes: int) -> Row:
        read_bytes, write_bytes = procfs.read_io(pid)
        rss_bytes = stat.rss_pages * self._page_bytes
        return {
            "pid": int(pid),
            "start_seconds": facts.start,
            "name": facts.name,
            "username": facts.username,
            "command": facts.command,
            "status": stat.status,
            "cpu_seconds": stat.cpu_ticks / self._ticks_per_second,
            "memory_percent": rss_bytes * 100 / memory_bytes,
            "rss_bytes": rss_bytes,
            "threads": stat.threads,
            "read_bytes": read_bytes,
            "write_bytes": write_bytes,
        }


class PsutilSweep:
    """Every process by psutil, for a platform without Linux's /proc."""

    def __init__(self) -> None:
        self._facts: dict[int, Facts] = {}
        # Once: it moves with the wall clock, and a process's start with it would be another process's.
        self._boot_time = psutil.boot_time()

    def rows(self) -> list[Row]:
        """Return one row a process; None for what is another user's."""
        memory_bytes = psutil.virtual_memory().total
        known, self._facts = self._facts, {}
        rows = []
        for pid in _psutil_pids():
            try:
                rows.append(self._row(psutil.Process(pid), known.get(pid), memory_bytes))
            except (psutil.NoSuchProcess, psutil.AccessDenied):  # gone, or not even its start can be known
                continue
        return rows

    def _row(self, process: psutil.Process, known: Facts | None, memory_bytes: int) -> Row:
        created = process.create_time()
        values = process.as_dict(_PSUTIL_ATTRIBUTES)
        start = round(created - self._boot_time, 2)
        if not (known and known.hold_for(start, (), values["status"])):
            known = _psutil_facts(process, start, settled=time.time() - created >= SETTLING_SECONDS)
        self._facts[process.pid] = known
        return _identity_values(process.pid, known) | _usage_values(values, memory_bytes)


def _psutil_pids() -> Iterable[int]:
    # On Windows pid 0 is the idle time of the machine, as a process.
    return (pid for pid in psutil.pids() if pid or not psutil.WINDOWS)


def _psutil_facts(process: psutil.Process, start: float, *, settled: bool) -> Facts:
    values = process.as_dict(["name", "username", "cmdline"])
    username = values["username"]
    return Facts(
        start=start,
        image=(),
        settled=settled,
        name=valid_text(values["name"] or ""),
        username=None if username is None else valid_text(username),
        command=masked_command(values["cmdline"]),
    )


def _identity_values(pid: int, facts: Facts) -> Row:
    return {
        "pid": pid,
        "start_seconds": facts.start,
        "name": facts.name,
        "username": facts.username,
        "command": facts.command,
    }


def _usage_values(values: dict[str, Any], memory_bytes: int) -> Row:
    cpu, memory, io = values["cpu_times"], values["memory_info"], values.get("io_counters")
    return {
        "status": values["status"] or "?",
        "cpu_seconds": cpu and cpu.user + cpu.system,
        "memory_percent": memory and memory.rss * 100 / memory_bytes,
        "rss_bytes": memory and memory.rss,
        "threads": values["num_threads"],
        "read_bytes": io and io.read_bytes,
        "write_bytes": io and io.write_bytes,
    }
