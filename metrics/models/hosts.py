"""The machine whose samples are stored."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from metrics.models.fields import EpochField


class Host(models.Model):
    """A machine: its name, and facts that change with a boot at most."""

    name = models.CharField(_("name"), max_length=255, unique=True)
    os_name = models.CharField(_("operating system"), max_length=255, blank=True)
    kernel = models.CharField(_("kernel"), max_length=255, blank=True)
    architecture = models.CharField(_("architecture"), max_length=64, blank=True)
    cpu_model = models.CharField(_("processor"), max_length=255, blank=True)
    logical_cores = models.PositiveIntegerField(_("logical cores"), null=True)
    physical_cores = models.PositiveIntegerField(_("physical cores"), null=True)
    memory_bytes = models.BigIntegerField(_("memory"), null=True)
    # How many boots have been recorded: a small number for `boot_id`.
    boot = models.PositiveIntegerField(_("boot"), default=0)
    boot_id = models.CharField(_("boot id"), max_length=64, blank=True)
    booted_at = EpochField(_("booted at"), per_second=1000, null=True)
    # Which machine, and data directory, recorded it last; and when two did (recording/rivals.py).
    machine_id = models.CharField(_("machine id"), max_length=64, blank=True)
    contested_at = EpochField(_("two recorders at"), null=True)
    first_seen_at = EpochField(_("first seen"), null=True)
    # The last time that the wall clock jumped by more than a day: the first tick after it, and by how much.
    clock_jumped_at = EpochField(_("clock jumped at"), null=True)
    clock_jump_seconds = models.BigIntegerField(_("clock jump"), null=True)

    class Meta:
        verbose_name = _("host")
        verbose_name_plural = _("hosts")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
