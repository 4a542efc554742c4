"""Processes: what each one uses. Most of what the whole program costs is spent here.

On Linux two files a process are read at each reading (stat and io, see procfs.py), elsewhere psutil is asked.
What a process is (its name, user and command) is read once and remembered until it is gone.
"""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any, NamedTuple, Protocol

import psutil

from metrics.collectors import containers, procfs
from metrics.collectors.base import Collector, Reading, Row
from metrics.collectors.command_lines import MAX_COMMAND_BYTES, cut_arguments
from metrics.collectors.hiding import HIDE_SECRETS, HideSecrets
from metrics.collectors.memory import machine_memory_bytes
from metrics.collectors.omissions import Omissions
from metrics.collectors.text import valid_text

# What looking up users and masking command lines may take of a reading, so that it is over within half of the shortest
# interval, whatever somebody starts thousands of. Some thousand ordinary lines are masked in this time.
DESCRIBING_SECONDS = 0.1

# A process this young may yet exec, take another user, or give itself a title: what it is, is read again.
SETTLING_SECONDS = 1.0

DENIED_SHARE = 0.05

_GONE = (FileNotFoundError, ProcessLookupError)
_ENDED = frozenset({psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD})

# io_counters is not there on macOS.
_PSUTIL_ATTRIBUTES = [
    name
    for name in ("status", "ppid", "cpu_times", "memory_info", "num_threads", "io_counters")
    if hasattr(psutil.Process, name)
]


class Facts(NamedTuple):
    """What a process is. `start` and `image` tell whether it is still the same process and program."""

    start: float
    image: tuple[bytes, ...]
    settled: bool
    name: str
    username: str | None = None
    command: str | None = None
    source: int = 0
    """Hash of the user and the arguments: while they are the same, nothing is looked up or masked again."""
    waits_for: int | None = None
    """The uid of a process that has to wait for the rest."""

    def hold_for(self, start: float, image: tuple[bytes, ...], status: str) -> bool:
        """Whether nothing need be read again; of a zombie nothing can be."""
        if self.start != start:
            return False
        return status in _ENDED or (self.settled and self.image == image)


@dataclass(slots=True)
class Newcomer:
    """A process of which more than its name has to be found out."""

    owner: Hashable
    """Whoever has many of them waits longer than others: a uid, or a name."""
    facts: Facts | None
    """What is known as long as it waits; None where it is gone."""
    look_up: Callable[[], Facts | None]

    def describe(self) -> None:
        """Find it out: read the arguments, look up the user, mask the command line."""
        self.facts = self.look_up()


def describe(newcomers: Iterable[Newcomer]) -> int:
    """Describe newcomers, one of each user after the other, while there is time; return how many are left. Who has
    the fewest comes first: whoever starts thousands of processes holds up himself.

    One is described in any case, so that all of them are in the end.
    """
    end = time.monotonic() + DESCRIBING_SECONDS
    order = list(_in_turns(newcomers))
    for done, newcomer in enumerate(order, start=1):
        newcomer.describe()
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
    omissions: Omissions
    """What else the last reading had to leave out."""
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
        total, omissions = summary(rows), self._sweep.omissions
        if waiting := self._sweep.waiting:
            omissions.say(f"{waiting} command lines wait for their turn to be masked")
        self.warning = str(omissions)
        return {"processes": [total], "process": rows}


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
        self.omissions = Omissions()
        self._denied = 0
        self.hide = HIDE_SECRETS["masked"]
        self._facts: dict[str, Facts] = {}
        self._ticks_per_second: int = os.sysconf("SC_CLK_TCK")
        self._page_bytes: int = os.sysconf("SC_PAGE_SIZE")

    def rows(self) -> list[Row]:
        """Return one row a process; one that vanishes, or hides its stat, meanwhile has none."""
        memory_bytes = machine_memory_bytes()
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        known, self._facts = self._facts, {}
        self.omissions, self._denied = Omissions(), 0
        newcomers: dict[str, Newcomer] = {}
        found = []
        for pid in procfs.pids():
            try:
                stat = procfs.read_stat(pid)
                facts = self._held(stat, known.get(pid))
                if facts:
                    self._facts[pid] = facts
                else:
                    newcomers[pid] = self._newcomer(pid, stat, known.get(pid), now)
                found.append((pid, stat, self._io(pid)))
            except _GONE:
                continue
            except (PermissionError, ValueError) as error:
                self.omissions.add("the processes, which cannot be read", str(error))
        self._say_what_is_not_seen([stat for _pid, stat, _io in found])
        self.waiting = describe(newcomers.values())
        self._facts |= {pid: newcomer.facts for pid, newcomer in newcomers.items() if newcomer.facts}
        return [
            self._row(pid, stat, io, self._facts[pid], memory_bytes) for pid, stat, io in found if pid in self._facts
        ]

    def _io(self, pid: str) -> tuple[int | None, int | None]:
        try:
            return procfs.read_io(pid)
        except PermissionError:
            self._denied += 1
            return None, None

    def _say_what_is_not_seen(self, found: Sequence[procfs.Stat]) -> None:
        # One or two are denied to anybody, such as while they exec.
        if self._denied > max(2, DENIED_SHARE * len(found)):
            self.omissions.say(f"the I/O of {self._denied} of {len(found)} processes cannot be read: it takes root")
        self.omissions.say(containers.processes_remark(len(found), sum([stat.threads for stat in found])))

    def _held(self, stat: procfs.Stat, known: Facts | None) -> Facts | None:
        start = stat.start_ticks / self._ticks_per_second
        return known if known and known.hold_for(start, stat.image, stat.status) else None

    def _newcomer(self, pid: str, stat: procfs.Stat, known: Facts | None, now: float) -> Newcomer:
        start = stat.start_ticks / self._ticks_per_second
        before = known if known and known.start == start else None
        # Not by the owner of /proc/PID, which a process can make root.
        owner = before.waits_for if before and before.waits_for is not None else procfs.read_uid(pid)
        name = procfs.program_name(stat.comm, None)
        waiting = Facts(start, stat.image, settled=False, name=name, waits_for=owner)
        if before and before.image[1:] == stat.image[1:]:  # another name, and no other program
            waiting = waiting._replace(username=before.username, command=before.command, source=before.source)
        described = waiting._replace(settled=now - start >= SETTLING_SECONDS, waits_for=None)
        return Newcomer(owner, waiting, lambda: self._described(pid, stat.comm, described, before))

    def _described(self, pid: str, comm: bytes, facts: Facts, before: Facts | None) -> Facts | None:
        try:
            arguments, uid = procfs.read_arguments(pid), procfs.read_uid(pid)
        except _GONE:
            return None
        source = hash((uid, None if arguments is None else tuple(arguments)))
        facts = facts._replace(name=procfs.program_name(comm, arguments), source=source)
        if before and before.source == source and before.waits_for is None:
            return facts._replace(username=before.username, command=before.command)
        username = None if uid is None else procfs.username(uid)
        return facts._replace(username=username, command=hidden_command(arguments, self.hide))

    def _row(
        self, pid: str, stat: procfs.Stat, io: tuple[int | None, int | None], facts: Facts, memory_bytes: int | None
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
            "parent_pid": stat.parent_pid,
            "cpu_seconds": stat.cpu_ticks / self._ticks_per_second,
            "children_cpu_seconds": stat.children_cpu_ticks / self._ticks_per_second,
            "memory_percent": rss_bytes * 100 / memory_bytes
            if isinstance(memory_bytes, int) and memory_bytes
            else None,
            "rss_bytes": rss_bytes,
            "threads": stat.threads,
            "read_bytes": read_bytes,
            "write_bytes": write_bytes,
        }


class PsutilSweep:
    """Every process by psutil, for a platform without Linux's /proc."""

    def __init__(self) -> None:
        self.waiting = 0
        self.omissions = Omissions()
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
        self.waiting = describe(newcomers.values())
        self._facts |= {pid: newcomer.facts for pid, newcomer in newcomers.items() if newcomer.facts}
        return [
            _identity_values(pid, self._facts[pid]) | _usage_values(values, memory_bytes)
            for pid, values in found
            if pid in self._facts
        ]

    def _read(self, process: psutil.Process, known: Facts | None, newcomers: dict[int, Newcomer]) -> dict[str, Any]:
        created = process.create_time()
        values: dict[str, Any] = process.as_dict(_PSUTIL_ATTRIBUTES)
        start = round(created - self._boot_time, 2)
        if known and known.hold_for(start, (), values["status"]):
            self._facts[process.pid] = known
        else:
            settled = time.time() - created >= SETTLING_SECONDS
            newcomers[process.pid] = self._newcomer(process, start, settled=settled)
        return values

    def _newcomer(self, process: psutil.Process, start: float, *, settled: bool) -> Newcomer:
        values = process.as_dict(["name", "username"])
        username = None if values["username"] is None else valid_text(values["username"])
        waiting = Facts(start, (), settled=False, name=valid_text(values["name"] or ""), username=username)

        def look_up() -> Facts | None:
            try:
                arguments = process.as_dict(["cmdline"])["cmdline"]
            except psutil.NoSuchProcess:
                return None
            command = hidden_command(None if arguments is None else cut_arguments(arguments), self.hide)
            return waiting._replace(settled=settled, command=command)

        return Newcomer(username, waiting, look_up)


def _psutil_pids() -> Iterable[int]:
    # On Windows pid 0 is the idle time of the machine, as a process.
    return (pid for pid in psutil.pids() if pid or not psutil.WINDOWS)


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
        "parent_pid": values["ppid"],
        "cpu_seconds": cpu and cpu.user + cpu.system,
        # psutil does not tell it elsewhere than on Linux.
        "children_cpu_seconds": None,
        "memory_percent": memory and memory.rss * 100 / memory_bytes,
        "rss_bytes": memory and memory.rss,
        "threads": values["num_threads"],
        "read_bytes": io and io.read_bytes,
        "write_bytes": io and io.write_bytes,
    }
