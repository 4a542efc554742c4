"""Which hosts have a history, and whether it is a real one."""

from django.db import models, transaction

from metrics.models import Host, Tick
from metrics.models.samples import sample_models

# What the boot id of a simulated machine begins with; that of a real one is a number of the kernel.
SIMULATED = "simulated-"


def recorded_hosts() -> list[Host]:
    """The hosts that were really recorded."""
    has_ticks = models.Exists(Tick.objects.filter(host=models.OuterRef("pk")))
    return list(Host.objects.filter(has_ticks).exclude(boot_id__startswith=SIMULATED))


def simulated_hosts() -> list[Host]:
    """The hosts whose history was made up."""
    return list(Host.objects.filter(boot_id__startswith=SIMULATED))


def clear(name: str) -> None:
    """Delete a host and all that it has."""
    with transaction.atomic():
        for host in Host.objects.filter(name=name):
            for model in sample_models():
                rows = model._default_manager.filter(host=host)
                rows._raw_delete(rows.db)
            host.delete()
