"""How large the year-old file is, and where its bytes go."""

from collections.abc import Iterator

from django.db import connection

from benchmarks.figures import Figure, tell
from benchmarks.program import database_file

MB = 1e6
SHOWN = 8


def figures() -> Iterator[Figure]:
    """The file, and its largest tables and indexes."""
    yield Figure("size of the file", "a year, process history included", database_file().stat().st_size / MB, "MB", 300)
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, SUM(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC")
        for name, size in cursor.fetchall()[:SHOWN]:
            yield Figure("size of the file", name.replace("metrics_", ""), size / MB, "MB")


if __name__ == "__main__":
    tell(figures())
