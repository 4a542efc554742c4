"""What it costs to be watched while nobody looks: the whole tree of `up` against the yardstick, in the same minutes."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Figure, tell
from benchmarks.past import fill
from benchmarks.servers import Server, sysmon, yardstick
from benchmarks.tree import cpu_percent, pss_mb

SECONDS = 90
SLEEPERS = 400


def figures() -> Iterator[Figure]:
    """CPU at two intervals, with more processes, and memory with a full history."""
    yield from watched(5, 1.0)
    yield from watched(1, 0.7, sleepers_target=0.5)


def watched(interval: int, target: float, sleepers_target: float | None = None) -> Iterator[Figure]:
    """Both programs at one interval; with more processes as well where there is a target for that."""
    with tempfile.TemporaryDirectory(prefix="sysmon-bench-") as name:
        directory = Path(name)
        with yardstick(directory, interval, prefill=3600) as theirs, sysmon(directory, interval) as ours:
            time.sleep(max(10, 4 * interval))
            fill(directory, interval)
            # Past a hand-over: both workers have recorded then.
            time.sleep(75)
            yield cpu_figure(f"CPU every {interval} s", ours, theirs, target)
            us, them = pss_mb(ours.pid), pss_mb(theirs.pid)
            detail = f"{us:.0f} MiB; yardstick {them:.0f} MiB"
            yield Figure("watching", f"memory every {interval} s", us / them, "times", 0.25, detail=detail)
            if sleepers_target is not None:
                with asleep(SLEEPERS):
                    time.sleep(5)
                    name_of_all = f"CPU every {interval} s, {SLEEPERS} more processes"
                    yield cpu_figure(name_of_all, ours, theirs, sleepers_target)


def cpu_figure(name: str, ours: Server, theirs: Server, target: float) -> Figure:
    """The CPU of both trees during the same stretch of time."""
    us, them = cpu_percent([ours.pid, theirs.pid], SECONDS)
    detail = f"{us:.2f} % of a core; yardstick {them:.2f} %"
    return Figure("watching", name, us / them, "times", target, detail=detail)


@contextmanager
def asleep(count: int) -> Iterator[None]:
    """So many processes that do nothing."""
    sleepers = [subprocess.Popen(["sleep", "3600"]) for _ in range(count)]
    try:
        yield
    finally:
        for sleeper in sleepers:
            sleeper.terminate()
        for sleeper in sleepers:
            sleeper.wait()


if __name__ == "__main__":
    tell(figures())
