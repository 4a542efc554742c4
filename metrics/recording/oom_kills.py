"""Processes that the kernel has killed for want of memory: its counter says how many, its log whom.

Where the log cannot be read it was likely whoever had the most memory in the tick before and is gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from metrics.collectors import containers, kernel_log, procfs
from metrics.collectors.kernel_log import OomKill
from metrics.formatting.units import size
from metrics.models.events import Culprit, NewEvent
from metrics.recording.rates import Row, is_number
from metrics.recording.samples import TakenReading

# Of a machine that kills more within one tick the others are one event.
MAX_KILLS = 20
# The clock of the kernel's log goes on its own: it is off by so much, and by such a share of the time since the boot.
LOG_CLOCK_SECONDS, LOG_CLOCK_SHARE = 60.0, 2e-4

Readings = Mapping[str, TakenReading]
"""The newest reading of each family."""


class Rise(NamedTuple):
    """How many kills there were between two readings, and how many of these for the limit of this container, None where
    it has none; `key` is what the counter says now."""

    kills: int
    own: int | None
    key: str


class OomKills:
    """Tells the kills between two ticks; remembers how far it has told the kernel's log."""

    def __init__(self) -> None:
        self._last_sequence = -1

    def between(self, before: Readings, now: Readings, suspended_seconds: float | None) -> list[NewEvent]:
        """An event for each kill. The readings may be of two starts of the program, but are of one boot."""
        old, new = before.get("memory"), now.get("memory")
        rise = rise_between(old, new) if old and new else None
        if not (old and new and rise):
            return []
        shown, asleep = min(rise.kills, MAX_KILLS), suspended_seconds or 0.0
        known = self._known(old, asleep)[-shown:]
        likely = _gone(before.get("processes"), now.get("processes"), rise, {kill.pid for kill in known})
        seen = _by_pid(before.get("processes"))
        events = [_of_log(kill, seen, new, old, asleep) for kill in known]
        events += [_likely(row, new) for row in likely[: shown - len(events)]]
        events += [_unknown(new, rise)] * (shown - len(events))
        if rise.kills > shown:
            events.append(_others(new, rise.kills - shown))
        return [_keyed(event, rise, number) for number, event in enumerate(events)]

    def _known(self, old: TakenReading, suspended_seconds: float) -> list[OomKill]:
        """The kills of the log, but none that was told or is older than the reading before."""
        slack = LOG_CLOCK_SECONDS + LOG_CLOCK_SHARE * old.uptime_seconds
        oldest = old.uptime_seconds - suspended_seconds - slack
        found = [kill for kill in kernel_log.oom_kills() if kill.sequence > self._last_sequence]
        if found:
            self._last_sequence = found[-1].sequence
        return [kill for kill in found if kill.monotonic_seconds >= oldest]


def rise_between(old: TakenReading, new: TakenReading) -> Rise | None:
    """How far the counters rose; None where they did not, over a boot, and where they were not read before."""
    if old.boot_id != new.boot_id:
        return None
    machine, own = _growth(old, new, "vmstat"), _growth(old, new, "own_limit")
    kills = max(machine or 0, own or 0)
    limit = _row(new, "own_limit")
    key = _row(new, "vmstat").get("oom_kill") if machine else f"{limit.get('group')}:{limit.get('oom_kill')}"
    return Rise(kills, own, f"{new.boot_id}:{key}") if kills else None


def _growth(old: TakenReading, new: TakenReading, kind: str) -> int | None:
    before, after = _row(old, kind), _row(new, kind)
    first, last = before.get("oom_kill"), after.get("oom_kill")
    if before.get("group") != after.get("group") or not (is_number(first) and is_number(last)):
        return None
    return max(0, int(last) - int(first))


def _row(reading: TakenReading, kind: str) -> Row:
    return next(iter(reading.rows.get(kind, [])), {})


def _by_pid(processes: TakenReading | None) -> dict[object, Row]:
    return {row["pid"]: row for row in processes.rows.get("process", [])} if processes else {}


def _gone(old: TakenReading | None, new: TakenReading | None, rise: Rise, known: set[int]) -> Sequence[Row]:
    """Who was there at the tick before and is not any more, the one with the most memory first. Nobody where the victim
    is none that can be seen from this container. Of another start of the program only the pids are known."""
    if new is None or (not rise.own and containers.has_own_processes()):
        return []
    there = {(row["pid"], row["start_seconds"]) for row in _by_pid(new).values()}
    gone = [
        row
        for pid, row in _by_pid(old).items()
        if (pid, row["start_seconds"]) not in there and pid not in known and row.get("name") and row["rss_bytes"]
    ]
    return sorted(gone, key=_held, reverse=True)


def _held(row: Row) -> int:
    return int(row["rss_bytes"])  # type: ignore[arg-type]


def _of_log(kill: OomKill, seen: Mapping[object, Row], new: TakenReading, old: TakenReading, asleep: float) -> NewEvent:
    row = seen.get(kill.pid, {})
    if row.get("name") != kill.name:  # in a container the kernel's pids are others
        row = {}
    unit = kernel_log.unit_of(kill.control_group)
    user = None if kill.uid is None else procfs.username(kill.uid)
    command = row.get("command")
    culprit = Culprit(
        kill.pid, kill.name, user, unit, None if command is None else str(command), rss_bytes=kill.rss_bytes
    )
    of_whom = f" of {unit}" if unit else ""
    why = f"the memory limit{of_whom} was reached" if kill.is_of_a_limit else "the machine was out of memory"
    ago = new.uptime_seconds - asleep - kill.monotonic_seconds
    return NewEvent(
        "oom_kill",
        "",
        min(max(new.timestamp - ago, old.timestamp), new.timestamp),
        f"{kill.name} ({kill.pid}) was killed with {size(kill.rss_bytes)}: {why}",
        details={"limit": "control group" if kill.is_of_a_limit else "machine", "control_group": kill.control_group},
        culprits=[culprit],
    )


def _likely(row: Row, new: TakenReading) -> NewEvent:
    held = _held(row)
    text = {name: None if row.get(name) is None else str(row[name]) for name in ("username", "command")}
    culprit = Culprit(int(row["pid"]), str(row["name"]), **text, rss_bytes=held, is_likely=True)  # type: ignore[arg-type]
    title = f"A process was killed for want of memory, likely {culprit.name} ({culprit.pid}), which had {size(held)}"
    return NewEvent("oom_kill", "", new.timestamp, title, culprits=[culprit])


def _unknown(new: TakenReading, rise: Rise) -> NewEvent:
    where = " outside of this container" if rise.own == 0 else ""
    title = f"A process{where} was killed for want of memory; which one is not known"
    return NewEvent("oom_kill", "", new.timestamp, title)


def _others(new: TakenReading, count: int) -> NewEvent:
    return NewEvent(
        "oom_kill",
        "",
        new.timestamp,
        f"{count} other processes were killed for want of memory",
        details={"count": count},
    )


def _keyed(event: NewEvent, rise: Rise, number: int) -> NewEvent:
    """With what tells it from others; and with how many kills were of this container's own limit."""
    details = event.details if rise.own is None else {**event.details, "own_limit_kills": rise.own}
    return replace(event, key=f"{rise.key}:{number}", details=details)
