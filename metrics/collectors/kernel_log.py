"""What the kernel's log says of processes that it killed for want of memory: /dev/kmsg, where it may be read.

A record is `priority,sequence,microseconds,flags;text`. What a program writes into the log has another facility than
the kernel's own records, and is not believed.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

from metrics.collectors.text import valid_text

KMSG = Path("/dev/kmsg")
# One read is one record, which is shorter than this.
RECORD_BYTES = 8192
# A log that is written to faster than it is read has no end.
MAX_RECORDS = 200_000

_RECORD = re.compile(rb"(\d+),(\d+),(\d+),[^;]*;(.*)", re.DOTALL)
# Red Hat's older kernels say the user before the sizes, others at the end or not at all. A name may hold anything.
_KILLED = re.compile(
    r"Killed process (?P<pid>\d+) \((?P<name>.*)\)(?:,? UID:? ?(?P<uid_before>\d+))?,? total-vm:\d+kB,"
    r" anon-rss:(?P<anon>\d+)kB, file-rss:(?P<file>\d+)kB(?:, shmem-rss:(?P<shmem>\d+)kB)?(?:,? UID:(?P<uid>\d+))?"
)
# The record before it: whose limit it was, and in which control group the victim is.
_WHY = re.compile(
    r"oom-kill:constraint=(?P<constraint>\w+),.*,task_memcg=(?P<group>.*),task=.*,pid=(?P<pid>\d+),uid=\d+$"
)
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")


class OomKill(NamedTuple):
    """One process that the kernel killed. `control_group` is None where the kernel does not say it."""

    sequence: int
    monotonic_seconds: float
    pid: int
    name: str
    uid: int | None
    rss_bytes: int
    control_group: str | None
    is_of_a_limit: bool
    """It was the limit of a control group, and not that of the machine."""


def oom_kills() -> list[OomKill]:
    """Every kill that is still in the log, the oldest first; none where it may not be read."""
    try:
        descriptor = os.open(KMSG, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return []
    try:
        return _kills_in(_records(descriptor))
    finally:
        os.close(descriptor)


def _records(descriptor: int) -> bytes:
    """All of the log, up to where nothing more is written yet."""
    parts: list[bytes] = []
    while len(parts) < MAX_RECORDS:
        try:
            record = os.read(descriptor, RECORD_BYTES)
        except BrokenPipeError:  # the oldest record has been overwritten meanwhile: the next read goes on behind it
            continue
        except OSError:
            break
        if not record:
            break
        parts.append(record)
    return b"".join(parts)


def _kills_in(log: bytes) -> list[OomKill]:
    kills: list[OomKill] = []
    reasons: dict[int, re.Match[str]] = {}
    for line in log.split(b"\n"):
        record = _RECORD.fullmatch(line)
        # The lower three bits are the level, the others the facility: 0 is the kernel.
        if record is None or int(record[1]) >> 3:
            continue
        text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), record[4].decode("latin-1"))
        text = text.encode("latin-1").decode("utf-8", "backslashreplace")
        if why := _WHY.search(text):
            reasons[int(why["pid"])] = why
        elif killed := _KILLED.search(text):
            kills.append(
                _kill(int(record[2]), int(record[3]) / 1e6, text, killed, reasons.pop(int(killed["pid"]), None))
            )
    return kills


def _kill(sequence: int, seconds: float, text: str, killed: re.Match[str], why: re.Match[str] | None) -> OomKill:
    uid = killed["uid"] or killed["uid_before"]
    held = sum(int(killed[name] or 0) for name in ("anon", "file", "shmem"))
    return OomKill(
        sequence,
        seconds,
        int(killed["pid"]),
        valid_text(killed["name"]),
        int(uid) if uid else None,
        held * 1024,
        valid_text(why["group"]) if why else None,
        why["constraint"] == "CONSTRAINT_MEMCG" if why else text.startswith("Memory cgroup out of memory"),
    )


def unit_of(control_group: str | None) -> str | None:
    """The systemd unit or the container of a control group by its path, None for the machine itself."""
    names = [name for name in (control_group or "").split("/") if name]
    units = [name for name in names if name.endswith((".service", ".scope"))]
    found = units or names
    return found[-1] if found else None
