"""What sysmon itself uses, as it recorded it."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from metrics.history.newest_processes import newest_processes
from metrics.models import Host, Process, ProcessSample, ProcessTotals
from metrics.tiers import RAW


@dataclass(frozen=True, slots=True)
class Cost:
    """The processes of this program at a tick; `rss_bytes` counts memory that they share once for each."""

    timestamp: float
    resolution: int
    processes: int
    cpu_percent: float
    rss_bytes: int


def read_cost(host: Host) -> Cost | None:
    """What the program that answers used at the newest tick; None where it was not recorded on this host.

    Its processes are those with its own command line: the web server, the recorder and what watches over them are
    forks of one `up`. Where command lines are not stored there is no telling.
    """
    own = Process.objects.filter(host=host, pid=os.getpid()).order_by("-started_at").first()
    totals = ProcessTotals.objects.filter(host=host, tier=RAW).order_by("-timestamp").first()
    newest = newest_processes(host)
    if own is None or not own.command or totals is None or newest is None:
        return None
    ids = [row["process"] for row in newest.rows]
    ours = set(Process.objects.filter(pk__in=ids, command=own.command).values_list("pk", flat=True))
    rows = [row for row in newest.rows if row["process"] in ours]
    cpu_percent, rss_bytes = (_sum(name, rows) for name in ("cpu_percent", "rss_bytes"))
    return Cost(newest.timestamp, totals.resolution, len(rows), cpu_percent, round(rss_bytes))


def _sum(name: str, rows: Iterable[dict[str, Any]]) -> float:
    field: Any = ProcessSample._meta.get_field(name)
    total: float = field.decode(sum(row[name] or 0 for row in rows))
    return total
