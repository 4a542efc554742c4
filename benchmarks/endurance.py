"""A minute of a hundred connections at the heaviest question, at one tick a second: nothing may be lost or be late."""

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.figures import Figure, tell
from benchmarks.load import errors_in, load, varying
from benchmarks.past import fill
from benchmarks.servers import ensure_wrk, sysmon

SECONDS = 60


def figures() -> Iterator[Figure]:
    """Both kinds of load: the same question again and again, and another one each time."""
    ensure_wrk()
    for kind, script in (("the same question", ""), ("another range each time", varying(1))):
        with tempfile.TemporaryDirectory(prefix="sysmon-bench-") as name, sysmon(Path(name), 1) as server:
            time.sleep(15)
            fill(Path(name), 1)
            began, logged = int(time.time()) + 1, server.errors.stat().st_size
            run = load(f"{server.address}metrics/cpu?limit=1000", 100, SECONDS, server.pid, script)
            ended = int(time.time()) - 1
            time.sleep(3)
            lags = sorted(late_by(Path(name), began, ended))
            within = sum(lag <= 200 for lag in lags) / len(lags) * 100
            detail = (
                f"{run.requests_per_second:.0f} requests/s; slowest percent {run.p99:.0f} ms, latest tick {lags[-1]} ms"
            )
            yield Figure("endurance", f"{kind}: ticks lost", ended - began + 1 - len(lags), "", 1, detail=detail)
            yield Figure("endurance", f"{kind}: ticks within 200 ms", within, "%", 99, at_least=True)
            yield Figure("endurance", f"{kind}: errors", run.errors, "", 1)
            yield Figure("endurance", f"{kind}: complaints in the log", len(errors_in(server.errors, logged)), "", 1)


def late_by(directory: Path, began: int, ended: int) -> list[int]:
    """How late each tick of a stretch was, in milliseconds."""
    with closing(sqlite3.connect(directory / "sysmon.sqlite3")) as file:
        lags = "SELECT lag_milliseconds FROM metrics_tick WHERE timestamp BETWEEN ? AND ?"
        return [lag for (lag,) in file.execute(lags, (began, ended))]


if __name__ == "__main__":
    tell(figures())
