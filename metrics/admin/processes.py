"""Processes: one page for each identity, with its samples."""

# ruff: noqa: ARG002 (Django says which arguments its hooks get)

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from metrics.admin import columns
from metrics.admin.columns import Column
from metrics.admin.filters import ListFilter
from metrics.admin.read_only import VIEW_COMMAND, Link, ReadOnlyAdmin, Sections
from metrics.admin.sections import MACHINES
from metrics.formatting import units
from metrics.models import Host, Process, ProcessSample
from metrics.models.present import not_ahead

COMMAND_CHARACTERS = 4000


class ProcessHostFilter(ListFilter):
    """By host; all of them where none is chosen, for identities are listed by their own key."""

    title = _("host")
    parameter_name = "host"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The hosts there are."""
        return [(name, units.visible(name)) for name in Host.objects.values_list("name", flat=True)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """The host's processes."""
        host = self.value()
        if host is None:
            return queryset
        if host not in dict(self.lookup_choices):
            self.refuse()
        return queryset.filter(host__name=host)


def _command(row: Process) -> str:
    return units.visible(row.command, COMMAND_CHARACTERS) if row.command else units.EMPTY


def _hidden_command(_row: Process) -> str:
    return gettext("shown to users who hold the permission “Can see the command lines of processes”")


def _edge(row: Process, order: str) -> str:
    sample = not_ahead(ProcessSample.objects.filter(process=row)).order_by(order).first()
    return columns.object_link(sample, units.local_time(sample.timestamp, offset=True)) if sample else units.EMPTY


COMMAND = Column("command", _("command line"), _command)
HIDDEN_COMMAND = Column("command", _("command line"), _hidden_command)
IDENTITY = (
    columns.text_line("name", _("name")),
    columns.number_column("pid", _("PID"), str),
    columns.related_column("host", _("host")),
    columns.text_line("username", _("user")),
    columns.time_column("started_at", _("started"), offset=True),
)
SEEN = (
    Column("first_sample", _("first sample"), lambda row: _edge(row, "timestamp")),
    Column("last_sample", _("last sample"), lambda row: _edge(row, "-timestamp")),
)


def _samples_link(row: Process) -> str:
    return columns.link(columns.list_url(ProcessSample, process=row.pk), _("samples"))


@admin.register(Process)
class ProcessAdmin(ReadOnlyAdmin):
    """Identities, the newest first. The command line is found and shown by permission only."""

    section = MACHINES
    newest_by = "pk"
    ordering = ("-pk",)
    list_select_related = ("host",)
    list_filter = (ProcessHostFilter,)
    list_columns = (
        columns.text_column("name", _("name")),
        columns.number_column("pid", _("PID"), str),
        columns.text_column("username", _("user")),
        columns.time_column("started_at", _("started")),
        Column("host", _("host"), lambda row: columns.short(row.host.name)),
        Column("samples", _("see also"), _samples_link),
    )
    search_fields = ("name", "username", "=pid")
    search_help_text = _("Part of a process name or of a user, or a PID; with its permission also of a command line.")

    def get_search_fields(self, request: HttpRequest) -> Any:
        """What cannot be seen cannot be found either."""
        return (*self.search_fields, "command") if request.user.has_perm(VIEW_COMMAND) else self.search_fields

    def get_sections(self, request: HttpRequest) -> Sections:
        """Who it is, and when it was seen."""
        command = COMMAND if request.user.has_perm(VIEW_COMMAND) else HIDDEN_COMMAND
        return ((None, (*IDENTITY, command)), (_("Seen"), SEEN))

    def see_also(self, row: Any) -> list[Link]:
        """Its samples."""
        return [(gettext("Samples"), columns.list_url(ProcessSample, process=row.pk))]
