"""All of django-q2 that is replaced: what would run more than the program's own jobs, and the processes of a cluster.

These names are private to it, so this is true of one version; tests/supervision/test_django_q_overrides.py fails for
another until somebody has looked. Nothing of it is done in another project that has this app.
"""

import logging
import os
import threading
from collections.abc import Callable
from multiprocessing import Value
from queue import Queue
from typing import Any

from django.db import connections
from django_q import cluster, monitor
from django_q.cluster import Sentinel
from django_q.conf import Conf
from django_q.models import Task
from django_q.pusher import pusher
from django_q.worker import worker
from typing_extensions import override

from metrics.supervision.database_queue import DatabaseQueue
from metrics.supervision.job_failures import save_failure
from metrics.supervision.scheduler import queue_due_jobs

log = logging.getLogger(__name__)

WRITTEN_FOR = "1.11.1"
PICKLED_FIELDS = ("args", "kwargs", "result")
# What django-q2 notes of a worker that has done its number of tasks.
RECYCLED = -2


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


# A cluster in one process --------------------------------------------------------------------------------------------


class ThreadQueue(Queue[Any]):
    """A queue between threads, with what the sentinel asks of one between processes."""

    def close(self) -> None:
        """Nothing has to be closed."""

    def join_thread(self) -> None:
        """What was put is there at once."""


class ThreadOfCluster(threading.Thread):
    """A part of the cluster that needs no process: it has what the sentinel asks of one.

    `timer` is a worker's: how many seconds its task may still take, or one of django-q2's negative marks.
    """

    def __init__(self, target: Callable[..., None], *args: object, timer: Any = None) -> None:
        super().__init__(target=target, args=args, name=target.__name__, daemon=True)
        self.pid = os.getpid()
        self.timer = timer
        self.start()

    @override
    def run(self) -> None:
        try:
            super().run()
        finally:
            connections.close_all()


class OneProcess(Sentinel):
    """A sentinel whose workers, pusher and monitor are threads of its own process.

    All of them wait for most of their life: as processes they would take ten megabytes each, and one that is killed
    might hold the lock of a queue, for which the others then wait for ever. One process is killed as a whole, or hangs
    as a whole, and `up` starts it anew.
    """

    @override
    def start(self) -> None:
        self.task_queue: Any = ThreadQueue(Conf.QUEUE_LIMIT)
        self.result_queue: Any = ThreadQueue()
        super().start()  # type: ignore[no-untyped-call]

    @override
    def spawn_worker(self) -> None:
        timer = Value("f", -1)
        queues = (self.task_queue, self.result_queue)
        self.pool.append(ThreadOfCluster(worker, *queues, timer, self.timeout, timer=timer))

    @override
    def spawn_pusher(self) -> Any:
        return ThreadOfCluster(pusher, self.task_queue, self.event_out, self.broker)

    @override
    def spawn_monitor(self) -> Any:
        return ThreadOfCluster(monitor.monitor, self.result_queue, self.broker)

    @override
    def stop(self) -> None:
        """Called when all is to end: the pusher, which waits for tasks, hears of it at once."""
        self.event_out.set()
        DatabaseQueue.ring()
        super().stop()  # type: ignore[no-untyped-call]

    @override
    def reincarnate(self, process: ThreadOfCluster) -> None:
        """Called by the guard loop for a part that has ended. A worker does so only when it is recycled; one that
        failed may have been the one that records."""
        if process.timer is not None and process.timer.value != RECYCLED:
            log.error("a worker of the cluster has failed")
            os._exit(1)
        super().reincarnate(process)  # type: ignore[no-untyped-call]
