"""The queue in the database: who waits for a task hears of one at once."""

import threading

import pytest
from django_q.models import OrmQ

from metrics.supervision import database_queue
from metrics.supervision.database_queue import DatabaseQueue
from metrics.supervision.worker import OneProcess

# Longer than any test: only the bell can end the wait.
FOR_EVER = 3600.0


@pytest.fixture
def waits(monkeypatch):
    """How long was waited for the bell, each time; nobody really waits."""
    waits = []

    class Bell(threading.Event):
        def wait(self, timeout=None):
            waits.append((timeout, self.is_set()))
            return self.is_set()

    monkeypatch.setattr(DatabaseQueue, "_bell", Bell())
    return waits


@pytest.fixture
def queue(db, waits):
    return DatabaseQueue(list_key="test-host")


def test_a_task_is_taken_without_a_wait(queue, waits):
    queue.enqueue("a task")
    assert [payload for _key, payload in queue.dequeue()] == ["a task"]
    assert waits == []


def test_who_waits_is_woken_by_a_task(queue, waits, django_capture_on_commit_callbacks):
    assert not queue.dequeue()
    with django_capture_on_commit_callbacks(execute=True):
        queue.enqueue("a task")
    assert waits == [(database_queue.LONGEST_WAIT_SECONDS, False)]
    assert queue.dequeue()
    # The bell had rung for a task that is gone: one more look, and then a real wait.
    assert not queue.dequeue()
    assert not queue.dequeue()
    assert [is_rung for _seconds, is_rung in waits] == [False, True, False]


def test_a_task_that_is_not_committed_yet_wakes_nobody(queue, waits, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        queue.enqueue("a task")
        assert not DatabaseQueue._bell.is_set()
    assert DatabaseQueue._bell.is_set()


def test_what_somebody_else_queues_is_found_by_a_look_now_and_then(queue, waits):
    OrmQ.objects.bulk_create(OrmQ(key=queue.list_key, payload=text, lock="2026-01-01T00:00Z") for text in ("a", "b"))
    assert len(queue.dequeue()) == 1
    assert waits == []
    assert database_queue.LONGEST_WAIT_SECONDS <= 10


def test_the_end_of_the_cluster_ends_the_wait(monkeypatch):
    waiting = threading.Thread(target=DatabaseQueue._bell.wait, args=(FOR_EVER,), daemon=True)
    waiting.start()
    monkeypatch.setattr("django_q.cluster.Sentinel.stop", lambda _self: waiting.join(10))
    cluster = OneProcess(threading.Event(), threading.Event(), "name", broker=object(), start=False)
    cluster.stop()
    assert not waiting.is_alive()
    DatabaseQueue._bell.clear()
