"""Has django-q2 run the program's own jobs and nothing else, wherever in this process a cluster starts.

All names of django-q2 that are replaced are here. They are private to it, so this is true of one version;
tests/supervision/test_django_q_overrides.py fails for another until somebody has looked.
"""

from typing import Any

from django_q import cluster, monitor
from django_q.models import Task

from metrics.supervision.job_failures import save_failure
from metrics.supervision.scheduler import queue_due_jobs

WRITTEN_FOR = "1.11.1"
PICKLED_FIELDS = ("args", "kwargs", "result")


def run_only_own_jobs() -> None:
    """Replace what reads a schedule, what stores a result, and what unpickles a row."""
    cluster_module: Any = cluster
    cluster_module.scheduler = queue_due_jobs  # called by the guard loop of a sentinel
    monitor_module: Any = monitor
    monitor_module.save_task = save_failure  # called by the monitor for each task that has ended
    for name in PICKLED_FIELDS:
        field: Any = Task._meta.get_field(name)
        field.to_python = _as_stored  # called for a value from the database, and for one from a fixture


def _as_stored(value: object) -> object:
    return value
