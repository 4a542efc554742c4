"""The private names of django-q2 that are replaced are what they were thought to be; no row is unpickled."""

import base64
import inspect
import pickle
from importlib.metadata import version

import django_q.cluster
import django_q.monitor
import pytest
from django.core import serializers
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Failure, Success, Task

from metrics.supervision.database_queue import DatabaseQueue
from metrics.supervision.django_q_overrides import PICKLED_FIELDS, WRITTEN_FOR
from metrics.supervision.job_failures import save_failure
from metrics.supervision.scheduler import queue_due_jobs
from sysmon_project.own_jobs import delete_results
from tests.supervision.planted import pickled


def test_the_version_is_the_one_that_was_looked_at():
    found = version("django-q2")
    assert found == WRITTEN_FOR, (
        f"django-q2 is {found}: read what cluster.Sentinel.guard, monitor.monitor, pusher.pusher, worker.worker, "
        "status.Stat and the fields of models.Task do there, then set WRITTEN_FOR in django_q_overrides.py"
    )


def test_the_cluster_calls_what_stands_in_for_the_scheduler_and_the_monitor():
    assert django_q.cluster.scheduler is queue_due_jobs
    assert "scheduler(broker=self.broker)" in inspect.getsource(django_q.cluster.Sentinel.guard)
    assert django_q.monitor.save_task is save_failure
    assert "save_task(task, broker)" in inspect.getsource(django_q.monitor.monitor)


def test_every_pickled_field_of_django_q2_is_known():
    pickled_fields = {
        field.name for field in Task._meta.concrete_fields if type(field).__name__ == "PickledObjectField"
    }
    assert pickled_fields == set(PICKLED_FIELDS)


@pytest.fixture
def planted(db, tmp_path):
    """Rows whose every pickled field makes a file, success and failure."""
    now = timezone.now()
    for number, success in enumerate((True, False)):
        Task.objects.create(id=f"{number:032}", name=f"n{number}", func="f", started=now, stopped=now, success=success)
    assignments = ", ".join(f"{name} = %s" for name in PICKLED_FIELDS)
    values = [pickled(tmp_path / "ran" / name) for name in PICKLED_FIELDS]
    (tmp_path / "ran").mkdir()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE django_q_task SET {assignments}", values)
    return tmp_path / "ran"


def test_a_planted_pickle_would_run(tmp_path):
    pickle.loads(base64.b64decode(pickled(tmp_path / "ran")))
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("model", [Task, Success, Failure])
def test_nothing_unpickles_a_row_of_results(planted, model):
    rows = list(model.objects.all())
    assert rows
    assert all(isinstance(getattr(row, name), str) for row in rows for name in PICKLED_FIELDS)
    assert list(model.objects.values_list(*PICKLED_FIELDS))
    assert Task.get_result(f"{0:032}")
    dumped = serializers.serialize("json", rows)
    assert list(serializers.deserialize("json", dumped))
    assert list(planted.iterdir()) == []


def test_a_migration_takes_the_results_of_older_versions_out(planted):
    delete_results("default")
    assert Task.objects.count() == 0
    assert list(planted.iterdir()) == []


def test_the_queue_of_the_project_holds_names_of_jobs(settings):
    assert issubclass(import_string(settings.Q_CLUSTER["broker_class"]), DatabaseQueue)
    assert settings.Q_CLUSTER["save_limit"] < 0
