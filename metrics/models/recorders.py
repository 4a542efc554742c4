"""What the recorder keeps about its own work: ticks, newest readings, outcomes, and who records."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from metrics.models.fields import EpochField
from metrics.models.hosts import Host


class Tick(models.Model):
    """A moment at which every family was sampled."""

    host = models.ForeignKey(Host, models.CASCADE, db_index=False, related_name="+", verbose_name=_("host"))
    timestamp = EpochField(_("time"))
    resolution = models.PositiveSmallIntegerField(_("interval"))
    lag_milliseconds = models.PositiveIntegerField(_("started late by"))
    duration_milliseconds = models.PositiveIntegerField(_("took"))

    class Meta:
        verbose_name = _("tick")
        verbose_name_plural = _("ticks")
        constraints = [models.UniqueConstraint(fields=["host", "timestamp"], name="one_tick_a_time")]

    def __str__(self) -> str:
        return f"{self.timestamp:%Y-%m-%d %H:%M:%S} UTC"


class NewestReading(models.Model):
    """The newest raw reading of a family: the next rates are computed from it, and exporters show its counters."""

    host = models.ForeignKey(Host, models.CASCADE, db_index=False, related_name="+", verbose_name=_("host"))
    family = models.CharField(_("family"), max_length=64)
    timestamp = EpochField(_("time"))
    uptime_seconds = models.FloatField(_("time since boot"))
    boot_id = models.CharField(_("boot id"), max_length=64, blank=True)
    rows = models.TextField(_("rows"))

    class Meta:
        verbose_name = _("newest reading")
        verbose_name_plural = _("newest readings")
        constraints = [models.UniqueConstraint(fields=["host", "family"], name="one_reading_a_family")]

    def __str__(self) -> str:
        return self.family


class CollectorState(models.Model):
    """How a collector fared at the last tick, and how often it failed."""

    class Outcome(models.TextChoices):
        OK = "ok", _("ok")
        NO_DATA = "no_data", _("no data here")
        FAILED = "failed", _("failed")

    host = models.ForeignKey(Host, models.CASCADE, db_index=False, related_name="+", verbose_name=_("host"))
    family = models.CharField(_("family"), max_length=64)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome.choices)
    message = models.TextField(_("message"), blank=True)
    timestamp = EpochField(_("last tick"))
    succeeded_at = EpochField(_("last success"), null=True)
    duration_milliseconds = models.FloatField(_("took"))
    runs = models.PositiveBigIntegerField(_("runs"), default=0)
    failures = models.PositiveBigIntegerField(_("failures"), default=0)
    # A list of LeftOut (models/others.py) as JSON; "" for none.
    left_out = models.TextField(_("not kept by name"), blank=True, default="")

    class Meta:
        verbose_name = _("collector state")
        verbose_name_plural = _("collector states")
        constraints = [models.UniqueConstraint(fields=["host", "family"], name="one_state_a_family")]

    def __str__(self) -> str:
        return f"{self.family}: {self.get_outcome_display()}"


class Recorder(models.Model):
    """Who records a host, as its newest run has noted with its first tick; that only one does is the work of a lock
    (recording/hand_over.py). A row that was not released is of a run that goes on, or that had no time to end."""

    host = models.OneToOneField(Host, models.CASCADE, related_name="recorder", verbose_name=_("host"))
    pid = models.PositiveIntegerField(_("pid"))
    taken_over_at = EpochField(_("taken over"), per_second=1000)
    released_at = EpochField(_("released"), per_second=1000, null=True)
    # Which machine, and data directory, as in Host; and how long it had been suspended since its boot by then.
    machine_id = models.CharField(_("machine id"), max_length=64, blank=True)
    suspended_seconds = models.FloatField(_("suspended"), null=True)

    class Meta:
        verbose_name = _("recorder")
        verbose_name_plural = _("recorders")

    def __str__(self) -> str:
        return str(self.host)


class RollUpState(models.Model):
    """How far the roll-ups of a host have come: every tick up to this row has been rolled up.

    Rows and not times: a tick that had to wait for the database is written late, but its row is new.
    """

    host = models.OneToOneField(Host, models.CASCADE, related_name="+", verbose_name=_("host"))
    last_tick = models.PositiveBigIntegerField(_("last tick"), default=0)
    newest = EpochField(_("newest time"), null=True)
    # While the tiers of an older version are made anew: from where on they are.
    converted_from = EpochField(_("converted from"), null=True)

    class Meta:
        verbose_name = _("state of the roll-ups")
        verbose_name_plural = _("states of the roll-ups")

    def __str__(self) -> str:
        return str(self.host)


class UpkeepLease(models.Model):
    """Which machine rolls up and prunes the history of a host, where several share the database."""

    host = models.OneToOneField(Host, models.CASCADE, related_name="lease", verbose_name=_("host"))
    holder = models.CharField(_("machine"), max_length=255)
    # Not an EpochField: the database's own clock counts, which all machines have in common.
    expires_at = models.DateTimeField(_("until"))

    class Meta:
        verbose_name = _("lease of a history")
        verbose_name_plural = _("leases of histories")

    def __str__(self) -> str:
        return f"{self.host}: {self.holder}"


class CommandMasking(models.Model):
    """How far the command lines that a host stored before are masked by the rules of today."""

    host = models.OneToOneField(Host, models.CASCADE, related_name="+", verbose_name=_("host"))
    commands = models.CharField(_("what is stored"), max_length=16)
    rules = models.CharField(_("rules"), max_length=64)
    # Ids of processes: what came later was masked before it was stored.
    last_process = models.PositiveBigIntegerField(_("last process"), default=0)
    until_process = models.PositiveBigIntegerField(_("until process"), default=0)

    class Meta:
        verbose_name = _("masking of command lines")
        verbose_name_plural = _("maskings of command lines")

    def __str__(self) -> str:
        return str(self.host)
