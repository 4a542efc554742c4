"""Runs a collector in a thread of its own, so that one that hangs or fails costs nobody else anything."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from queue import Empty, SimpleQueue

from metrics import conf
from metrics.collectors.base import Collector, NoData, Reading, collectors
from metrics.collectors.text import valid_text
from metrics.models import CollectorState

Outcome = CollectorState.Outcome


def uptime_seconds() -> float:
    """Seconds since the boot on a clock that nobody can set; every process of the machine sees the same one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(frozen=True, slots=True)
class Run:
    """What became of one collector at one tick. `reading` is there where the outcome is ok; it is not whole where there
    is a `message` then."""

    family: str
    outcome: CollectorState.Outcome
    uptime_seconds: float
    duration_seconds: float
    reading: Reading | None = None
    message: str = ""
    excluded: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The names that a setting left out, by their plural."""


class Runner:
    """One collector and the daemon thread that it runs in.

    A call that hangs in the kernel cannot be cancelled. Its thread is left behind, as a daemon it does not hold up the
    end of the program; until it comes back the family counts as failed, and no second thread is spent on it.
    """

    def __init__(self, collector: Collector, now: Callable[[], float] = uptime_seconds) -> None:
        self.family = collector.family
        self._collector = collector
        self._now = now
        self._thread: threading.Thread | None = None
        self._orders: SimpleQueue[None] = SimpleQueue()
        self._runs: SimpleQueue[Run] = SimpleQueue()
        self._hangs_since: float | None = None
        # A recording run that begins may want a reading while the one before takes its last tick.
        self._one_at_a_time = threading.Lock()

    def run(self, timeout_seconds: float) -> Run:
        """Take a reading, or say within `timeout_seconds` why there is none."""
        with self._one_at_a_time:
            return self._run(timeout_seconds)

    def resume(self, reading: Reading) -> None:
        """Have the collector go on from a reading that was stored, unless it is at work already."""
        with self._one_at_a_time:
            if self._thread is None:
                self._collector.resume(reading)

    def _run(self, timeout_seconds: float) -> Run:
        if self._hangs_since is not None and not self._has_come_back():
            return self._hanging(0.0)
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name=f"collector-{self.family}", daemon=True)
            self._thread.start()
        started = self._now()
        self._orders.put(None)
        try:
            return self._runs.get(timeout=timeout_seconds)
        except Empty:
            self._hangs_since = started
            return self._hanging(self._now() - started)

    def _has_come_back(self) -> bool:
        """Whether the call that hung has ended; its reading is too old to be of use."""
        try:
            self._runs.get_nowait()
        except Empty:
            return False
        self._hangs_since = None
        return True

    def _hanging(self, duration_seconds: float) -> Run:
        now = self._now()
        message = f"no answer for {now - (self._hangs_since or now):.0f} s"
        return Run(self.family, Outcome.FAILED, now, duration_seconds, message=message)

    def _serve(self) -> None:
        while True:
            self._orders.get()
            self._runs.put(self._read())

    def _read(self) -> Run:
        """The one broad except of the program: whatever a collector does, the other families go on."""
        started = self._now()
        reading, outcome, message = None, Outcome.OK, ""
        excluded: Mapping[str, Sequence[str]] = {}
        try:
            reading = self._collector.read()
            message, excluded = self._collector.warning, self._collector.excluded
        except NoData as error:
            outcome, message, excluded = Outcome.NO_DATA, str(error), self._collector.excluded
        except Exception as error:
            outcome, message = Outcome.FAILED, f"{type(error).__name__}: {error}"
        return Run(self.family, outcome, started, self._now() - started, reading, valid_text(message), excluded)


@cache
def runners() -> tuple[Runner, ...]:
    """One runner a registered family, kept as long as the process: a thread that hangs is not hung again."""
    return tuple(Runner(_set_up(collector())) for collector in collectors().values())


def _set_up(collector: Collector) -> Collector:
    patterns = {f"exclude_{what}": conf.excluded(what) for what in conf.EXCLUDABLE}
    collector.set_up({"commands": conf.commands(), **patterns})
    return collector
