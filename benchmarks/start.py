"""From `manage.py up` on a database that is up to date to the first healthy answer."""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, tell
from benchmarks.servers import sysmon


def figures() -> Iterator[Figure]:
    """The median of some starts, after one that migrates."""
    with tempfile.TemporaryDirectory(prefix="sysmon-bench-") as name:
        seconds = []
        for _ in range(6):
            with sysmon(Path(name), 5) as server:
                seconds.append(server.start_seconds)
    yield Figure("start", "first start, with migrations", seconds[0], "s")
    yield Figure("start", "every other start", statistics.median(seconds[1:]), "s", 2.5)


if __name__ == "__main__":
    tell(figures())
