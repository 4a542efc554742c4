"""A table for each family, or for each kind of thing within a family: one row a tick and thing.

A field says what it measures (metrics/models/fields.py); recording, the API, its schema, CSV headers, admin columns
and charts are derived from that. A new family is a collector and a class in a module of this package.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from metrics.models.fields import (
    EpochField,
    Extreme,
    ExtremeList,
    Flag,
    Gauge,
    Kind,
    Label,
    Measure,
    Rate,
    Share,
    ShareList,
    Total,
)
from metrics.models.hosts import Host

EXTREMES = (Extreme, ExtremeList)


class Sample(models.Model):
    """What every sample has. All tiers of a family share its table.

    `family` and `kind` say which rows of which reading the samples come from. `collection` is the name of the list in
    a point of the API that these samples fill; without it they are the point itself. `key` names the labels that tell
    two samples of one tick apart, `reading_key` the values that do so in a reading. `headline` is the field that stands
    for the family in one line. `facts` are values of a reading that never change; they are not kept with the newest
    reading. `born` names the value that says when a thing began, in seconds since the boot: if that was after the
    reading before, its counters began at zero; without it their past is unknown, as a plugged-in disk's is. `culprits`
    is the order by which the processes behind a high value are ranked. A list without bounds says by which fields its
    `busiest` rows are found, which fields are `summed` over the others, which label they are `named_by`, and what
    several of them are called in the `plural`: see models/others.py.
    """

    family: ClassVar[str] = ""
    kind: ClassVar[str] = ""
    collection: ClassVar[str] = ""
    key: ClassVar[tuple[str, ...]] = ()
    reading_key: ClassVar[tuple[str, ...]] = ()
    facts: ClassVar[tuple[str, ...]] = ()
    born: ClassVar[str] = ""
    headline: ClassVar[str] = ""
    culprits: ClassVar[str] = "cpu"
    busiest: ClassVar[tuple[str, ...]] = ()
    summed: ClassVar[tuple[str, ...]] = ()
    named_by: ClassVar[str] = ""
    plural: ClassVar[str] = ""

    host = models.ForeignKey(Host, models.CASCADE, db_index=False, related_name="+", verbose_name=_("host"))
    tier = models.PositiveIntegerField(_("tier"), default=0)
    timestamp = EpochField(_("time"))
    resolution = models.PositiveIntegerField(_("resolution"))
    # Of a roll-up: how many raw points it was made from, and how many seconds they stood for. A raw sample is one point
    # of `resolution` seconds.
    points = models.PositiveIntegerField(_("points"), default=1)
    covered_seconds = models.PositiveIntegerField(_("covered seconds"), null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.timestamp:%Y-%m-%d %H:%M:%S} UTC"

    @classmethod
    def measures(cls) -> list[Measure]:
        """The fields that measure something, in the order in which they are declared."""
        fields = cls._meta.concrete_fields
        return [field for field in fields if isinstance(field, Measure) and not isinstance(field, EXTREMES)]

    @classmethod
    def extremes(cls) -> list[Measure]:
        """The columns that only a roll-up fills: the highest and lowest values of the measures."""
        return [field for field in cls._meta.concrete_fields if isinstance(field, EXTREMES)]


def sample_models(family: str | None = None) -> Iterator[type[Sample]]:
    """Every table of samples, or those of one family, in the order in which they are declared."""
    return (model for model in Sample.__subclasses__() if family in (None, model.family))


def one_a_tick(name: str, *key: str) -> models.UniqueConstraint:
    """At most one sample a host, tier, tick and thing; its index is also the one that all queries use."""
    return models.UniqueConstraint(fields=["host", "tier", "timestamp", *key], name=f"one_{name}_a_tick")


class CpuSample(Sample):
    """The processors of the machine."""

    family = kind = "cpu"
    headline = "percent"

    percent = Share(
        _("CPU usage"),
        source="busy_seconds",
        over="total_seconds",
        help_text=_("CPU time in use, of all cores together"),
    )
    per_core = ShareList(
        _("per core"),
        source="core_busy_seconds",
        over="core_total_seconds",
        help_text=_("CPU time in use, core by core"),
    )
    user_percent = Share(
        _("user"), source="user_seconds", over="total_seconds", help_text=_("CPU time spent in programs")
    )
    system_percent = Share(
        _("system"),
        source="system_seconds",
        over="total_seconds",
        help_text=_("CPU time spent in the kernel, interrupts included"),
    )
    idle_percent = Share(
        _("idle"),
        source="idle_seconds",
        over="total_seconds",
        has_minimum=True,
        help_text=_("CPU time with nothing to do"),
    )
    iowait_percent = Share(
        _("I/O wait"),
        source="iowait_seconds",
        over="total_seconds",
        help_text=_("CPU time idle while a disk had work to finish"),
    )
    steal_percent = Share(
        _("steal"),
        source="steal_seconds",
        over="total_seconds",
        help_text=_("CPU time that the hypervisor gave to other machines"),
    )
    load_1 = Gauge(
        _("load, 1 min"),
        source="load_1",
        scale=100,
        has_minimum=True,
        help_text=_("Processes that ran or waited, mean of one minute"),
    )
    load_5 = Gauge(
        _("load, 5 min"), source="load_5", scale=100, help_text=_("Processes that ran or waited, mean of five minutes")
    )
    load_15 = Gauge(
        _("load, 15 min"), source="load_15", scale=100, help_text=_("Processes that ran or waited, mean of 15 minutes")
    )
    frequency_mhz = Gauge(
        _("CPU clock"), source="frequency_mhz", unit="mhz", scale=10, help_text=_("Clock of the cores, their mean")
    )
    context_switches_per_second = Rate(
        _("context switches"),
        source="context_switches",
        unit="per_second",
        help_text=_("Switches from one thread to another"),
    )
    interrupts_per_second = Rate(
        _("interrupts"), source="interrupts", unit="per_second", help_text=_("Interrupts that were served")
    )
    pressure_some_percent = Share(
        _("CPU pressure, some"),
        source="pressure_some_seconds",
        has_minimum=True,
        help_text=_("Time in which at least one task waited for a CPU"),
    )

    class Meta:
        verbose_name = _("CPU sample")
        verbose_name_plural = _("CPU samples")
        constraints = [one_a_tick("cpu_sample")]


class MemorySample(Sample):
    """Memory and swap."""

    family = kind = "memory"
    headline = "percent"
    culprits = "memory"

    total_bytes = Total(_("total memory"), source="total_bytes", unit="bytes", help_text=_("Memory of the machine"))
    available_bytes = Gauge(
        _("available memory"),
        source="available_bytes",
        unit="bytes",
        at_most="total_bytes",
        has_minimum=True,
        help_text=_("Memory that programs can get without swapping"),
    )
    used_bytes = Gauge(
        _("used memory"),
        source="used_bytes",
        unit="bytes",
        at_most="total_bytes",
        has_minimum=True,
        help_text=_("Memory in use by programs and the kernel"),
    )
    free_bytes = Gauge(
        _("free memory"),
        source="free_bytes",
        unit="bytes",
        at_most="total_bytes",
        has_minimum=True,
        help_text=_("Memory that holds nothing"),
    )
    percent = Gauge(
        _("memory usage"),
        source="percent",
        unit="percent",
        at_most=100,
        scale=100,
        help_text=_("Memory that is not available, of all memory"),
    )
    buffers_bytes = Gauge(
        _("buffers"),
        source="buffers_bytes",
        unit="bytes",
        at_most="total_bytes",
        help_text=_("Memory that caches file system metadata"),
    )
    cached_bytes = Gauge(
        _("cache"),
        source="cached_bytes",
        unit="bytes",
        at_most="total_bytes",
        help_text=_("Memory that caches files"),
    )
    zfs_arc_bytes = Gauge(
        _("ZFS cache"),
        source="zfs_arc_bytes",
        unit="bytes",
        at_most="total_bytes",
        help_text=_("Memory that caches files for ZFS (ARC)"),
    )
    swap_total_bytes = Total(
        _("total swap"), source="swap_total_bytes", unit="bytes", help_text=_("Swap space of the machine")
    )
    swap_used_bytes = Gauge(
        _("used swap"),
        source="swap_used_bytes",
        unit="bytes",
        at_most="swap_total_bytes",
        help_text=_("Swap space in use"),
    )
    swap_percent = Gauge(
        _("swap usage"),
        source="swap_percent",
        unit="percent",
        at_most=100,
        scale=100,
        help_text=_("Swap in use, of all swap"),
    )
    swap_in_bytes_per_second = Rate(
        _("swap in"), source="swap_in_bytes", unit="bytes_per_second", help_text=_("Memory read back from swap")
    )
    swap_out_bytes_per_second = Rate(
        _("swap out"), source="swap_out_bytes", unit="bytes_per_second", help_text=_("Memory written to swap")
    )
    pressure_some_percent = Share(
        _("memory pressure, some"),
        source="pressure_some_seconds",
        has_minimum=True,
        help_text=_("Time in which at least one task waited for memory"),
    )
    pressure_full_percent = Share(
        _("memory pressure, full"),
        source="pressure_full_seconds",
        help_text=_("Time in which every task that could run waited for memory"),
    )

    class Meta:
        verbose_name = _("memory sample")
        verbose_name_plural = _("memory samples")
        constraints = [one_a_tick("memory_sample")]


class DiskSample(Sample):
    """What is true of all disks together."""

    family = kind = "disk"
    headline = "pressure_some_percent"
    culprits = "io"

    pressure_some_percent = Share(
        _("disk pressure, some"),
        source="pressure_some_seconds",
        has_minimum=True,
        help_text=_("Time in which at least one task waited for a disk"),
    )
    pressure_full_percent = Share(
        _("disk pressure, full"),
        source="pressure_full_seconds",
        help_text=_("Time in which every task that could run waited for a disk"),
    )

    class Meta:
        verbose_name = _("disk sample")
        verbose_name_plural = _("disk samples")
        constraints = [one_a_tick("disk_sample")]


PERCENT: dict[str, Any] = {"unit": "percent", "scale": 100, "at_most": 100}
# No disk does more in a second: a link of PCI Express 7.0 with 16 lanes carries a quarter of it.
DISK_BYTES: dict[str, Any] = {"unit": "bytes_per_second", "at_most": 1e12}
DISK_OPERATIONS: dict[str, Any] = {"unit": "per_second", "at_most": 1e9}


class PartitionSample(Sample):
    """The space on a mounted file system."""

    family, kind, collection = "disk", "partition", "partitions"
    key = reading_key = ("device", "mountpoint")
    headline = "percent"
    culprits = "io"
    # Sizes and free space are not summed: volumes of one pool (ZFS) share theirs.
    busiest, summed, named_by, plural = ("percent",), ("used_bytes",), "mountpoint", "mounts"

    device = Label(_("device"), source="device", help_text=_("What is mounted"))
    mountpoint = Label(_("mount point"), source="mountpoint", help_text=_("Where it is mounted, by the shortest path"))
    fstype = Label(_("file system"), source="fstype", help_text=_("Type of the file system"))
    total_bytes = Total(_("size"), source="total_bytes", unit="bytes", help_text=_("Size of the file system"))
    used_bytes = Gauge(
        _("space used"), source="used_bytes", unit="bytes", at_most="total_bytes", help_text=_("Space in use")
    )
    free_bytes = Gauge(
        _("space free"),
        source="free_bytes",
        unit="bytes",
        at_most="total_bytes",
        has_minimum=True,
        help_text=_("Space that any user may still fill"),
    )
    percent = Gauge(_("space usage"), source="percent", help_text=_("Space in use, of what users may fill"), **PERCENT)
    inodes_percent = Gauge(_("inode usage"), source="inodes_percent", help_text=_("Inodes in use, of all"), **PERCENT)

    class Meta:
        verbose_name = _("partition sample")
        verbose_name_plural = _("partition samples")
        constraints = [one_a_tick("partition_sample", "device", "mountpoint")]


class DeviceSample(Sample):
    """The traffic of a whole disk."""

    # The kernel's numbers change with each boot (dm-0), names do not: a device under another name is another line.
    family, kind, collection = "disk", "device", "devices"
    key = reading_key = ("device", "name")
    headline = "busy_percent"
    culprits = "io"
    busiest = ("read_bytes_per_second", "write_bytes_per_second")
    summed = (*busiest, "reads_per_second", "writes_per_second")
    named_by, plural = "device", "disks"

    device = Label(_("device"), source="device", help_text=_("The disk's name in the kernel"))
    name = Label(
        _("name"),
        source="name",
        default="",
        help_text=_("The name that people know: of the volume, the array, the file behind a loop device"),
    )
    read_bytes_per_second = Rate(
        _("read"), source="read_bytes", has_minimum=True, help_text=_("Bytes read"), **DISK_BYTES
    )
    write_bytes_per_second = Rate(
        _("written"), source="write_bytes", has_minimum=True, help_text=_("Bytes written"), **DISK_BYTES
    )
    reads_per_second = Rate(_("disk reads"), source="reads", help_text=_("Reads that were finished"), **DISK_OPERATIONS)
    writes_per_second = Rate(
        _("disk writes"), source="writes", help_text=_("Writes that were finished"), **DISK_OPERATIONS
    )
    busy_percent = Share(
        _("disk utilization"), source="busy_seconds", help_text=_("Time in which the disk had something to do")
    )
    lower = Label(
        _("stands on"),
        source="lower",
        null=True,
        help_text=_("The disks that its bytes are read from and written to, comma-separated; empty for none"),
    )
    is_counted = Flag(
        _("counted"),
        source="is_counted",
        help_text=_("Whether a total counts it: those that are counted carry each byte once between them"),
    )

    class Meta:
        verbose_name = _("disk device sample")
        verbose_name_plural = _("disk device samples")
        constraints = [one_a_tick("device_sample", "device", "name")]


__all__ = ["Kind", "Sample", "one_a_tick", "sample_models"]
