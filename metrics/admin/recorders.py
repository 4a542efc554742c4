"""The recorder's own work: ticks, newest readings, outcomes of the collectors, and who records."""

from typing import Any, ClassVar

import orjson
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
from metrics.formatting import units
from metrics.models import (
    CollectorState,
    CommandMasking,
    NewestProcesses,
    NewestReading,
    Recorder,
    RollUpState,
    Tick,
    UpkeepLease,
)
from metrics.models.samples import sample_models

READING_CHARACTERS = 20_000
# A shape beside the word, so that a failure stands out in a long list without any colour.
SHAPES = {CollectorState.Outcome.OK: "●", CollectorState.Outcome.NO_DATA: "○", CollectorState.Outcome.FAILED: "▲"}

HOST = columns.related_column("host", _("host"))
FAMILY = columns.text_column("family", _("family"))
TIME = columns.time_column("timestamp", _("time"))
TIME_LINE = columns.time_column("timestamp", _("time"), offset=True)
TOOK = columns.number_column("duration_milliseconds", _("took"), units.milliseconds)


def _tick_query(row: Tick) -> dict[str, Any]:
    return {"host": row.host.name, "tick": int(row.timestamp.timestamp())}


SAMPLED = columns.tables_line(_("sampled then"), sample_models, _tick_query)


@admin.register(Tick)
class TickAdmin(ReadOnlyAdmin):
    """The ticks of a host, the newest first; a tick leads to everything that was sampled then."""

    ordering = ("-timestamp",)
    list_filter = (HostFilter, PeriodFilter)
    list_select_related = ("host",)
    numbers: ClassVar[tuple[Column, ...]] = (
        columns.number_column("resolution", _("interval"), units.duration),
        columns.number_column("lag_milliseconds", _("started late by"), units.milliseconds),
        TOOK,
    )
    list_columns = (TIME, *numbers)
    sections = ((None, (TIME_LINE, HOST, *numbers, SAMPLED)),)

    def caption(self, row: Any) -> str:
        """The tick's time."""
        return units.local_time(row.timestamp, offset=True)


def indented(text: str) -> str:
    """JSON for people; what is none is shown as it is."""
    try:
        return orjson.dumps(orjson.loads(text), option=orjson.OPT_INDENT_2).decode()
    except ValueError:
        return text


def _rows(row: NewestReading | NewestProcesses) -> str:
    return format_html("<pre>{}</pre>", units.visible_lines(indented(row.rows), READING_CHARACTERS))


@admin.register(NewestReading)
class NewestReadingAdmin(ReadOnlyAdmin):
    """The newest raw reading of each family, from which the next rates are computed."""

    ordering = ("family",)
    list_filter = (HostFilter,)
    uptime = columns.number_column("uptime_seconds", _("time since boot"), units.duration)
    list_columns = (FAMILY, TIME, uptime, columns.number_column("characters", _("length"), units.size))
    lines = (
        FAMILY,
        HOST,
        TIME_LINE,
        uptime,
        columns.text_line("boot_id", _("boot id")),
        Column("rows", _("rows"), _rows),
    )
    sections = ((None, lines),)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without the rows, which only the detail page shows and then loads."""
        return super().get_queryset(request).defer("rows").annotate(characters=Length("rows"))


@admin.register(NewestProcesses)
class NewestProcessesAdmin(ReadOnlyAdmin):
    """The highest processes of each host's newest tick, as they are stored."""

    ordering = ("host__name",)
    newest_by = "pk"
    list_select_related = ("host",)
    list_columns = (Column("host", _("host"), lambda row: columns.short(row.host.name)), TIME)
    sections = ((None, (HOST, TIME_LINE, Column("rows", _("rows"), _rows))),)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without the rows, which only the detail page shows and then loads."""
        return super().get_queryset(request).defer("rows")


def _outcome(row: CollectorState) -> str:
    shape = SHAPES.get(CollectorState.Outcome(row.outcome)) if row.outcome in CollectorState.Outcome else None
    return f"{shape or '?'} {units.visible(row.get_outcome_display())}"


@admin.register(CollectorState)
class CollectorStateAdmin(ReadOnlyAdmin):
    """How each collector fared."""

    ordering = ("family",)
    list_filter = (HostFilter,)
    outcome = Column("outcome", _("outcome"), _outcome)
    numbers: ClassVar[tuple[Column, ...]] = (
        TOOK,
        columns.number_column("runs", _("runs"), units.number),
        columns.number_column("failures", _("failures"), units.number),
    )
    list_columns = (
        FAMILY,
        outcome,
        columns.text_column("message", _("message"), units.MAX_CHARACTERS),
        columns.time_column("timestamp", _("last tick")),
        columns.time_column("succeeded_at", _("last success")),
        *numbers,
    )
    lines = (
        FAMILY,
        HOST,
        outcome,
        columns.text_line("message", _("message")),
        columns.text_line("left_out", _("not kept by name")),
        columns.time_column("timestamp", _("last tick"), offset=True),
        columns.time_column("succeeded_at", _("last success"), offset=True),
        *numbers,
    )
    sections = ((None, lines),)


def _state(row: Recorder) -> str:
    return "○ " + gettext("released") if row.released_at else "● " + gettext("records")


@admin.register(Recorder)
class RecorderAdmin(ReadOnlyAdmin):
    """Who records each host."""

    ordering = ("host__name",)
    newest_by = "pk"
    list_select_related = ("host",)
    state = Column("state", _("state"), _state)
    pid = columns.number_column("pid", _("PID"), str)
    list_columns = (
        Column("host", _("host"), lambda row: columns.short(row.host.name)),
        state,
        pid,
        columns.time_column("taken_over_at", _("taken over")),
        columns.time_column("released_at", _("released")),
    )
    lines = (
        HOST,
        state,
        pid,
        columns.time_column("taken_over_at", _("taken over"), offset=True),
        columns.time_column("released_at", _("released"), offset=True),
    )
    sections = ((None, lines),)


@admin.register(RollUpState)
class RollUpStateAdmin(ReadOnlyAdmin):
    """How far the roll-ups of each host have come."""

    ordering = ("host__name",)
    newest_by = "pk"
    list_select_related = ("host",)
    newest = columns.time_column("newest", _("newest time"))
    last_tick = columns.number_column("last_tick", _("last tick"), str)
    list_columns = (Column("host", _("host"), lambda row: columns.short(row.host.name)), newest, last_tick)
    sections = ((None, (HOST, columns.time_column("newest", _("newest time"), offset=True), last_tick)),)


@admin.register(UpkeepLease)
class UpkeepLeaseAdmin(ReadOnlyAdmin):
    """Which machine looks after the history of each host."""

    ordering = ("host__name",)
    newest_by = "pk"
    list_select_related = ("host",)
    holder = columns.text_column("holder", _("machine"))
    list_columns = (
        Column("host", _("host"), lambda row: columns.short(row.host.name)),
        holder,
        columns.time_column("expires_at", _("until")),
    )
    lines = (
        HOST,
        columns.text_line("holder", _("machine")),
        columns.time_column("expires_at", _("until"), offset=True),
    )
    sections = ((None, lines),)


@admin.register(CommandMasking)
class CommandMaskingAdmin(ReadOnlyAdmin):
    """How far the stored command lines of each host are masked by the rules of today."""

    ordering = ("host__name",)
    newest_by = "pk"
    list_select_related = ("host",)
    commands = columns.text_column("commands", _("what is stored"))
    last_process = columns.number_column("last_process", _("last process"), str)
    until_process = columns.number_column("until_process", _("until process"), str)
    list_columns = (
        Column("host", _("host"), lambda row: columns.short(row.host.name)),
        commands,
        last_process,
        until_process,
    )
    lines = (
        HOST,
        columns.text_line("commands", _("what is stored")),
        columns.text_line("rules", _("rules")),
        last_process,
        until_process,
    )
    sections = ((None, lines),)
