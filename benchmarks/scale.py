"""Whether the same questions take as long with a year of history as with a day."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, tell
from benchmarks.servers import ROOT, Server, ensure_wrk, sysmon
from benchmarks.throughput import QUESTIONS, ROUNDS, ask, median

SPANS = (1, 30)
YEAR = 365
CONNECTIONS = 10


def figures() -> Iterator[Figure]:
    """The fastest of the spans against the slowest, one question at a time. The year is in SYSMON_DATA_DIR."""
    ensure_wrk()
    with tempfile.TemporaryDirectory(prefix="sysmon-bench-") as name:
        directories = {days: simulated(Path(name), days) for days in SPANS}
        directories[YEAR] = Path(os.environ["SYSMON_DATA_DIR"])
        with (
            sysmon(directories[1], 5) as day,
            sysmon(directories[30], 5) as month,
            sysmon(directories[YEAR], 5) as year,
        ):
            for question in QUESTIONS:
                yield compared(question, [day, month, year])


def compared(question: str, servers: list[Server]) -> Figure:
    """One question to all of them, by turns."""
    runs = [[ask(question, CONNECTIONS, server) for server in servers] for _ in range(ROUNDS)]
    rates = [median(list(column)).requests_per_second for column in zip(*runs, strict=True)]
    detail = ", ".join(f"{rate:.0f}/s" for rate in rates) + " with 1, 30 and 365 days"
    return Figure("scale", question, max(rates) / min(rates), "times", 1.3, detail=detail)


def simulated(directory: Path, days: int) -> Path:
    """A data directory with so many days in it."""
    made = directory / str(days)
    made.mkdir(mode=0o700)
    command = [sys.executable, "manage.py", "simulate", "--days", str(days)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "SYSMON_DATA_DIR": str(made)}, stdout=sys.stderr, check=True)
    return made


if __name__ == "__main__":
    tell(figures())
