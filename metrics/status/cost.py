"""What sysmon itself uses: its CPU as it recorded it, its memory as the system counts it now."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psutil

from metrics.history.newest_processes import newest_processes
from metrics.models import Host, Process, ProcessSample, ProcessTotals, Recorder
from metrics.models.present import last_present_moment, not_ahead
from metrics.tiers import RAW


@dataclass(frozen=True, slots=True)
class Cost:
    """The processes of this program at a tick. `rss_bytes` counts memory that they share once for each, `memory_bytes`
    once; that is None where the system does not say."""

    timestamp: float
    resolution: int
    processes: int
    cpu_percent: float
    rss_bytes: int
    memory_bytes: int | None


def read_cost(host: Host) -> Cost | None:
    """What this running program used at the newest tick; None where the process that answers was not recorded there.

    Its processes are the tree that it belongs to, and that of whoever records this host: another instance of sysmon on
    the same machine has the same command line and is none of them.
    """
    totals = not_ahead(ProcessTotals.objects.filter(host=host, tier=RAW)).order_by("-timestamp").first()
    newest = newest_processes(host)
    if totals is None or newest is None or newest.timestamp > last_present_moment():
        return None
    own = own_processes(host)
    ids = [row["process"] for row in newest.rows]
    recorded = Process.objects.filter(pk__in=ids, pid__in=[process.pid for process in own])
    pids = dict(recorded.values_list("pk", "pid"))
    if os.getpid() not in pids.values():
        return None
    rows = [row for row in newest.rows if row["process"] in pids]
    cpu_percent, rss_bytes = (_sum(name, rows) for name in ("cpu_percent", "rss_bytes"))
    return Cost(newest.timestamp, totals.resolution, len(rows), cpu_percent, round(rss_bytes), memory_bytes(own))


def own_processes(host: Host) -> set[psutil.Process]:
    """The processes of this program that live now: what answers and what records, each with all of its tree."""
    answering = psutil.Process()
    recording = _recorder(host, answering.name())
    return _tree(answering) | (_tree(recording) if recording else set())


def _tree(process: psutil.Process) -> set[psutil.Process]:
    """A process, what it was forked from, and all that comes from that."""
    try:
        root, command = process, process.cmdline()
        while (parent := root.parent()) and parent.cmdline() == command:
            root = parent
        return {root, *root.children(recursive=True)}
    except psutil.Error:
        return {process}


def _recorder(host: Host, name: str) -> psutil.Process | None:
    """Who records the host, where that is a process of this machine, and not another one that has its pid now."""
    recorder = Recorder.objects.filter(host=host, released_at=None).first()
    if recorder is None:
        return None
    try:
        process = psutil.Process(recorder.pid)
        is_it = process.name() == name and process.create_time() <= recorder.taken_over_at.timestamp()
    except psutil.Error:
        return None
    return process if is_it else None


def memory_bytes(processes: Iterable[psutil.Process]) -> int | None:
    """What the processes hold, each page that they share once; None where the system does not say it of one of them."""
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
        except (psutil.AccessDenied, AttributeError):
            return None
    return total


def _sum(name: str, rows: Iterable[dict[str, Any]]) -> float:
    field: Any = ProcessSample._meta.get_field(name)
    total: float = field.decode(sum(row.get(name) or 0 for row in rows))
    return total
