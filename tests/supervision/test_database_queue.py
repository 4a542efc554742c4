"""The queue in the database: who waits for a task hears of one at once."""

import os
import threading

import pytest
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from metrics.schedules import JOBS
from metrics.supervision import database_queue
from metrics.supervision.database_queue import DatabaseQueue
from metrics.supervision.django_q_overrides import OneProcess
from metrics.supervision.own_jobs import package_of
from tests.supervision.planted import FOREIGN, task

# Longer than any test: only the wake event can end the wait.
FOR_EVER = 3600.0
PAST = "2026-01-01T00:00Z"
A_TASK = package_of(JOBS[1])


@pytest.fixture
def waits(monkeypatch):
    """How long was waited for the wake event, each time; nobody really waits."""
    waits = []

    class Bell(threading.Event):
        def wait(self, timeout=None):
            waits.append((timeout, self.is_set()))
            return self.is_set()

    monkeypatch.setattr(DatabaseQueue, "_wake_event", Bell())
    return waits


@pytest.fixture
def queue(db, waits):
    return DatabaseQueue(list_key="test-host")


def plant(queue, *payloads):
    OrmQ.objects.bulk_create(OrmQ(key=queue.list_key, payload=text, lock=PAST) for text in payloads)


def test_a_task_is_taken_without_a_wait(queue, waits):
    queue.enqueue(A_TASK)
    [(_key, package)] = queue.dequeue()
    task = SignedPackage.loads(package)
    assert (task["func"], task["args"], task["kwargs"]) == (JOBS[1].func, (), {})
    assert waits == []


def test_who_waits_is_woken_by_a_task(queue, waits, django_capture_on_commit_callbacks):
    assert not queue.dequeue()
    with django_capture_on_commit_callbacks(execute=True):
        queue.enqueue(A_TASK)
    assert waits == [(database_queue.WAIT_SECONDS, False)]
    assert queue.dequeue()
    # The bell had rung for a task that is gone: one more look, and then a real wait.
    assert not queue.dequeue()
    assert not queue.dequeue()
    assert [is_rung for _seconds, is_rung in waits] == [False, True, False]


def test_a_task_that_is_not_committed_yet_wakes_nobody(queue, waits, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        queue.enqueue(A_TASK)
        assert not DatabaseQueue._wake_event.is_set()
    assert DatabaseQueue._wake_event.is_set()


def test_what_somebody_else_queues_is_found_by_a_look_now_and_then(queue, waits):
    plant(queue, *(job.func for job in JOBS))
    assert len(queue.dequeue()) == 1
    assert waits == []
    assert database_queue.WAIT_IN_ONE_PROCESS_SECONDS <= 10


def test_what_is_queued_is_the_name_of_the_job_and_nothing_else(queue):
    queue.enqueue(A_TASK)
    assert OrmQ.objects.get().payload == JOBS[1].func


def test_a_task_is_taken_once(queue):
    queue.enqueue(A_TASK)
    assert len(queue.dequeue()) == 1
    assert queue.dequeue() == []


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_job_is_refused_without_being_unpickled_and_goes(queue, name, tmp_path, refused):
    plant(queue, FOREIGN[name](tmp_path / "ran"))
    assert queue.dequeue() == []
    assert (len(refused()), OrmQ.objects.count()) == (1, 0)
    assert not (tmp_path / "ran").exists()


def test_foreign_entries_hold_up_no_job_and_go_at_one_look(queue, refused):
    plant(queue, *["os.system"] * (3 * database_queue.LOOK_ROWS), JOBS[0].func)
    assert queue.dequeue() == []
    assert len(queue.dequeue()) == 1
    assert OrmQ.objects.count() == 1
    [line] = refused()
    assert "29 others" in line


def test_another_machines_entries_are_left_alone(queue):
    OrmQ.objects.create(key="other-host", payload="os.system", lock=PAST)
    queue.dequeue()
    assert OrmQ.objects.count() == 1


@pytest.mark.parametrize(
    "asked", [{"func": os.getpid}, {"args": (1,)}, {"kwargs": {"a": 1}}, {"hook": "os.system"}, {"chain": [("f", ())]}]
)
def test_what_a_program_queues_that_is_no_job_is_refused_by_the_cluster(queue, asked, refused):
    queue.enqueue(SignedPackage.dumps(task(**asked)))
    assert queue.dequeue() == []
    assert len(refused()) == 1


def test_the_end_of_the_cluster_ends_the_wait(monkeypatch):
    waiting = threading.Thread(target=DatabaseQueue._wake_event.wait, args=(FOR_EVER,), daemon=True)
    waiting.start()
    monkeypatch.setattr("django_q.cluster.Sentinel.stop", lambda _self: waiting.join(10))
    cluster = OneProcess(threading.Event(), threading.Event(), "name", broker=object(), start=False)
    cluster.stop()
    assert not waiting.is_alive()
    DatabaseQueue._wake_event.clear()
