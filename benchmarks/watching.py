"""What it costs to be watched while nobody looks: the whole tree of `up` against the yardstick, in the same minutes."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Figure, tell
from benchmarks.past import fill
from benchmarks.servers import sysmon, yardstick
from benchmarks.tree import cpu_percent, pss_mb

SECONDS = 90
SLEEPERS = 400


def figures() -> Iterator[Figure]:
    """CPU at two intervals, with more processes, and memory with a full history."""
    yield from watched(5, 0, 1.0)
    yield from watched(1, 0, 0.7)
    yield from watched(1, SLEEPERS, 0.5)


def watched(interval: int, sleepers: int, target: float) -> Iterator[Figure]:
    """Both programs at one interval."""
    more = f" and {sleepers} sleeping processes" if sleepers else ""
    with tempfile.TemporaryDirectory(prefix="sysmon-bench-") as name, asleep(sleepers):
        directory = Path(name)
        with sysmon(directory, interval) as ours, yardstick(directory, interval, prefill=3600) as theirs:
            time.sleep(max(10, 4 * interval))
            fill(directory, interval)
            # Past a hand-over: both workers have recorded then.
            time.sleep(75)
            us, them = cpu_percent([ours.pid, theirs.pid], SECONDS)
            detail = f"{us:.2f} % of a core; yardstick {them:.2f} %"
            yield Figure("watching", f"CPU every {interval} s{more}", us / them, "times", target, detail=detail)
            us, them = pss_mb(ours.pid), pss_mb(theirs.pid)
            detail = f"{us:.0f} MiB; yardstick {them:.0f} MiB"
            yield Figure("watching", f"memory every {interval} s{more}", us / them, "times", 0.25, detail=detail)


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
