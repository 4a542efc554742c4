"""What it was when nothing was recorded for a while: a reboot, a machine that went down without a word, or a gap.

The tick before says enough: of which boot it was, whether the recorder that took it has ended in good order since, and
how long the machine had been suspended by then.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from metrics.formatting.moments import iso
from metrics.formatting.units import duration, percent, size
from metrics.models.events import Culprit, NewEvent, Severity

# Two ticks missing are a gap, not one; and nobody looks for a few seconds.
GAP_INTERVALS, MIN_GAP_SECONDS = 2.5, 5.0
# What one process has to have of the memory, or to use of the CPU, to be named in a title.
NOTABLE_SHARE = 0.5


class Ended(StrEnum):
    """What became of the recorder that took a tick."""

    NOT = "not"
    IN_ORDER = "in order"
    ABRUPTLY = "abruptly"
    ELSEWHERE = "elsewhere"
    """It was one of another machine, or of another data directory."""


class LastTick(NamedTuple):
    """The tick before: `released_at` is when its recorder ended in good order."""

    timestamp: int
    resolution: int
    uptime_seconds: float
    boot_id: str
    suspended_seconds: float | None
    ended: Ended
    released_at: float | None = None


class Now(NamedTuple):
    """The tick that is being taken."""

    timestamp: int
    resolution: int
    uptime_seconds: float
    boot_id: str
    booted_at: float | None
    suspended_seconds: float | None


@dataclass(frozen=True, slots=True)
class Silence:
    """A while in which nothing was recorded; who is to blame stands in the rows of the last tick."""

    kind: str
    key: str
    last_tick: int
    started_at: float
    ended_at: float
    title: str
    severity: Severity | None
    details: dict[str, Any]

    @property
    def has_culprits(self) -> bool:
        """Whether somebody may be to blame: not where it was meant to be."""
        return self.kind == "unclean_stop" or self.details.get("cause") in {"killed", "held_up"}

    def event(self, culprits: Sequence[Culprit], memory_bytes: int | None, cores: int | None) -> NewEvent:
        """As it is stored; `culprits` are those of the last tick, that with the most memory first."""
        title = self.title
        if self.kind == "unclean_stop" and (said := notable(culprits, memory_bytes, cores)):
            title = f"{title}; before that {said}"
        # A clock that is wrong after a boot, as without a battery, says nothing about how long it was.
        ended_at = self.ended_at if self.ended_at >= self.started_at else None
        return NewEvent(self.kind, self.key, self.started_at, title, ended_at, self.severity, self.details, culprits)


def suspended_seconds() -> float | None:
    """How long the machine has been suspended since its boot; None where the system does not tell."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return None
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


def silence_between(last: LastTick, now: Now) -> Silence | None:
    """What happened between two ticks that follow each other; None where nothing did."""
    if _is_other_boot(last, now) and last.ended != Ended.ELSEWHERE:
        return _stop(last, now)
    elapsed = float(now.timestamp - last.timestamp)
    if last.boot_id and last.boot_id == now.boot_id:
        elapsed = now.uptime_seconds - last.uptime_seconds
    if elapsed < max(MIN_GAP_SECONDS, GAP_INTERVALS * max(last.resolution, now.resolution)):
        return None
    return _gap(last, now, elapsed)


def _is_other_boot(last: LastTick, now: Now) -> bool:
    if last.boot_id and now.boot_id:
        return last.boot_id != now.boot_id
    return now.booted_at is not None and now.booted_at > last.timestamp + 1


def _stop(last: LastTick, now: Now) -> Silence:
    is_in_order = last.ended == Ended.IN_ORDER
    started_at = last.released_at if is_in_order and last.released_at else float(last.timestamp)
    seconds = now.timestamp - started_at
    how_long = f" for {duration(round(seconds))}" if seconds > 0 else ", nobody knows how long: the clock was wrong"
    return Silence(
        "reboot" if is_in_order else "unclean_stop",
        now.boot_id or f"{now.booted_at:.0f}",
        last.timestamp,
        started_at,
        now.timestamp,
        f"Rebooted; not recorded{how_long}" if is_in_order else f"Gone{how_long}",
        None,
        {"last_tick": iso(last.timestamp), "booted_at": None if now.booted_at is None else iso(now.booted_at)},
    )


def _gap(last: LastTick, now: Now, elapsed: float) -> Silence:
    cause, why, severity = _cause(last, now, elapsed)
    started_at = last.timestamp if last.timestamp < now.timestamp else now.timestamp - elapsed
    # As the two moments have it, but where the clock was set between them.
    seconds = now.timestamp - started_at
    shown = seconds if abs(seconds - elapsed) <= max(last.resolution, now.resolution) else elapsed
    title = f"Not recorded for {duration(round(shown))}: {why}"
    # By the clock that nobody can set: the same moment may come twice on the other one.
    key = f"{last.boot_id}:{last.uptime_seconds:.2f}"
    details = {"cause": cause, "last_tick": iso(last.timestamp)}
    return Silence("gap", key, last.timestamp, started_at, now.timestamp, title, severity, details)


def _cause(last: LastTick, now: Now, elapsed: float) -> tuple[str, str, Severity]:
    """A word, the same in a sentence, and how much it matters."""
    suspended = None
    if last.suspended_seconds is not None and now.suspended_seconds is not None and last.boot_id == now.boot_id:
        suspended = now.suspended_seconds - last.suspended_seconds
    if suspended is not None and suspended >= elapsed / 2:
        return "suspended", "the machine was suspended", Severity.INFO
    if last.ended == Ended.IN_ORDER:
        return "stopped", "sysmon was stopped", Severity.INFO
    if last.ended == Ended.ELSEWHERE:
        return "moved", "another machine or data directory recorded before", Severity.INFO
    if last.ended == Ended.ABRUPTLY:
        return "killed", "the recorder was killed, or ended without a word", Severity.WARNING
    return "held_up", "the recorder was held up", Severity.WARNING


def notable(culprits: Sequence[Culprit], memory_bytes: int | None, cores: int | None) -> str:
    """The one process that had most of the memory, or else used most of the CPU, in words; "" where none did."""
    for culprit in culprits:
        if memory_bytes and culprit.rss_bytes and culprit.rss_bytes >= NOTABLE_SHARE * memory_bytes:
            return f"{culprit.name} had {size(culprit.rss_bytes)} of {size(memory_bytes)} of memory"
    for culprit in culprits:
        used = (culprit.cpu_percent or 0) + (culprit.children_cpu_percent or 0)
        if cores and used >= NOTABLE_SHARE * 100 * cores:
            return f"{culprit.name} used {percent(used)} of CPU"
    return ""
