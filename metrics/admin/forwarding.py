"""How far each destination has come, and the readings that are kept for those that take counters."""

import zlib
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models.functions import Length
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from metrics.admin import columns
from metrics.admin.columns import Column
from metrics.admin.filters import HostFilter, PeriodFilter
from metrics.admin.read_only import ReadOnlyAdmin
from metrics.admin.recorders import HOST, READING_CHARACTERS, TIME, TIME_LINE, indented
from metrics.formatting import units
from metrics.models import ForwardCursor, TickReading


def _state(row: ForwardCursor) -> str:
    return "▲ " + gettext("failed") if row.failures_in_a_row else "● " + gettext("ok")


@admin.register(ForwardCursor)
class ForwardCursorAdmin(ReadOnlyAdmin):
    """Where each destination stands."""

    ordering = ("destination",)
    newest_by = "pk"
    list_filter = (HostFilter,)
    destination = columns.text_column("destination", _("destination"), units.MAX_CHARACTERS)
    state = Column("state", _("state"), _state)
    numbers: ClassVar[tuple[Column, ...]] = (
        columns.number_column("points", _("points sent"), units.number),
        columns.number_column("errors", _("errors"), units.number),
        columns.number_column("refused_ticks", _("ticks refused"), units.number),
    )
    list_columns = (
        destination,
        state,
        columns.time_column("newest", _("newest time")),
        columns.text_column("message", _("message"), units.MAX_CHARACTERS),
        *numbers,
    )
    lines = (
        columns.text_line("destination", _("destination")),
        HOST,
        state,
        columns.text_line("message", _("message")),
        columns.number_column("last_tick", _("last tick"), str),
        columns.time_column("newest", _("newest time"), offset=True),
        columns.time_column("succeeded_at", _("last success"), offset=True),
        columns.time_column("retry_at", _("next attempt"), offset=True),
        columns.number_column("failures_in_a_row", _("failures in a row"), units.number),
        *numbers,
    )
    sections = ((None, lines),)


def _rows(row: TickReading) -> str:
    try:
        text = zlib.decompress(row.rows).decode()
    except zlib.error:  # not what was written: its length is all that can be said
        return units.size(len(row.rows))
    return format_html("<pre>{}</pre>", units.visible_lines(indented(text), READING_CHARACTERS))


@admin.register(TickReading)
class TickReadingAdmin(ReadOnlyAdmin):
    """The counters of each tick, kept for the destinations that take them."""

    ordering = ("-timestamp",)
    list_filter = (HostFilter, PeriodFilter)
    list_select_related = ("host",)
    list_columns = (TIME, columns.number_column("length", _("length"), units.size))
    sections = ((None, (TIME_LINE, HOST, Column("rows", _("rows"), _rows))),)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without the rows, which only the detail page shows and then loads."""
        return super().get_queryset(request).defer("rows").annotate(length=Length("rows"))

    def caption(self, row: Any) -> str:
        """The tick's time."""
        return units.local_time(row.timestamp, offset=True)
