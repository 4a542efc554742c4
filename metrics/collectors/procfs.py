"""Linux's /proc/PID, read by hand: psutil asks for the same files, and more, at several times the cost."""

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import psutil

from metrics.collectors.command_lines import MAX_COMMAND_BYTES, split_arguments
from metrics.collectors.text import decode

PROC_DIRECTORY = "/proc"

# The letters of a task's state (fs/proc/array.c of the kernel), in psutil's words.
STATUSES: Mapping[bytes, str] = {
    b"R": psutil.STATUS_RUNNING,
    b"S": psutil.STATUS_SLEEPING,
    b"D": psutil.STATUS_DISK_SLEEP,
    b"T": psutil.STATUS_STOPPED,
    b"t": psutil.STATUS_TRACING_STOP,
    b"Z": psutil.STATUS_ZOMBIE,
    b"X": psutil.STATUS_DEAD,
    b"x": psutil.STATUS_DEAD,
    b"K": "wake-kill",
    b"W": psutil.STATUS_WAKING,
    b"I": psutil.STATUS_IDLE,
    b"P": psutil.STATUS_PARKED,
}
_UNKNOWN_STATUS = "?"  # psutil's word for it

COMM_BYTES = 15  # the kernel keeps no more of a program's name

MAX_USERS = 1024  # names that are remembered: with a range of subordinate ids one user can have 65,536

_FILE_BYTES = 4096  # more than stat or io can hold
# What may follow the fifteen bytes of a name; a title that goes on as `=…` or `:…` may hold anything.
_LONGER_NAME = re.compile(r"[\w.+-]{0,240}")

# A worker of the kernel says after its name what it works on, which changes all the time.
_KERNEL_WORKER = re.compile(rb"(kworker/u?\d+:\d+H?)[-+].*", re.DOTALL)


class Stat(NamedTuple):
    """What /proc/PID/stat says that a reading needs. CPU times and start are in clock ticks, rss in pages."""

    comm: bytes
    status: str
    parent_pid: int
    cpu_ticks: int
    children_cpu_ticks: int
    """Of children that ended and were waited for, and of theirs."""
    threads: int
    start_ticks: int
    rss_pages: int
    image: tuple[bytes, ...]
    """Differs after an exec: the name, and where stack and arguments lie (0 for who may not know)."""


def parse_stat(line: bytes) -> Stat:
    """Parse /proc/PID/stat, field numbers as in proc(5). Raises ValueError where it is cut short before rss; older
    kernels, and what imitates one, have fewer fields after it.

    The name stands in parentheses and may hold any byte, parentheses and blanks too: the last one ends it.
    """
    end = line.rfind(b")")
    fields = line[end + 2 :].split()  # fields[0] is field 3
    if not line.endswith(b"\n"):  # the last number may be cut
        raise ValueError(f"/proc/PID/stat is cut short: {line!r}")
    try:
        comm = _KERNEL_WORKER.sub(rb"\1", line[line.index(b"(") + 1 : end])
        return Stat(
            comm=comm,
            status=STATUSES.get(fields[0], _UNKNOWN_STATUS),
            parent_pid=int(fields[1]),
            cpu_ticks=int(fields[11]) + int(fields[12]),  # utime + stime, guest time is in utime
            children_cpu_ticks=int(fields[13]) + int(fields[14]),  # cutime + cstime
            threads=int(fields[17]),
            start_ticks=int(fields[19]),
            rss_pages=int(fields[21]),
            image=(comm, *fields[25:26], *fields[45:46]),  # startstack, arg_start
        )
    except IndexError:
        raise ValueError(f"/proc/PID/stat is cut short: {line!r}") from None


def parse_io(text: bytes) -> tuple[int | None, int | None]:
    """Parse /proc/PID/io: (read_bytes, write_bytes), what went to and from storage, not to the page cache."""
    fields = text.split()
    return _counter(fields, b"read_bytes:"), _counter(fields, b"write_bytes:")


def _counter(fields: list[bytes], name: bytes) -> int | None:
    try:
        return int(fields[fields.index(name) + 1])
    except (ValueError, IndexError):
        return None


def pids() -> list[str]:
    """Return the pid of every process that this user may see."""
    return [name for name in os.listdir(PROC_DIRECTORY) if name.isdecimal()]


def read_stat(pid: str) -> Stat:
    """Read one process. Raises FileNotFoundError or ProcessLookupError where it is gone, else OSError."""
    return parse_stat(_read(f"{PROC_DIRECTORY}/{pid}/stat", _FILE_BYTES))


def read_io(pid: str) -> tuple[int | None, int | None]:
    """Read the bytes a process read and wrote; None where they are not counted. Raises PermissionError where they are
    another user's."""
    try:
        return parse_io(_read(f"{PROC_DIRECTORY}/{pid}/io", _FILE_BYTES))
    except (FileNotFoundError, ProcessLookupError):
        return None, None


def read_arguments(pid: str) -> list[str] | None:
    """Read the arguments, as far as they are kept; [] for a kernel thread or a zombie, None where that is denied."""
    try:
        return split_arguments(_read(f"{PROC_DIRECTORY}/{pid}/cmdline", MAX_COMMAND_BYTES + 1))
    except PermissionError:
        return None


def read_uid(pid: str) -> int | None:
    """Return the real user of a process, None where permission is denied."""
    try:
        status = _read(f"{PROC_DIRECTORY}/{pid}/status", _FILE_BYTES)
    except PermissionError:
        return None
    uid = status.partition(b"\nUid:")[2].split(maxsplit=1)[:1]
    return int(uid[0]) if uid else None


@lru_cache(MAX_USERS)
def username(uid: int) -> str:
    """Return a user's name, the uid as text where there is none."""
    import pwd  # not there on Windows

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def program_name(comm: bytes, arguments: list[str] | None) -> str:
    """Return the name, from the command line where the kernel cut it and that begins with it, as psutil does."""
    beginning = comm.decode("utf-8", "ignore")  # the cut may lie within a character
    longer = os.path.basename(arguments[0]) if arguments else ""
    if len(comm) < COMM_BYTES or not longer.startswith(beginning):
        return decode(comm)
    # Who rewrites his arguments puts all of them into the first: the name ends at the next blank.
    rest = _LONGER_NAME.match(longer, len(beginning))
    return beginning + (rest[0] if rest else "")


def _read(path: str, size: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, size)
    finally:
        os.close(descriptor)
