"""How long the history takes to answer, over ranges from an hour to everything."""

from collections.abc import Iterator

from benchmarks.figures import Figure, milliseconds, tell
from benchmarks.program import newest_tick, year_old_host
from metrics.history.peaks import PeakQuery, read_peaks
from metrics.history.process_history import LifeQuery, read_line
from metrics.history.processes import ProcessQuery, read_processes
from metrics.history.series import SeriesQuery, read_series
from metrics.history.top import TopQuery, read_top
from metrics.models import Host, Process

HOUR, DAY = 3600, 86_400
# Of 13 and of 300 days the boundaries of steps are seldom those of a tier's buckets.
RANGES = {
    "1 hour": HOUR,
    "1 day": DAY,
    "13 days": 13 * DAY,
    "30 days": 30 * DAY,
    "300 days": 300 * DAY,
    "365 days": 365 * DAY,
}
FAMILIES = ("cpu", "memory", "disk", "network")


def figures() -> Iterator[Figure]:
    """Series of 1000 points at the most, processes and peaks."""
    host = year_old_host()
    newest = newest_tick(host)
    for name, seconds in RANGES.items():
        yield from _series(host, newest, name, seconds)
        yield from _top_and_line(host, newest, name, seconds)
    yield from _processes(host, newest)
    yield from _peaks(host, newest)


def _series(host: Host, newest: int, name: str, seconds: int) -> Iterator[Figure]:
    for family in FAMILIES:
        for step in (None, "auto"):
            query = SeriesQuery(host, family, start=newest - seconds, end=newest, limit=1000, step=step)
            count = len(read_series(query).points)
            label = f"{family}, {name}, {'step=auto' if step else 'newest'} ({count} points)"
            yield Figure("series", label, milliseconds(lambda query=query: read_series(query), 9), "ms", 30)


def _top_and_line(host: Host, newest: int, name: str, seconds: int) -> Iterator[Figure]:
    top = TopQuery(host, start=newest - seconds, end=newest, limit=1000)
    yield Figure("series", f"cpu/top, {name}", milliseconds(lambda: read_top(top), 5), "ms", 30)
    busiest = read_processes(ProcessQuery(host, start=newest - seconds, end=newest)).results[0]["id"]
    process = Process.objects.select_related("host").get(pk=busiest)
    line = LifeQuery(process, start=newest - seconds, end=newest, limit=1000, step="auto")
    yield Figure("series", f"processes/{{id}}, {name}", milliseconds(lambda: read_line(line), 5), "ms", 30)


def _processes(host: Host, newest: int) -> Iterator[Figure]:
    for name, ago in (("now", 0), ("an hour ago", HOUR), ("10 days ago", 10 * DAY), ("200 days ago", 200 * DAY)):
        query = ProcessQuery(host, at=newest - ago)
        duration = milliseconds(lambda query=query: read_processes(query))
        yield Figure("processes", f"at= {name}", duration, "ms", 5)
    for name, seconds in RANGES.items():
        query = ProcessQuery(host, start=newest - seconds, end=newest)
        duration = milliseconds(lambda query=query: read_processes(query), 5)
        yield Figure("processes", f"over {name}", duration, "ms", 100)


def _peaks(host: Host, newest: int) -> Iterator[Figure]:
    for family in FAMILIES:
        query = PeakQuery(host, family, start=newest - 365 * DAY, end=newest)
        yield Figure("peaks", f"{family}, a year", milliseconds(lambda query=query: read_peaks(query), 5), "ms", 100)


if __name__ == "__main__":
    tell(figures())
