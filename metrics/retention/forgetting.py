"""Deletes a host that is gone with all that it has, while others are recorded."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now
from django_q.models import OrmQ, Task

from metrics import conf
from metrics.models import Host, JobFailure, Recorder, ScheduledJob, Tick, UpkeepLease
from metrics.models.present import last_present_moment
from metrics.models.samples import sample_models
from metrics.retention.clock import FIRST_PLAUSIBLE
from metrics.retention.maintenance import LEASE_SECONDS
from metrics.retention.pruning import BATCH_ROWS, delete_batch

# Another machine that stands in for the host may be at its roll-ups, for some seconds.
MAX_ATTEMPTS = 20
ATTEMPT_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Holding:
    """What a table has of a host."""

    model: type[models.Model]
    rows: int
    share: float
    """Of all rows of the table."""


def tables_of_hosts() -> list[type[models.Model]]:
    """Every table whose rows belong to a host, those that others point to last."""
    waiting = [model for model in apps.get_app_config("metrics").get_models() if _fields_of_a_host(model)]
    ordered: list[type[models.Model]] = []
    while waiting:
        pointed_to = {field.related_model for model in waiting for field in model._meta.concrete_fields}
        free = [model for model in waiting if model not in pointed_to]
        ordered += free
        waiting = [model for model in waiting if model in pointed_to]
    return ordered


def _fields_of_a_host(model: type[models.Model]) -> list[str]:
    return [field.name for field in model._meta.concrete_fields if field.related_model is Host]


def rows_of(model: type[models.Model], host: Host) -> models.QuerySet[models.Model]:
    """The rows of a table that belong to a host."""
    [field] = _fields_of_a_host(model)
    return model._default_manager.filter(**{field: host.pk})


def is_alive(host: Host) -> bool:
    """Whether somebody records a host: nobody has said that it ended, and its newest tick is as new as it should be.

    Where a clock was wrong that says nothing: then whether another tick comes in by when one is due.
    """
    newest = Tick.objects.filter(host=host).order_by("-pk").first()
    if newest is None or Recorder.objects.filter(host=host, released_at__isnull=False).exists():
        return False
    due_seconds = conf.stale_after_seconds(newest.resolution)
    written_at: float = newest.timestamp.timestamp()
    if not FIRST_PLAUSIBLE <= written_at <= last_present_moment():
        return _is_followed(newest, due_seconds)
    return time.time() - written_at <= due_seconds


def _is_followed(tick: Tick, due_seconds: float) -> bool:
    """Wait for a newer tick of the same host, as long as it may take."""
    end = time.monotonic() + due_seconds
    while not Tick.objects.filter(host=tick.host_id, pk__gt=tick.pk).exists():
        if time.monotonic() >= end:
            return False
        time.sleep(ATTEMPT_PAUSE_SECONDS)
    return True


def holdings_of(host: Host) -> list[Holding]:
    """What each table has of a host, without those that have nothing."""
    found = []
    for model in tables_of_hosts():
        rows = rows_of(model, host).count()
        if rows:
            found.append(Holding(model, rows, rows / model._default_manager.count()))
    return found


def recorded_since(host: Host) -> datetime | None:
    """The time of the oldest sample of a host."""
    oldest = (rows_of(model, host).aggregate(oldest=models.Min("timestamp"))["oldest"] for model in sample_models())
    return min(filter(None, oldest), default=None)


def forget(host: Host) -> Iterator[int]:
    """Delete a host and all that it has, batch by batch; yield how many rows went. Whoever iterates pauses in between,
    for those who record. What was interrupted goes on when it is called again."""
    _hold_lease(host)
    renewed = time.monotonic()
    for model in tables_of_hosts():
        if model is UpkeepLease:
            continue
        deleted = BATCH_ROWS
        while deleted == BATCH_ROWS:
            deleted = delete_batch(rows_of(model, host))
            yield deleted
            if time.monotonic() - renewed > LEASE_SECONDS / 3:
                _hold_lease(host)
                renewed = time.monotonic()
    yield from _forget_the_rest(host)


def _hold_lease(host: Host) -> None:
    """Have no machine look after the host: not even this one's `up`, whose name the lease does not have."""
    term = {"holder": f"forget-host {host.pk}", "expires_at": Now() + timedelta(seconds=LEASE_SECONDS)}
    UpkeepLease.objects.update_or_create(host=host, defaults=term)


def _forget_the_rest(host: Host) -> Iterator[int]:
    """The host itself, what came in meanwhile, and what only bears its name."""
    jobs = {"func__startswith": "metrics.", "cluster": host.name}
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            with transaction.atomic():
                rows = [rows_of(model, host) for model in tables_of_hosts()]
                rows += [ScheduledJob.objects.filter(**jobs), Task.objects.filter(**jobs)]
                rows += [OrmQ.objects.filter(key=host.name), JobFailure.objects.filter(machine=host.name)]
                rows += [Host.objects.filter(pk=host.pk)]
                deleted = sum(found._raw_delete(found.db) for found in rows)
        except IntegrityError:
            if attempt == MAX_ATTEMPTS:
                raise
            time.sleep(ATTEMPT_PAUSE_SECONDS)
        else:
            yield deleted
            return
