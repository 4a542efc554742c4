"""Rolls up and prunes the history of each host once, however many machines share the database.

Each machine looks after its own host, under a lease, and after those whose lease has run out: a machine that is gone
still has a history.
"""

import time
from collections.abc import Iterator
from datetime import timedelta

from django.db.models import F, Q
from django.db.models.functions import Now

from metrics import conf
from metrics.models import Host, UpkeepLease
from metrics.retention.conversion import convert
from metrics.retention.pruning import MAX_IN_BACKGROUND_SECONDS, apply_retention
from metrics.retention.rollup import roll_up
from metrics.retention.stored_commands import mask_stored_commands

# Looked after each minute: two turns may fail before somebody else takes over. The clock is that of the database.
LEASE_SECONDS = 150
# No task may keep a worker from the next hand-over for longer; what is left is for the next minute.
MAX_SECONDS = 8.0


def maintain_hosts() -> int:
    """Roll up and prune this machine's host, and those that nobody else looks after; return how many rows went."""
    began, deleted = time.monotonic(), 0
    for host in _own_first():
        if time.monotonic() - began > MAX_SECONDS:
            break
        if take_lease(host):
            mask_stored_commands(host)
            roll_up(host)
            convert(host)
            deleted += apply_retention(hosts=[host], most_seconds=MAX_IN_BACKGROUND_SECONDS)
    return deleted


def take_lease(host: Host) -> bool:
    """Take a host for this machine, or keep it; False while another one has it. Nobody has to wait for his own."""
    own = conf.host_name()
    term = {"holder": own, "expires_at": Now() + timedelta(seconds=LEASE_SECONDS)}
    leases = UpkeepLease.objects.filter(host=host)
    if host.name != own:
        leases = leases.filter(Q(holder=own) | Q(expires_at__lt=Now()))
    if leases.update(**term):
        return True
    _lease, is_new = UpkeepLease.objects.get_or_create(host=host, defaults=term)
    return is_new


def _own_first() -> Iterator[Host]:
    own = conf.host_name()
    yield from Host.objects.filter(name=own)
    free = Q(lease=None) | Q(lease__holder=own) | Q(lease__expires_at__lt=Now())
    yield from Host.objects.filter(free).exclude(name=own).order_by(F("lease__expires_at").asc(nulls_first=True))
