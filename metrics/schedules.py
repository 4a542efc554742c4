"""The schedules of django-q2, kept in step with this table by `migrate` and by `up`."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import connections, router
from django.db.models import Q
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import Schedule

from metrics import conf


@dataclass(frozen=True, slots=True)
class Job:
    """A task and how often it is started; `func` is also what a row is recognised by."""

    name: str
    func: str
    minutes: int = 1


# The first one records; `up` starts it at once.
JOBS = (
    Job("record samples", "metrics.tasks.record_window"),
    Job("prune", "metrics.tasks.prune"),
)
# Only while there is somewhere to forward to.
FORWARD = Job("forward", "metrics.tasks.forward")


def jobs() -> tuple[Job, ...]:
    """What is to be run with the settings as they are."""
    return (*JOBS, FORWARD) if conf.forward_destinations() else JOBS


# What a row may hold beside the name of a job; a job takes none of it.
EXTRAS = ("hook", "args", "kwargs", "intended_date_kwarg")
# What django-q2's own scheduler is told about a job: a recording run is ended by the one after it and by no timeout,
# what failed is not run again, and that a job has run is not kept among the results of others.
TASK_OPTIONS: dict[str, Any] = {"timeout": 86_400, "ack_failure": True, "save": False}


def shares_cluster() -> bool:
    """Whether the cluster runs tasks of others too, as in another project that has this app."""
    return not getattr(apps.get_app_config("django_q"), "runs_only_own_jobs", False)


def extras() -> dict[str, str | None]:
    """What a row of a job does hold of it: nothing, where the cluster runs only this program's jobs."""
    return {**dict.fromkeys(EXTRAS), "kwargs": str({"q_options": TASK_OPTIONS}) if shares_cluster() else None}


def job_named(func: str) -> Job | None:
    """The job that has this dotted path; None where the program has none."""
    return next((job for job in jobs() if job.func == func), None)


def is_job(row: Schedule) -> bool:
    """Whether a row of the schedule is a job of the program's own, and nothing else."""
    return job_named(row.func) is not None and all(
        (getattr(row, name) or None) == value for name, value in extras().items()
    )


def job_rows() -> Q:
    """The condition for the rows of which `is_job` is true."""
    condition = Q(func__in=[job.func for job in jobs()])
    for name, value in extras().items():
        condition &= Q(**{name: value}) if value else Q(**{f"{name}__isnull": True}) | Q(**{name: ""})
    return condition


def cluster_name() -> str:
    """The queue of this machine: several machines on one database each have their own."""
    return str(Conf.CLUSTER_NAME)


def ensure_schedules() -> int:
    """Make this machine's rows what the table says; return how many had to be changed."""
    own = Schedule.objects.filter(cluster=cluster_name(), func__startswith="metrics.")
    others = own.exclude(func__in=[job.func for job in jobs()])
    # A DELETE is a write even where it finds nothing, and a start reads a file that may only be read.
    changed = others.delete()[0] if others.exists() else 0
    for job in jobs():
        changed += _ensure(job)
    return changed


def ensure_schedules_after_migration(using: str) -> None:
    """The same at the end of a `migrate` of one database, where that has made the tables of both apps."""
    if using == router.db_for_write(Schedule):
        needed = {model._meta.db_table for model in (Schedule, apps.get_model("metrics", "Host"))}
        if needed <= set(connections[using].introspection.table_names()):
            ensure_schedules()


def _ensure(job: Job) -> int:
    wanted: dict[str, Any] = {
        "name": job.name,
        "schedule_type": Schedule.MINUTES,
        "minutes": job.minutes,
        "repeats": -1,
        **extras(),
    }
    rows = Schedule.objects.filter(cluster=cluster_name(), func=job.func)
    found = list(rows.order_by("pk"))
    if not found:
        Schedule.objects.create(cluster=cluster_name(), func=job.func, **wanted)
        return 1
    first, *doubles = found
    changed = rows.filter(pk__in=[row.pk for row in doubles]).delete()[0]
    # Planned for later than it ever is: the clock was set back.
    if first.next_run and first.next_run > timezone.now() + timedelta(minutes=job.minutes + 1):
        wanted["next_run"] = timezone.now()
    if any(getattr(first, name) != value for name, value in wanted.items()):
        changed += rows.filter(pk=first.pk).update(**wanted)
    return changed
