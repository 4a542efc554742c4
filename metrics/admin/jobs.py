"""What is scheduled, and what failed. Nobody plans anything here: the schedule is what metrics/schedules.py says."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from metrics.admin import columns
from metrics.admin.columns import Column
from metrics.admin.read_only import ReadOnlyAdmin
from metrics.formatting import units
from metrics.models import JobFailure, ScheduledJob
from metrics.schedules import is_job, shares_cluster

TRACEBACK_CHARACTERS = 10_000


def _state(row: ScheduledJob) -> str:
    return "● " + gettext("job of this program") if is_job(row) else "▲ " + gettext("refused")


def _every(row: ScheduledJob) -> str:
    return units.EMPTY if row.minutes is None else units.duration(60 * row.minutes)


@admin.register(ScheduledJob)
class ScheduledJobAdmin(ReadOnlyAdmin):
    """The schedule of each machine; a row that is none of the program's jobs is there to be seen and never run. In a
    project that shares the cluster it would be run, and is that project's own: its page is django-q2's."""

    ordering = ("cluster", "pk")
    newest_by = "pk"
    state = Column("state", _("state"), _state)
    every = Column("every", _("every"), _every, is_number=True)
    list_columns = (
        columns.text_column("func", _("job"), units.MAX_CHARACTERS),
        columns.text_column("cluster", _("machine")),
        state,
        every,
        columns.time_column("next_run", _("next run")),
    )
    lines = (
        columns.text_line("func", _("job")),
        columns.text_line("name", _("name")),
        columns.text_line("cluster", _("machine")),
        state,
        every,
        columns.time_column("next_run", _("next run"), offset=True),
        columns.text_line("hook", _("hook")),
        columns.text_line("args", _("arguments")),
        columns.text_line("kwargs", _("options")),
    )
    sections = ((None, lines),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ScheduledJob]:
        """All that is scheduled in this program; in another one its jobs."""
        every = super().get_queryset(request)
        return every.filter(func__startswith="metrics.") if shares_cluster() else every


def _traceback(row: JobFailure) -> str:
    return format_html("<pre>{}</pre>", units.visible_lines(row.traceback, TRACEBACK_CHARACTERS))


@admin.register(JobFailure)
class JobFailureAdmin(ReadOnlyAdmin):
    """The newest runs that failed."""

    ordering = ("-pk",)
    newest_by = "pk"
    list_columns = (
        columns.time_column("failed_at", _("failed")),
        columns.text_column("job", _("job"), units.MAX_CHARACTERS),
        columns.text_column("machine", _("machine")),
        columns.text_column("message", _("message"), units.MAX_CHARACTERS),
    )
    lines = (
        columns.text_line("job", _("job")),
        columns.text_line("machine", _("machine")),
        columns.time_column("started_at", _("started"), offset=True),
        columns.time_column("failed_at", _("failed"), offset=True),
        columns.text_line("message", _("message")),
        Column("traceback", _("traceback"), _traceback),
    )
    sections = ((None, lines),)
