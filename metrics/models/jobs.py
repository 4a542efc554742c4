"""The jobs that django-q2 runs: when the next run of each is planned, and which runs failed."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_q.models import Schedule

from metrics.models.fields import EpochField


class ScheduledJob(Schedule):
    """A row of django-q2's schedule, for looking at it."""

    class Meta:
        proxy = True
        verbose_name = _("scheduled job")
        verbose_name_plural = _("scheduled jobs")


class JobFailure(models.Model):
    """A run of a job that failed, as text: nothing has to be decoded to look at it.

    `machine` is the name of the cluster that ran it: the host's own.
    """

    machine = models.CharField(_("machine"), max_length=255)
    job = models.CharField(_("job"), max_length=255)
    started_at = EpochField(_("started"), per_second=1000)
    failed_at = EpochField(_("failed"), per_second=1000)
    message = models.TextField(_("message"))
    traceback = models.TextField(_("traceback"))

    class Meta:
        verbose_name = _("failed job")
        verbose_name_plural = _("failed jobs")
        indexes = (models.Index(fields=["machine", "id"], name="failures_of_a_machine"),)

    def __str__(self) -> str:
        return f"{self.job} {self.failed_at:%Y-%m-%d %H:%M:%S} UTC"
