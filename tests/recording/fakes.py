"""Collectors, clocks and lines that a test steers by hand."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType, SimpleNamespace
from typing import Any, cast

from metrics.collectors.base import Collector, Reading
from metrics.recording.heartbeat import Unwatched
from metrics.recording.runner import Outcome, Run


class ScriptedRunner:
    """Gives the readings of a list, one a tick; an exception in the list is a failure."""

    def __init__(self, family: str, readings: Iterable[Reading | Exception], uptime: Callable[[], float]) -> None:
        self.family = family
        self._readings = iter(readings)
        self._uptime = uptime

    def resume(self, reading: Reading) -> None:
        self.resumed = reading

    def run(self, timeout_seconds: float) -> Run:
        reading = next(self._readings)
        if isinstance(reading, Exception):
            return Run(self.family, Outcome.FAILED, self._uptime(), 0.001, message=str(reading))
        return Run(self.family, Outcome.OK, self._uptime(), 0.001, reading)


def collector(
    family: str,
    read: Callable[[], Reading],
    warning: str = "",
    excluded: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Collector:
    """A collector that is not registered: it does not inherit."""
    return cast(Collector, SimpleNamespace(family=family, read=read, warning=warning, excluded=excluded))


class Clock:
    """A wall clock that moves when somebody waits for it; `jumps` are added when it reaches a moment."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.jumps: list[tuple[float, float]] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(0.0, seconds)
        for jump in [jump for jump in self.jumps if self.now >= jump[0]]:
            self.jumps.remove(jump)
            self.now += jump[1]


class FakeLine(Unwatched):
    """A line whose waits take no time; cut after so many waits, or never."""

    def __init__(self, clock: Clock, cut_at: float = float("inf")) -> None:
        super().__init__()
        self.clock, self.cut_at = clock, cut_at
        self.beats = self.hand_overs = 0
        self.waits: list[float] = []
        self.at_wait: Callable[[], None] = lambda: None

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.clock.sleep(seconds)
        self.at_wait()
        return self.clock.now >= self.cut_at

    def beat(self) -> None:
        self.beats += 1

    def mark_hand_over(self) -> None:
        self.hand_overs += 1


def cpu_row(busy: float, total: float, **more: Any) -> dict[str, Any]:
    """One row of a cpu reading with two cores that share the work."""
    return {
        "busy_seconds": busy,
        "total_seconds": total,
        "core_busy_seconds": [busy / 2, busy / 2],
        "core_total_seconds": [total / 2, total / 2],
        "user_seconds": busy,
        "system_seconds": 0.0,
        "idle_seconds": total - busy,
        "iowait_seconds": None,
        "steal_seconds": 0.0,
        "load_1": 0.5,
        "load_5": 0.25,
        "load_15": 0.1,
        "frequency_mhz": None,
        "context_switches": 1000 * total,
        "interrupts": 10 * total,
        "pressure_some_seconds": None,
        **more,
    }


def process_row(pid: int, start_seconds: float = 1.0, **more: Any) -> dict[str, Any]:
    """One row of a processes reading."""
    return {
        "pid": pid,
        "start_seconds": start_seconds,
        "name": f"p{pid}",
        "username": "root",
        "command": f"p{pid} --flag",
        "status": "sleeping",
        "cpu_seconds": 0.0,
        "memory_percent": 1.0,
        "rss_bytes": 1024 * pid,
        "threads": 1,
        "read_bytes": 0,
        "write_bytes": 0,
        **more,
    }


def processes_reading(*rows: dict[str, Any]) -> Reading:
    """A reading of the processes family."""
    return {"processes": [{"total": len(rows), "running": 0, "threads": len(rows)}], "process": list(rows)}
