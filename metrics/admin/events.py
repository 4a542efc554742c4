"""What happened, the newest first."""

# ruff: noqa: ARG002 (Django says which arguments its hooks get)

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from metrics.admin import columns
from metrics.admin.columns import Column
from metrics.admin.filters import HostFilter, ListFilter
from metrics.admin.read_only import VIEW_COMMAND, ReadOnlyAdmin, Sections
from metrics.admin.recorders import HOST, indented
from metrics.admin.sections import MACHINES
from metrics.formatting import units
from metrics.models.events import KINDS, Event, JsonText

SHOWN_CHARACTERS = 10_000


class KindFilter(ListFilter):
    """By kind; all of them where none is chosen."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Every kind there is."""
        return [(name, kind.label) for name, kind in KINDS.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """The events of the kind."""
        kind = self.value()
        if kind is None:
            return queryset
        if kind not in KINDS:
            self.refuse()
        return queryset.filter(kind=kind)


def _kind(row: Event) -> str:
    return str(KINDS[row.kind].label) if row.kind in KINDS else units.visible(row.kind)


def _as_lines(value: Any) -> str:
    text = indented(JsonText().get_prep_value(value) or "")
    return format_html("<pre>{}</pre>", units.visible_lines(text, SHOWN_CHARACTERS))


def _culprits(row: Event) -> str:
    return _as_lines(row.culprits)


def _culprits_without_commands(row: Event) -> str:
    return _as_lines(
        [{name: value for name, value in culprit.items() if name != "command"} for culprit in row.culprits]
    )


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Events. The command lines of culprits are shown by permission only."""

    section = MACHINES
    ordering = ("-started_at", "-pk")
    newest_by = "started_at"
    list_filter = (HostFilter, KindFilter)
    search_fields = ("title",)
    list_columns = (
        columns.time_column("started_at", _("from")),
        Column("kind", _("kind"), _kind),
        columns.text_column("title", _("title"), units.MAX_CHARACTERS),
        Column("severity", _("severity"), lambda row: str(row.get_severity_display())),
        columns.time_column("ended_at", _("until")),
    )
    lines = (
        Column("kind", _("kind"), _kind),
        columns.text_line("title", _("title")),
        HOST,
        Column("severity", _("severity"), lambda row: str(row.get_severity_display())),
        columns.time_column("started_at", _("from"), offset=True),
        columns.time_column("ended_at", _("until"), offset=True),
        Column("details", _("details"), lambda row: _as_lines(row.details)),
    )

    def get_sections(self, request: HttpRequest) -> Sections:
        """What happened, and who did it."""
        read = _culprits if request.user.has_perm(VIEW_COMMAND) else _culprits_without_commands
        return ((None, (*self.lines, Column("culprits", _("culprits"), read))),)
