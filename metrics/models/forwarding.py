"""What forwarding needs: how far each destination has come, and the counters of each tick."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from metrics.models.fields import EpochField
from metrics.models.hosts import Host


class ForwardCursor(models.Model):
    """How far a host's ticks have been shipped to a destination: every tick up to this row has been.

    Rows and not times, as in RollUpState. `destination` is its address without any secret.
    """

    host = models.ForeignKey(Host, models.CASCADE, db_index=False, related_name="+", verbose_name=_("host"))
    destination = models.CharField(_("destination"), max_length=255)
    last_tick = models.PositiveBigIntegerField(_("last tick"), default=0)
    newest = EpochField(_("newest time"), null=True)
    points = models.PositiveBigIntegerField(_("points sent"), default=0)
    refused_ticks = models.PositiveBigIntegerField(_("ticks refused"), default=0)
    errors = models.PositiveBigIntegerField(_("errors"), default=0)
    failures_in_a_row = models.PositiveIntegerField(_("failures in a row"), default=0)
    message = models.TextField(_("message"), blank=True)
    succeeded_at = EpochField(_("last success"), per_second=1000, null=True)
    retry_at = EpochField(_("next attempt"), per_second=1000, null=True)

    class Meta:
        verbose_name = _("forwarding cursor")
        verbose_name_plural = _("forwarding cursors")
        constraints = [models.UniqueConstraint(fields=["host", "destination"], name="one_cursor_a_destination")]

    def __str__(self) -> str:
        return self.destination


class TickReading(models.Model):
    """The raw readings of a tick without single processes: compressed JSON, kind -> rows.

    Kept only while a destination wants counters, and as long as raw points are.
    """

    host = models.ForeignKey(Host, models.CASCADE, db_index=False, related_name="+", verbose_name=_("host"))
    timestamp = EpochField(_("time"))
    rows = models.BinaryField(_("rows"))

    class Meta:
        verbose_name = _("reading of a tick")
        verbose_name_plural = _("readings of ticks")
        constraints = [models.UniqueConstraint(fields=["host", "timestamp"], name="one_reading_a_tick")]

    def __str__(self) -> str:
        return f"{self.timestamp:%Y-%m-%d %H:%M:%S} UTC"
