"""Processes: what each one uses. Most of what the whole program costs is spent here.

On Linux two files a process are read at each reading (stat and io, see procfs.py), elsewhere psutil is asked.
What a process is (its name, user and command) is read once and remembered until it is gone.
"""

import os
import time
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any, NamedTuple, Protocol

import psutil

from metrics.collectors import procfs
from metrics.collectors.base import Collector, Reading, Row
from metrics.collectors.command_lines import MAX_COMMAND_BYTES, cut_arguments
from metrics.collectors.hiding import HIDE_SECRETS, HideSecrets
from metrics.collectors.text import valid_text

# What looking up users and masking command lines may take of a reading, so that it is over within half of the shortest
# interval, whatever somebody starts thousands of. Some thousand ordinary lines are masked in this time.
DESCRIBING_SECONDS = 0.1

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
    source: int
    """Hash of the user and the arguments: while they are the same, nothing is looked up or masked again."""

    is_described: bool = True

    def of(self, newcomer: "Newcomer") -> "Facts":
        """These facts with what was found out; where it was not, they are read again at the next reading."""
        return self._replace(
            username=newcomer.username,
            command=newcomer.command,
            is_described=newcomer.is_described,
            settled=self.settled and newcomer.is_described,
        )

    def hold_for(self, start: float, image: tuple[bytes, ...], status: str) -> bool:
        """Whether nothing need be read again; of a zombie nothing can be."""
        if self.start != start:
            return False
        return status in _ENDED or (self.settled and self.image == image)


@dataclass(slots=True)
class Newcomer:
    """A process whose user and command line have to be found out; where there was no time for it, they stay None."""

    owner: Hashable
    """Whoever has many of them waits longer than others: a uid, or a name."""
    arguments: Sequence[str] | None
    username: str | None = None
    command: str | None = None
    is_described: bool = False

    def describe(self, hide: HideSecrets) -> None:
        """Look up the user's name, and mask the command line."""
        if self.username is None and isinstance(self.owner, int):
            self.username = procfs.username(self.owner)
        self.command = hidden_command(self.arguments, hide)
        self.is_described = True


def describe(newcomers: Iterable[Newcomer], hide: HideSecrets) -> int:
    """Describe newcomers, one of each user after the other, while there is time; return how many are left. Who has
    the fewest comes first: whoever starts thousands of processes holds up himself.

    One is described in any case, so that all of them are in the end.
    """
    end = time.monotonic() + DESCRIBING_SECONDS
    order = list(_in_turns(newcomers))
    for done, newcomer in enumerate(order, start=1):
        newcomer.describe(hide)
        if time.monotonic() >= end:
            return len(order) - done
    return 0


def _in_turns(newcomers: Iterable[Newcomer]) -> Iterator[Newcomer]:
    queues: dict[Hashable, list[Newcomer]] = defaultdict(list)
    for newcomer in newcomers:
        queues[newcomer.owner].append(newcomer)
    fewest_first = sorted(queues.values(), key=len)
    return (newcomer for newcomer in chain.from_iterable(zip_longest(*fewest_first)) if newcomer is not None)


class Sweep(Protocol):
    """A way to read every process of this platform; it remembers the facts of those still there."""

    waiting: int
    """How many processes of the last reading have no command line yet."""
    hide: HideSecrets

    def rows(self) -> list[Row]:
        """Return one row a process."""


class ProcessesCollector(Collector):
    """Kind `processes`: one row for the machine. Kind `process`: one row a process that this user may see."""

    family = "processes"

    def __init__(self) -> None:
        self._sweep: Sweep = ProcfsSweep() if psutil.LINUX else PsutilSweep()

    def set_up(self, settings: Mapping[str, str]) -> None:
        """Take from `commands` what is shown of command lines."""
        self._sweep.hide = HIDE_SECRETS[settings["commands"]]

    def read(self) -> Reading:
        rows = self._sweep.rows()
        waiting = self._sweep.waiting
        self.warning = f"{waiting} command lines wait for their turn to be masked" if waiting else ""
        return {"processes": [summary(rows)], "process": rows}


def summary(rows: Sequence[Row]) -> Row:
    """Count the processes, those that run at this moment, and their threads."""
    threads = [row["threads"] for row in rows]
    return {
        "total": len(rows),
        "running": sum(row["status"] == psutil.STATUS_RUNNING for row in rows),
        "threads": sum(count for count in threads if isinstance(count, int)),
    }


def hidden_command(arguments: Sequence[str] | None, hide: HideSecrets) -> str | None:
    """Return the command line without its secrets; None where it could not be read, or none is to be stored."""
    command = None if arguments is None else hide(arguments)
    return None if command is None else valid_text(command)[:MAX_COMMAND_BYTES]


class ProcfsSweep:
    """Every process by /proc/PID/stat and /proc/PID/io."""

    def __init__(self) -> None:
        self.waiting = 0
        self.hide = HIDE_SECRETS["masked"]
        self._facts: dict[str, Facts] = {}
        self._ticks_per_second: int = os.sysconf("SC_CLK_TCK")
        self._page_bytes: int = os.sysconf("SC_PAGE_SIZE")

    def rows(self) -> list[Row]:
        """Return one row a process; one that vanishes, or hides its stat, meanwhile has none."""
        memory_bytes = psutil.virtual_memory().total
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        known, self._facts = self._facts, {}
        newcomers: dict[str, Newcomer] = {}
        found = []
        for pid in procfs.pids():
            try:
                stat = procfs.read_stat(pid)
                self._facts[pid] = self._current_facts(pid, stat, known.get(pid), now, newcomers)
            except (FileNotFoundError, ProcessLookupError, PermissionError, ValueError):
                continue
            found.append((pid, stat, procfs.read_io(pid)))
        self._introduce(newcomers)
        return [self._row(pid, stat, io, self._facts[pid], memory_bytes) for pid, stat, io in found]

    def _current_facts(
        self, pid: str, stat: procfs.Stat, known: Facts | None, now: float, newcomers: dict[str, Newcomer]
    ) -> Facts:
        start = stat.start_ticks / self._ticks_per_second
        if known and known.hold_for(start, stat.image, stat.status):
            return known
        arguments, uid = procfs.read_arguments(pid), procfs.read_uid(pid)
        source = hash((uid, None if arguments is None else tuple(arguments)))
        facts = Facts(
            start=start,
            image=stat.image,
            settled=now - start >= SETTLING_SECONDS,
            name=procfs.program_name(stat.comm, arguments),
            username=None,
            command=None,
            source=source,
        )
        if known and known.start == start and known.source == source and known.is_described:
            return facts._replace(username=known.username, command=known.command)
        newcomers[pid] = Newcomer(uid, arguments)
        return facts

    def _introduce(self, newcomers: dict[str, Newcomer]) -> None:
        self.waiting = describe(newcomers.values(), self.hide)
        for pid, newcomer in newcomers.items():
            self._facts[pid] = self._facts[pid].of(newcomer)

    def _row(
        self, pid: str, stat: procfs.Stat, io: tuple[int | None, int | None], facts: Facts, memory_bytes: int
    ) -> Row:
        read_bytes, write_bytes = io
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
        self.waiting = 0
        self.hide = HIDE_SECRETS["masked"]
        self._facts: dict[int, Facts] = {}
        # Once: it moves with the wall clock, and a process's start with it would be another process's.
        self._boot_time = psutil.boot_time()

    def rows(self) -> list[Row]:
        """Return one row a process; None for what is another user's."""
        memory_bytes = psutil.virtual_memory().total
        known, self._facts = self._facts, {}
        newcomers: dict[int, Newcomer] = {}
        found = []
        for pid in _psutil_pids():
            try:
                found.append((pid, self._read(psutil.Process(pid), known.get(pid), newcomers)))
            except (psutil.NoSuchProcess, psutil.AccessDenied):  # gone, or not even its start can be known
                continue
        self.waiting = describe(newcomers.values(), self.hide)
        for pid, newcomer in newcomers.items():
            self._facts[pid] = self._facts[pid].of(newcomer)
        return [_identity_values(pid, self._facts[pid]) | _usage_values(values, memory_bytes) for pid, values in found]

    def _read(self, process: psutil.Process, known: Facts | None, newcomers: dict[int, Newcomer]) -> dict[str, Any]:
        created = process.create_time()
        values: dict[str, Any] = process.as_dict(_PSUTIL_ATTRIBUTES)
        start = round(created - self._boot_time, 2)
        if not (known and known.hold_for(start, (), values["status"])):
            settled = time.time() - created >= SETTLING_SECONDS
            known, newcomers[process.pid] = _psutil_facts(process, start, settled=settled)
        self._facts[process.pid] = known
        return values


def _psutil_pids() -> Iterable[int]:
    # On Windows pid 0 is the idle time of the machine, as a process.
    return (pid for pid in psutil.pids() if pid or not psutil.WINDOWS)


def _psutil_facts(process: psutil.Process, start: float, *, settled: bool) -> tuple[Facts, Newcomer]:
    values = process.as_dict(["name", "username", "cmdline"])
    username = None if values["username"] is None else valid_text(values["username"])
    arguments = None if values["cmdline"] is None else cut_arguments(values["cmdline"])
    name = valid_text(values["name"] or "")
    facts = Facts(start=start, image=(), settled=settled, name=name, username=username, command=None, source=0)
    return facts, Newcomer(username, arguments, username)


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
