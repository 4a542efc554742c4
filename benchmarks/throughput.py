"""How many questions sysmon answers in a second, from disk, against the yardstick, from memory."""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, tell
from benchmarks.load import Load, load, varying
from benchmarks.past import fill
from benchmarks.servers import Server, ensure_wrk, sysmon, yardstick

INTERVAL = 5
ROUNDS = int(os.environ.get("SYSMON_BENCH_ROUNDS", "5"))
SECONDS = 3
CONNECTIONS = (1, 10, 100)
VARYING = "metrics/cpu, another range each time"
# What is asked, and how many times the yardstick's requests a second it has to be.
QUESTIONS = {
    "metrics/cpu?limit=1000": 5.0,
    VARYING: 1.2,
    "metrics/cpu?limit=100": 1.5,
    "metrics/current": 1.2,
    "metrics/processes?limit=100": 1.5,
}


def figures() -> Iterator[Figure]:
    """Ratios of the medians of alternating runs."""
    ensure_wrk()
    with tempfile.TemporaryDirectory(prefix="sysmon-bench-") as name:
        directory = Path(name)
        with sysmon(directory, INTERVAL) as ours:
            time.sleep(4 * INTERVAL)
            fill(directory, INTERVAL)
            with yardstick(directory, INTERVAL, prefill=3600) as theirs:
                for question, target in QUESTIONS.items():
                    for connections in CONNECTIONS:
                        yield from compared(question, target, connections, theirs, ours)


def compared(question: str, target: float, connections: int, theirs: Server, ours: Server) -> Iterator[Figure]:
    """One question at so many connections: requests a second, and at a hundred the slowest percent."""
    runs = [(ask(question, connections, theirs), ask(question, connections, ours)) for _ in range(ROUNDS)]
    them, us = (median([run[place] for run in runs]) for place in (0, 1))
    detail = f"{us.requests_per_second:.0f}/s, {us.cpu_milliseconds:.2f} ms of CPU; yardstick "
    detail += f"{them.requests_per_second:.0f}/s, {them.cpu_milliseconds:.2f} ms"
    name = f"{question}, {connections} at once"
    ratio = us.requests_per_second / them.requests_per_second
    yield Figure("throughput", name, ratio, "times", target, detail=detail, at_least=True)
    if connections == max(CONNECTIONS):
        slow = f"{us.p99:.0f} ms; yardstick {them.p99:.0f} ms"
        yield Figure("throughput", f"{name}: slowest percent", us.p99 / them.p99, "times", 0.5, detail=slow)
    yield Figure("throughput", f"{name}: errors", us.errors, "", 1)


def ask(question: str, connections: int, server: Server) -> Load:
    """One run."""
    script = varying(INTERVAL) if question == VARYING else ""
    path = "metrics/cpu" if question == VARYING else question
    return load(server.address + path, connections, SECONDS, server.pid, script)


def median(runs: list[Load]) -> Load:
    """The median of each figure; the sum of the errors."""
    names = ("requests_per_second", "cpu_milliseconds", "p99", "longest")
    middle = {name: statistics.median(getattr(run, name) for run in runs) for name in names}
    return Load(**middle, errors=sum(run.errors for run in runs))


if __name__ == "__main__":
    tell(figures())
