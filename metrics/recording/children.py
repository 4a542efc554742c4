"""What ended children used: the growth of their parents' `cutime` and `cstime`, less what had been counted before.

The kernel adds all that a child ever used, and what its own children had left it, to the counters of its parent at the
moment at which the parent waits for it (proc_pid_stat(5)). What of that was counted before, as the child's own time or
as that of its children, is taken off again, or an hour's work would land in the tick in which it ended.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import psutil

from metrics.collectors.base import Row
from metrics.recording.rates import growth, is_number

RAW, COUNTED = "children_cpu_seconds", "ended_children_cpu_seconds"
# Four counters of a process are cut to whole ticks of the kernel's clock, each of a hundredth of a second.
ROUNDING_SECONDS = 0.04

ENDED = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)

ByPid = Mapping[int, Row]


class EndedProcess(NamedTuple):
    """What had been counted of a process that is gone, and the pids that may have waited for it, the nearest first."""

    seconds: float
    holders: tuple[int, ...]


def count_ended_children(
    new: Sequence[Row], old: Sequence[Row], born_after: float, missing: Iterable[EndedProcess] = ()
) -> list[EndedProcess]:
    """Put into each row of a reading the CPU seconds of its ended children that were never counted elsewhere: a counter
    that goes on from the row of the reading before, or begins with 0. None where the system does not tell.

    A process that began after `born_after` (seconds since the boot) had none before. Return the ended processes whose
    time did not arrive: one may be read just before it waits for a child that is gone when its own turn comes; so they
    are given to the call for the next reading as `missing`, and are then dropped: what nobody waits for (an ignored
    SIGCHLD) never arrives.
    """
    before, now = _by_pid(old), _by_pid(new)
    arrived: dict[int, float] = {}
    are_there = 0
    for pid, row in now.items():
        was, children = before.get(pid), row.get(RAW)
        if was is None or was["start_seconds"] != row["start_seconds"]:
            row[COUNTED] = None if children is None else 0.0
            if children and is_number(children) and _began_after(row, born_after):
                arrived[pid] = children
            continue
        are_there += 1
        # A reading that comes from the database has not counted.
        was[COUNTED] = row[COUNTED] = was.get(COUNTED) or 0.0
        if children is None:
            row[COUNTED] = None
        elif children != was.get(RAW):
            seconds = growth(children, was.get(RAW))
            if seconds is None:
                was[COUNTED] = None  # nothing to compare with
            else:
                arrived[pid] = seconds
    _take_off(missing, arrived)
    still_missing = _take_off(_ended(before, now), arrived) if are_there < len(before) else []
    for pid, seconds in arrived.items():
        now[pid][COUNTED] = _counted(now[pid]) + seconds
    return still_missing


def _by_pid(rows: Sequence[Row]) -> dict[int, Row]:
    return {row["pid"]: row for row in rows}  # type: ignore[misc]


def _began_after(row: Row, moment: float) -> bool:
    start = row["start_seconds"]
    return is_number(start) and start >= moment


def _counted(row: Row) -> float:
    counted = row[COUNTED]
    return counted if is_number(counted) else 0.0


def _ended(before: ByPid, now: ByPid) -> Iterator[EndedProcess]:
    for row in before.values():
        own, children = row.get("cpu_seconds"), row.get(RAW)
        if not _is_there(row, now) and is_number(own) and is_number(children):
            yield EndedProcess(own + children, tuple(_holders(row, before, now)))


def _is_there(row: Row, now: ByPid) -> bool:
    found = now.get(row["pid"])  # type: ignore[arg-type]
    return found is not None and found["start_seconds"] == row["start_seconds"]


def _holders(row: Row, before: ByPid, now: ByPid) -> Iterator[int]:
    """A parent that runs is the only one that can have waited. One that ended may have done so before, and its time
    with the child's may be its own parent's by now; or whoever adopted the orphan waited: init or a subreaper, which is
    an ancestor."""
    passed: set[int] = set()
    pid = row.get("parent_pid")
    while isinstance(pid, int) and pid in before and pid not in passed:
        passed.add(pid)
        is_there = _is_there(before[pid], now)
        if is_there:
            yield pid
        if is_there and len(passed) == 1 and now[pid].get("status") not in ENDED:
            return
        pid = before[pid].get("parent_pid")


def _take_off(ended: Iterable[EndedProcess], arrived: dict[int, float]) -> list[EndedProcess]:
    """Take what was counted of each off the nearest that holds so much, first where there is no
    doubt, then the largest; return what nobody holds."""
    unplaced = []
    for process in sorted(ended, key=lambda process: (len(process.holders), -process.seconds)):
        for pid in process.holders:
            if arrived.get(pid, 0.0) + ROUNDING_SECONDS >= process.seconds:
                arrived[pid] = max(0.0, arrived.get(pid, 0.0) - process.seconds)
                break
        else:
            unplaced.append(process)
    return unplaced
