"""Processes: an identity row for each, and small samples that point to it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import orjson
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from metrics.models.fields import EpochField, Gauge, Label, Rate, Share
from metrics.models.hosts import Host
from metrics.models.packing import packed
from metrics.models.samples import Sample, one_a_tick

# Hundredths of a second: some 300,000 years from now.
_OUT_OF_THE_WAY = 10**15


class Process(models.Model):
    """One process from its start to its end: a pid that is used again is another process.

    What tells it from others is its boot and when after that it was started. `started_at` is that moment by the wall
    clock as it was set last (recording/boots.py).
    """

    host = models.ForeignKey(Host, models.CASCADE, db_index=False, related_name="+", verbose_name=_("host"))
    # The host's `boot` then.
    boot = models.PositiveIntegerField(_("boot"), default=0)
    pid = models.PositiveIntegerField(_("pid"))
    started_at = EpochField(_("started"), per_second=100)
    name = models.TextField(_("name"))
    username = models.TextField(_("user"), null=True)  # noqa: DJ001 (null says: the system would not tell)
    command = models.TextField(_("command line"), null=True)  # noqa: DJ001 (an empty one is a kernel thread)

    class Meta:
        verbose_name = _("process")
        verbose_name_plural = _("processes")
        permissions = [("view_command", "Can see the command lines of processes")]
        constraints = [
            models.UniqueConstraint(fields=["host", "pid", "started_at", "boot"], name="one_process_a_start")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pid})"

    @classmethod
    def move_starts(cls, host: int, boot: int, between: tuple[float, float], hundredths: int) -> None:
        """Move the starts of a boot's processes by hundredths of a second, since the clock was set.

        `between` (seconds since the epoch) are the boot and the end of it so far: older files do not tell boots apart.
        Two steps, the first out of the way: a start may not become that of another for a moment.
        """
        first, last = round(between[0] * 100), round(between[1] * 100)
        statement = (
            f"UPDATE {cls._meta.db_table} SET started_at = started_at + %s"  # noqa: S608
            " WHERE host_id = %s AND boot = %s AND pid > 0 AND started_at BETWEEN %s AND %s"
        )
        with connection.cursor() as cursor:
            tolerance = 100
            cursor.execute(statement, [_OUT_OF_THE_WAY, host, boot, first - tolerance, last + tolerance])
            there = (first - tolerance + _OUT_OF_THE_WAY, last + tolerance + _OUT_OF_THE_WAY)
            cursor.execute(statement, [hundredths - _OUT_OF_THE_WAY, host, boot, *there])


class ProcessTotals(Sample):
    """How many processes there were, and what they used together. Fields without a source are `summed`: recording adds
    up what it computes for each process, of which only the top ones are kept."""

    family, kind = "processes", "processes"
    headline = "total"
    summed: ClassVar[tuple[str, ...]] = (
        "cpu_percent",
        "children_cpu_percent",
        "rss_bytes",
        "read_bytes_per_second",
        "write_bytes_per_second",
    )

    total = Gauge(_("processes"), source="total", help_text=_("Processes that existed"))
    running = Gauge(_("running"), source="running", help_text=_("Processes that were running at that moment"))
    threads = Gauge(_("threads"), source="threads", help_text=_("Threads of all processes"))
    cpu_percent = Share(_("CPU"), limit=None, help_text=_("CPU time used by all processes; over 100 on several cores"))
    children_cpu_percent = Share(
        _("CPU of children"), limit=None, help_text=_("CPU time of the ended children of all processes")
    )
    rss_bytes = Gauge(
        _("resident memory"),
        unit="bytes",
        step=1024,
        help_text=_("Resident memory of all processes; what they share counts twice"),
    )
    read_bytes_per_second = Rate(
        _("read"), unit="bytes_per_second", help_text=_("Bytes read from disks by all processes")
    )
    write_bytes_per_second = Rate(
        _("written"), unit="bytes_per_second", help_text=_("Bytes written to disks by all processes")
    )
    # The CPU, children's included, of each process that has a sample of the same moment and used any: see packing.py.
    cpu_by_process = models.BinaryField(null=True)
    # Of a roll-up: its worst tick by each order of processes, as worst_ticks.py has it.
    worst_cpu = models.BinaryField(null=True)
    worst_memory = models.BinaryField(null=True)
    worst_io = models.BinaryField(null=True)

    class Meta:
        verbose_name = _("process totals")
        verbose_name_plural = _("process totals")
        constraints = [one_a_tick("process_totals")]

    @staticmethod
    def cpu_used(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> dict[int, int]:
        """Ids of processes -> the CPU that they and their ended children used, from rows of samples as stored."""
        process, *cpu = (names.index(name) for name in ("process", *ProcessSample.orders["cpu"]))
        by_process = ((row[process], sum([row[place] or 0 for place in cpu])) for row in rows)
        return {pk: used for pk, used in by_process if used}

    @classmethod
    def keep_cpu_by_process(cls, host: int, tier: int, by_time: Iterable[tuple[int, Mapping[int, int]]]) -> None:
        """Say in rows that are there, by their time, who used the CPU: ids of processes -> what `cpu_used` says."""
        statement = (
            f"UPDATE {cls._meta.db_table} SET cpu_by_process = %s"  # noqa: S608
            " WHERE host_id = %s AND tier = %s AND timestamp = %s"
        )
        with connection.cursor() as cursor:
            cursor.executemany(statement, [(packed(values), host, tier, at) for at, values in by_time])


class ProcessSample(Sample):
    """What one of the top processes used.

    Only the top ones have samples: of each order of `orders` the `kept` highest that used anything. Of the newest tick
    there are the `newest_kept` highest of each order in NewestProcesses.
    """

    family, kind, collection = "processes", "process", "results"
    key = ("process",)
    reading_key = ("pid", "start_seconds")
    facts = ("name", "username", "command")
    born = "start_seconds"
    headline = "cpu_percent"
    orders: ClassVar[dict[str, tuple[str, ...]]] = {
        "cpu": ("cpu_percent", "children_cpu_percent"),
        "memory": ("rss_bytes",),
        "io": ("read_bytes_per_second", "write_bytes_per_second"),
    }
    newest_kept: ClassVar[int] = 100
    kept: ClassVar[int] = 10

    process = models.ForeignKey(
        Process, models.CASCADE, db_index=False, related_name="samples", verbose_name=_("process")
    )
    status = Label(_("state"), source="status", help_text=_("What the process was doing"))
    cpu_percent = Share(
        _("CPU"), source="cpu_seconds", limit=None, help_text=_("CPU time used; over 100 on several cores")
    )
    # From a counter that recording makes (recording/children.py).
    children_cpu_percent = Share(
        _("CPU of children"),
        source="ended_children_cpu_seconds",
        limit=None,
        help_text=_("CPU time of its children that ended since the tick before and have no row of their own"),
    )
    memory_percent = Gauge(
        _("memory share"),
        source="memory_percent",
        unit="percent",
        scale=100,
        help_text=_("Resident memory, of all memory"),
    )
    rss_bytes = Gauge(_("resident memory"), source="rss_bytes", unit="bytes", step=1024, help_text=_("Resident memory"))
    read_bytes_per_second = Rate(
        _("read"), source="read_bytes", unit="bytes_per_second", help_text=_("Bytes read from disks")
    )
    write_bytes_per_second = Rate(
        _("written"), source="write_bytes", unit="bytes_per_second", help_text=_("Bytes written to disks")
    )
    threads = Gauge(_("threads"), source="threads", help_text=_("Threads of the process"))

    class Meta:
        verbose_name = _("process sample")
        verbose_name_plural = _("process samples")
        constraints = [one_a_tick("process_sample", "process")]
        indexes = [models.Index(fields=["process", "timestamp"], name="process_sample_line")]


class NewestProcesses(models.Model):
    """The highest processes of a host's newest tick, those without a sample too: one row, because a hundred that last
    until the next tick would cost as much as all else of a tick together.

    `rows` is a JSON text: an object with the `names` of the values and the `rows`, each the id of a process and its
    values as the columns of ProcessSample store them.
    """

    host = models.OneToOneField(Host, models.CASCADE, related_name="+", verbose_name=_("host"))
    timestamp = EpochField(_("time"))
    rows = models.TextField(_("rows"))

    class Meta:
        verbose_name = _("processes of the newest tick")
        verbose_name_plural = _("processes of the newest ticks")

    def __str__(self) -> str:
        return str(self.host)

    @staticmethod
    def encoded(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
        """The text for `rows`: values as they are stored, in the order of their names."""
        return orjson.dumps({"names": names, "rows": rows}).decode()

    @staticmethod
    def decoded(text: str) -> list[dict[str, Any]]:
        """The rows of a text, by name and as they are stored."""
        found = orjson.loads(text)
        return [dict(zip(found["names"], row, strict=True)) for row in found["rows"]]
