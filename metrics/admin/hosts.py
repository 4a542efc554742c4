"""The machines that were recorded."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, OuterRef, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from metrics.admin import columns
from metrics.admin.columns import Column
from metrics.admin.read_only import ReadOnlyAdmin
from metrics.admin.sections import MACHINES
from metrics.formatting import units
from metrics.models import Host, Process, Tick
from metrics.models.present import not_ahead
from metrics.models.samples import sample_models


def _uptime(row: Any) -> str:
    """How long it ran at its newest tick; a machine that is off does not go on running."""
    if row.booted_at is None or row.newest_tick is None:
        return units.EMPTY
    return units.duration(max(0.0, (row.newest_tick - row.booted_at).total_seconds()))


def _tables() -> list[type[Model]]:
    return [*sample_models(), Tick, Process]


UPTIME = Column("uptime", _("uptime"), _uptime, help=_("At the newest tick"), is_number=True)
CORES = columns.number_column("logical_cores", _("cores"), units.number)
MEMORY = columns.number_column("memory_bytes", _("memory"), units.size)


@admin.register(Host)
class HostAdmin(ReadOnlyAdmin):
    """Hosts by name."""

    section = MACHINES
    ordering = ("name",)
    newest_by = "pk"
    list_columns = (
        columns.text_column("name", _("name")),
        columns.text_column("os_name", _("operating system")),
        columns.text_column("cpu_model", _("processor")),
        CORES,
        MEMORY,
        UPTIME,
        columns.time_column("newest_tick", _("newest tick")),
    )
    machine = (
        columns.text_line("name", _("name")),
        columns.text_line("os_name", _("operating system")),
        columns.text_line("kernel", _("kernel")),
        columns.text_line("architecture", _("architecture")),
        columns.text_line("cpu_model", _("processor")),
        CORES,
        columns.number_column("physical_cores", _("physical cores"), units.number),
        MEMORY,
    )
    history = (
        UPTIME,
        columns.time_column("booted_at", _("booted at"), offset=True),
        columns.text_line("boot_id", _("boot id")),
        columns.text_line("machine_id", _("machine id")),
        columns.time_column("contested_at", _("two recorders at"), offset=True),
        columns.time_column("first_seen_at", _("first seen"), offset=True),
        columns.time_column("newest_tick", _("newest tick"), offset=True),
        columns.time_column("clock_jumped_at", _("clock jumped at"), offset=True),
        columns.number_column("clock_jump_seconds", _("clock jump"), units.duration),
        columns.tables_line(_("recorded"), _tables, lambda row: {"host": row.name}),
    )
    sections = ((None, machine), (_("History"), history))

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the newest tick, which the index of the ticks gives."""
        newest = not_ahead(Tick.objects.filter(host=OuterRef("pk"))).order_by("-timestamp").values("timestamp")[:1]
        return super().get_queryset(request).annotate(newest_tick=Subquery(newest))
