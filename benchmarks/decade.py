"""How long the history takes to answer with ten years of days, and of all that is kept for a year: nine times more."""

from collections.abc import Iterator

from django.db import connection
from django.db.models import Model

from benchmarks.figures import Figure, milliseconds, tell
from benchmarks.program import database_file, newest_tick, year_old_host
from benchmarks.queries import DAY, FAMILIES
from metrics.history.peaks import PeakQuery, read_peaks
from metrics.history.processes import ProcessQuery, read_processes
from metrics.history.series import SeriesQuery, read_series
from metrics.history.top import TopQuery, read_top
from metrics.models import Host
from metrics.models.samples import sample_models
from metrics.tiers import WIDEST_SECONDS, tiers

# Whole buckets of every tier.
YEAR = 365 * DAY // WIDEST_SECONDS * WIDEST_SECONDS
COPIES = 9
RANGES = {"a year": 365 * DAY, "3 years": 3 * 365 * DAY, "10 years": 3649 * DAY}
MB = 1e6


def figures() -> Iterator[Figure]:
    """Twice the targets of a year."""
    host = year_old_host()
    repeat(host)
    yield Figure("ten years", "the file", database_file().stat().st_size / MB, "MB")
    newest = newest_tick(host)
    for name, seconds in RANGES.items():
        for family in FAMILIES:
            series = SeriesQuery(host, family, start=newest - seconds, end=newest, limit=1000, step="auto")
            duration = milliseconds(lambda query=series: read_series(query), 5)
            yield Figure("ten years", f"{family}, {name}, step=auto", duration, "ms", 60)
        top = TopQuery(host, start=newest - seconds, end=newest, limit=1000)
        yield Figure("ten years", f"cpu/top, {name}", milliseconds(lambda query=top: read_top(query), 5), "ms", 60)
        ranked = ProcessQuery(host, start=newest - seconds, end=newest)
        duration = milliseconds(lambda query=ranked: read_processes(query), 3)
        yield Figure("ten years", f"processes over {name}", duration, "ms")
    peaks = PeakQuery(host, "cpu", start=newest - 365 * DAY, end=newest)
    yield Figure("ten years", "peaks of cpu, a year", milliseconds(lambda: read_peaks(peaks), 3), "ms", 200)


def repeat(host: Host) -> None:
    """Copy what is kept for a year into the nine years before it; the few hours that the year is longer overlap."""
    widths = [tier.width_seconds for tier in tiers() if tier.kept_seconds >= YEAR]
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=OFF")
        for model in sample_models():
            for width in widths:
                for copy in range(1, COPIES + 1):
                    cursor.execute(_copy(model, copy * YEAR), [host.pk, width, newest_tick(host) - YEAR])


def _copy(model: type[Model], seconds: int) -> str:
    names = [field.column for field in model._meta.concrete_fields if field.column != "id"]
    chosen = [f"timestamp - {seconds}" if name == "timestamp" else name for name in names]
    table = model._meta.db_table
    return (
        f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) SELECT {', '.join(chosen)} FROM {table}"
        " WHERE host_id = %s AND tier = %s AND timestamp > %s"
    )


if __name__ == "__main__":
    tell(figures())
