"""Whether a file grows on when its tiers are full: a simulated month with retention every simulated hour.

In a database of its own, whose tiers are short, so that they fill within days.
"""

import time
from collections.abc import Iterator
from unittest.mock import patch

from django.db import connection

from benchmarks.figures import Figure, tell
from benchmarks.program import database_file, now
from metrics.retention.pruning import apply_retention
from metrics.simulation.history import History, roll_up_wide
from metrics.simulation.machine import Machine
from metrics.storage.locks import PARTS
from metrics.supervision.database import prepare_database
from metrics.tiers import tiers

DAY, MB = 86_400, 1e6
MONTH_DAYS = 30


def figures() -> Iterator[Figure]:
    """The size when the tiers have just become full, a month later, and the highest in between."""
    full_days = max(tier.kept_seconds for tier in tiers()) // DAY
    sizes = daily_sizes(full_days + 1 + MONTH_DAYS)
    # A day more, for identities that only go when nothing points to them any more.
    full, later = sizes[full_days + 1], sizes[-1]
    yield Figure("growth", "file with full tiers", full / MB, "MB")
    yield Figure("growth", f"{MONTH_DAYS} days later", later / MB, "MB")
    yield Figure("growth", "at its largest in between", max(sizes[full_days + 1 :]) / MB, "MB")
    yield Figure("growth", "growth in that month", max(0, (later - full) / full * 100), "%", 5)


def daily_sizes(days: int) -> list[int]:
    """The size of the file after each simulated day."""
    prepare_database(PARTS)
    end = now()
    history = History(Machine("growth", interval_seconds=60), end - days * DAY, end, every_minute=True)
    sizes = []
    for start in history.write():
        if start % 3600 == 0:
            history.flush()
            roll_up_wide(history.host, start - DAY, start + 900)
            with patch.object(time, "time", return_value=float(start + 900)):
                apply_retention()
            history.player.writer.identities.forget()
        if (start - history.start) // DAY >= len(sizes):
            sizes.append(size())
    return sizes


def size() -> int:
    """The bytes of the pages of the file, those of its log not counted."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return database_file().stat().st_size


if __name__ == "__main__":
    tell(figures())
