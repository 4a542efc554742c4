"""Gives a machine that was recorded for some seconds a past: its ticks, copied backwards."""

import sqlite3
from contextlib import closing
from pathlib import Path

POINTS = 3600


def fill(directory: Path, interval: int, points: int = POINTS) -> None:
    """Copy the ticks of a data directory until there are so many; the newest process rows are left as they are.

    Each copy is a transaction of its own: a program that records meanwhile waits for no more than one of them.
    """
    with closing(sqlite3.connect(directory / "sysmon.sqlite3", timeout=30)) as file:
        [(first, last, count)] = file.execute("SELECT MIN(timestamp), MAX(timestamp), COUNT(*) FROM metrics_tick")
        tables, span = _tables(file), last - first + interval
        for turn in range(1, points // count + 1):
            with file:
                for table in tables:
                    _copy(file, table, first, last, turn * span)


def _tables(file: sqlite3.Connection) -> list[str]:
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND (name LIKE 'metrics_%sample' OR name IN (?, ?))"
    return [name for (name,) in file.execute(names, ("metrics_tick", "metrics_processtotals"))]


def _copy(file: sqlite3.Connection, table: str, first: int, last: int, seconds: int) -> None:
    columns = [row[1] for row in file.execute(f"PRAGMA table_info({table})") if row[1] != "id"]
    values = [f"timestamp - {seconds}" if name == "timestamp" else name for name in columns]
    raw = "AND tier = 0" if "tier" in columns else ""
    file.execute(
        f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table}"
        f" WHERE timestamp BETWEEN ? AND ? {raw}",
        (first, last),
    )
