"""The cluster of django-q2 in one process: what becomes of a part of it that ends."""

import os
import threading
from uuid import uuid4

import pytest
from django.db import connections

from metrics.supervision.django_q_overrides import RECYCLED, OneProcess, ThreadOfCluster, ThreadQueue


class Ended(Exception):
    """Instead of the end of the process that runs the tests."""


@pytest.fixture
def cluster(monkeypatch):
    def end(status):
        raise Ended(status)

    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(connections, "close_all", lambda: None)
    cluster = OneProcess(threading.Event(), threading.Event(), uuid4(), broker=object(), start=False)
    cluster.task_queue, cluster.result_queue = ThreadQueue(), ThreadQueue()
    yield cluster
    for worker in cluster.pool:
        cluster.task_queue.put("STOP")
        worker.join(10)


def ended_worker(cluster, mark):
    """A worker of the cluster whose thread is over, and what it has noted last."""
    cluster.spawn_worker()
    [worker] = cluster.pool
    cluster.task_queue.put("STOP")
    worker.join(10)
    worker.timer.value = mark
    return worker


def test_a_worker_that_has_failed_ends_the_process(cluster):
    with pytest.raises(Ended):
        cluster.reincarnate(ended_worker(cluster, mark=-1))


def test_a_worker_that_had_its_number_of_tasks_is_replaced(cluster):
    old = ended_worker(cluster, mark=RECYCLED)
    cluster.reincarnate(old)
    [new] = cluster.pool
    assert (new.is_alive(), new is old) == (True, False)


def test_a_part_that_is_over_has_closed_its_connections(monkeypatch):
    closed_in = []
    monkeypatch.setattr(connections, "close_all", lambda: closed_in.append(threading.current_thread()))
    thread = ThreadOfCluster(lambda: None)
    thread.join(10)
    assert closed_in == [thread]
