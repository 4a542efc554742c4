"""What sysmon itself uses, as it recorded it."""

import os
from dataclasses import dataclass

from django.db.models import Count, Sum

from metrics.models import Host, Process, ProcessSample, ProcessTotals


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
    forks of one `up`.
    """
    own = Process.objects.filter(host=host, pid=os.getpid()).order_by("-started_at").first()
    newest = ProcessTotals.objects.filter(host=host, tier=0).order_by("-timestamp").first()
    if own is None or newest is None:
        return None
    samples = ProcessSample.objects.filter(host=host, tier=0, timestamp=newest.timestamp)
    sums = samples.filter(process__command=own.command).aggregate(
        processes=Count("pk"), cpu_percent=Sum("cpu_percent"), rss_bytes=Sum("rss_bytes")
    )
    return Cost(
        newest.timestamp.timestamp(),
        newest.resolution,
        sums["processes"],
        round(sums["cpu_percent"] or 0, 2),
        sums["rss_bytes"] or 0,
    )
