"""Keep who used the CPU with the totals of each moment, also of those that were recorded before."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.db import migrations, models, transaction

from metrics.models.packing import packed, unpacked

RAW = 0
# Widths of then that have no processes of their own by default, with what they are made from.
SOURCES = {300: 60, 5400: 900}

# Buckets that are read in one go.
MOST_BUCKETS = 1000
STRETCH = "host_id = %s AND tier = %s AND timestamp >= %s AND timestamp < %s"
PROCESSES = (
    f"SELECT timestamp, process_id, cpu_percent FROM metrics_processsample WHERE {STRETCH} AND cpu_percent > 0"
    " AND process_id NOT IN (SELECT id FROM metrics_process WHERE pid = 0 AND started_at = 0)"
)
FINER = f"SELECT timestamp, covered_seconds, cpu_by_process FROM metrics_processtotals WHERE {STRETCH}"
ENDS = "SELECT MIN(timestamp), MAX(timestamp) FROM metrics_processtotals WHERE host_id = %s AND tier = %s"
HAS_PROCESSES = "SELECT EXISTS (SELECT 1 FROM metrics_processsample WHERE host_id = %s AND tier = %s)"
KEEP = "UPDATE metrics_processtotals SET cpu_by_process = %s WHERE host_id = %s AND tier = %s AND timestamp = %s"


# What there is of a tier and host in a stretch: time -> id of a process -> its CPU.
Used = Mapping[int, Mapping[int, int]]
Read = Callable[[Any, int, int, int], Used]


def fill(_apps: Any, schema_editor: Any) -> None:
    """From the samples of processes; where a width has none, from what it was made from."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT host_id, tier FROM metrics_processtotals ORDER BY tier")
        for host, tier in cursor.fetchall():
            cursor.execute(HAS_PROCESSES, [host, tier])
            finer = partial(_of_finer, tier, SOURCES.get(tier, RAW))
            _fill(cursor, host, tier, partial(_of_processes, tier) if cursor.fetchone()[0] else finer)


def _fill(cursor: Any, host: int, tier: int, read: Read) -> None:
    cursor.execute(ENDS, [host, tier])
    first, last = cursor.fetchone()
    width = tier or 1
    for start in range(first, last + 1, MOST_BUCKETS * width):
        used = read(cursor, host, start, start + MOST_BUCKETS * width)
        cursor.executemany(KEEP, [(packed(values), host, tier, at) for at, values in used.items()])


def _of_processes(tier: int, cursor: Any, host: int, start: int, end: int) -> Used:
    cursor.execute(PROCESSES, [host, tier, start, end])
    used: dict[int, dict[int, int]] = defaultdict(dict)
    for timestamp, process, cpu in cursor.fetchall():
        used[timestamp][process] = cpu
    return used


def _of_finer(width: int, source: int, cursor: Any, host: int, start: int, end: int) -> Used:
    cursor.execute(FINER, [host, source, start - start % width, end - end % width + width])
    covered: dict[int, int] = defaultdict(int)
    sums: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for timestamp, seconds, data in cursor.fetchall():
        bucket = timestamp - timestamp % width
        covered[bucket] += seconds
        for process, cpu in unpacked(data):
            sums[bucket][process] += cpu * seconds
    return {bucket: _nonzero_means(found, covered[bucket]) for bucket, found in sums.items()}


def _nonzero_means(sums: Mapping[int, int], covered: int) -> dict[int, int]:
    means = {process: round(total / covered) for process, total in sums.items()}
    return {process: mean for process, mean in means.items() if mean}


class AddColumn(migrations.AddField):
    """Again where it was interrupted: the column may be there."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
        with schema_editor.connection.cursor() as cursor:
            found = schema_editor.connection.introspection.get_table_description(cursor, table)
        if self.name not in {column.name for column in found}:
            super().database_forwards(app_label, schema_editor, from_state, to_state)


def fill_beside_others(apps: Any, schema_editor: Any) -> None:
    """SQLite is the faster for one transaction. PostgreSQL would keep everybody else from the table for all of it; a
    thousand moments at a time, others write meanwhile."""
    if schema_editor.connection.vendor == "postgresql":
        fill(apps, schema_editor)
    else:
        with transaction.atomic(using=schema_editor.connection.alias):
            fill(apps, schema_editor)


class Migration(migrations.Migration):

    atomic = False
    dependencies = [
        ("metrics", "0007_upkeep_lease"),
    ]

    operations = [
        AddColumn(
            model_name="processtotals",
            name="cpu_by_process",
            field=models.BinaryField(null=True),
        ),
        migrations.RunPython(fill_beside_others, migrations.RunPython.noop),
    ]
