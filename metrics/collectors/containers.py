"""What a container sees of its machine: remarks for health, "" where all of it is seen."""

import os
import time
from functools import lru_cache
from pathlib import Path

from metrics.collectors import linux
from metrics.collectors.base import Row

# At its root, where only a container has limits: those of version 2 of control groups, then of version 1.
CGROUPS = Path("/sys/fs/cgroup")
MEMORY_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")
NO_LIMIT_BYTES = 2**62
# How often a process was killed for it.
MEMORY_EVENTS = ("memory.events", "memory/memory.oom_control")
# The kernel's inode for the machine's own namespace of processes (PROC_PID_INIT_INO).
MACHINE_PROCESSES = "pid:[4026531836]"
# Threads come and go while they are counted.
# Limits are looked up again after this time.
LIMITS_LAST_SECONDS = 60.0
UNSEEN_THREADS, UNSEEN_SHARE = 10, 0.05


def memory_remark(total_bytes: int | None) -> str:
    """Whose memory is shown, where that is not simply the machine's."""
    is_own, limit_bytes = _memory_view(time.monotonic() // LIMITS_LAST_SECONDS)
    if is_own:
        return "memory is what this container may use, not the machine's"
    if limit_bytes is None or total_bytes is None or limit_bytes >= total_bytes:
        return ""
    return f"memory is the machine's, of which this container may use {limit_bytes} of {total_bytes} bytes"


@lru_cache(1)
def _memory_view(_minute: float) -> tuple[bool, int | None]:
    """Whether /proc/meminfo is the container's own, and the bytes that it may use."""
    texts = (linux.read_text(CGROUPS / name).strip() for name in MEMORY_LIMITS)
    return has_own_file("meminfo"), next((int(text) for text in texts if text.isdecimal()), None)


def cpu_remark(cores: int) -> str:
    """Whose CPU time is shown, where that is not simply the machine's."""
    is_own, allowed = _cpu_view(time.monotonic() // LIMITS_LAST_SECONDS)
    if is_own:
        return "CPU times are what this container was given, not the machine's"
    if allowed is None or allowed >= cores:
        return ""
    return f"CPU is the machine's, of which this container may use {allowed:g} of {cores} cores"


@lru_cache(1)
def _cpu_view(_minute: float) -> tuple[bool, float | None]:
    """Whether /proc/stat is the container's own, and the cores that it may use."""
    fields = linux.read_text(CGROUPS / "cpu.max").split() or [
        linux.read_text(CGROUPS / f"cpu/cpu.cfs_{name}_us").strip() for name in ("quota", "period")
    ]
    is_limited = len(fields) == 2 and all(map(str.isdecimal, fields)) and int(fields[1]) > 0
    return has_own_file("stat"), int(fields[0]) / int(fields[1]) if is_limited else None


def processes_remark(processes: int, threads: int) -> str:
    """How much of the machine's processes is seen, and what hides the rest; `threads` is how many were seen.

    The kernel says how many threads there are (the fourth field of /proc/loadavg), whoever asks.
    """
    whole = linux.proc_text("loadavg").split()[3:4]
    all_threads = whole[0].partition("/")[2] if whole else ""
    if not all_threads.isdecimal():
        return ""
    unseen = int(all_threads) - threads
    if unseen < max(UNSEEN_THREADS, UNSEEN_SHARE * int(all_threads)):
        return ""
    return f"only {processes} processes with {threads} of the machine's {all_threads} threads are seen{_why()}"


def own_limit() -> Row | None:
    """How often a process was killed for the memory limit of this container, and which control group that is; None
    where there is no such limit, as on a machine itself."""
    if not any(_is_limit(linux.read_text(CGROUPS / name).strip()) for name in MEMORY_LIMITS):
        return None
    for name in MEMORY_EVENTS:
        for line in linux.read_text(CGROUPS / name).splitlines():
            word, _, count = line.partition(" ")
            if word == "oom_kill" and count.isdecimal():
                return {"group": (CGROUPS / name).stat().st_ino, "oom_kill": int(count)}
    return None


def _is_limit(text: str) -> bool:
    """Version 1 of control groups has a number where there is none."""
    return text.isdecimal() and int(text) < NO_LIMIT_BYTES


def has_own_processes() -> bool:
    """Whether only the processes of this container can be seen."""
    try:
        return os.readlink(linux.PROC / "self/ns/pid") != MACHINE_PROCESSES
    except OSError:
        return False


def has_own_file(name: str) -> bool:
    """Whether a file of /proc is mounted over, as lxcfs does to show a container its own share."""
    try:
        return os.stat(linux.PROC / name).st_dev != os.stat(linux.PROC).st_dev
    except OSError:
        return False


def _why() -> str:
    hiding = [option for option in _mount_options(str(linux.PROC)) if option.startswith("hidepid=")]
    if hiding and hiding[-1] not in {"hidepid=0", "hidepid=off"}:
        return f": /proc is mounted with {hiding[-1]}; run as root, or in the group that its gid= names"
    is_contained = has_own_processes()
    return ": this container has processes of its own; share the host's (pid: host)" if is_contained else ""


def _mount_options(mountpoint: str) -> list[str]:
    """The options of what is mounted there last, the mount's and the file system's."""
    found: list[str] = []
    for line in linux.read_text(linux.PROC / "self/mountinfo").splitlines():
        mount, _, file_system = line.partition(" - ")
        fields = mount.split(" ")
        if fields[4:5] == [mountpoint]:
            found = [*fields[5].split(","), *file_system.rpartition(" ")[2].split(",")]
    return found
