"""Queues the jobs whose time has come: what stands in for django-q2's scheduler.

That one takes from a row what is to be run, with which arguments and options, one of which runs it at once. This one
takes from a row when a job is due, and nothing else.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, close_old_connections, router, transaction
from django.db.models import Min, Q
from django.db.models.functions import Left
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.models import Schedule
from django_q.tasks import async_task

from metrics.schedules import Job, cluster_name, ensure_schedules, job_named, job_rows
from metrics.supervision.own_jobs import MAX_ENTRY_CHARACTERS, refuse

log = logging.getLogger(__name__)

# Of the rows that are refused, how many are looked at, and how many of them are known again.
MAX_REFUSED = 100
_refused: set[tuple[Any, ...]] = set()


def queue_due_jobs(broker: Any = None) -> None:
    """Queue each job of this cluster that is due, once, and plan its next run."""
    close_old_connections()
    own, own_or_none = Q(cluster=Conf.CLUSTER_NAME), Q(cluster=Conf.CLUSTER_NAME) | Q(cluster__isnull=True)
    try:
        # Most looks end here: the questions below take three times as long.
        if not _due(own_or_none).exists():
            return
        due = _due(own).filter(job_rows()).values_list("func").annotate(planned=Min("next_run"))
        for func, planned in list(due):
            if job := job_named(func):
                _queue(job, planned, broker or get_broker())
        _refuse(_due(own_or_none).exclude(own & job_rows()))
    except (DatabaseError, ConnectionError, ValueError) as error:
        log.error("the schedule cannot be read: %s", error)


def _due(whose: Q) -> Any:
    return Schedule.objects.filter(whose, next_run__lt=timezone.now()).exclude(repeats=0).order_by()


def _queue(job: Job, planned: datetime, broker: Any) -> None:
    """Not when another process of this cluster has just done so: then none of its rows is due any more."""
    with transaction.atomic(using=router.db_for_write(Schedule)):
        rows = _due(Q(cluster=Conf.CLUSTER_NAME)).filter(job_rows(), func=job.func)
        if rows.update(next_run=next_run(planned, job.minutes)):
            async_task(job.func, group=job.name, broker=broker)


def next_run(planned: datetime, minutes: int) -> datetime:
    """The first moment after now in steps from the planned one, however long ago that was."""
    step = timedelta(minutes=minutes)
    return planned + step * ((timezone.now() - planned) // step + 1)


def _refuse(others: Any) -> None:
    """Name each row that would run something else, once, and leave it: it may be looked at in the admin. A row of a job
    with more in it than a job takes is put right."""
    cut = {f"{name}_start": Left(name, MAX_ENTRY_CHARACTERS) for name in ("func", "hook")}
    found = set(others.annotate(**cut).values_list("pk", "cluster", *cut)[:MAX_REFUSED])
    for pk, _cluster, func, hook in sorted(found - _refused, key=lambda row: row[0]):
        refuse(f"{func}, hook {hook}" if hook else func, f"the schedule (row {pk})")
    _refused.clear()
    _refused.update(found)
    if any(cluster == cluster_name() and job_named(func) for _pk, cluster, func, _hook in found):
        ensure_schedules()
