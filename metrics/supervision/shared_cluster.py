"""A cluster of django-q2 as `manage.py qcluster` starts it: for the jobs of this app, and of whoever shares it.

All of it is django-q2's own. Added is that a recording run begins at once, at the start and after a worker was killed,
and that the cluster asks the run to end before it ends itself: django-q2 waits for every task that has begun, and a run
goes on until the next one takes over.
"""

import logging
import os
from ctypes import c_bool
from multiprocessing import Pipe
from multiprocessing.sharedctypes import RawValue
from typing import Any

from django.db import DatabaseError, connections
from django_q.cluster import Cluster
from django_q.models import Schedule
from django_q.signals import post_spawn
from django_q.tasks import async_task
from typing_extensions import override

from metrics.recording.heartbeat import Unsupervised, attach
from metrics.schedules import JOBS, TASK_OPTIONS, cluster_name

log = logging.getLogger(__name__)


class ClusterLine(Unsupervised):
    """The line of the runs of a cluster: they end when it does, in good order or because its parts were killed."""

    def __init__(self) -> None:
        super().__init__()
        self._stop_pipe, self._stop_pipe_end = Pipe(duplex=False)

    def hold(self) -> None:
        """Called in each worker, whose parent is not the process that has made this line."""
        self._parent = os.getppid()

    def stop(self) -> None:
        """Have every run end after the tick that it is at. What is written is read by nobody, so that all see it."""
        self._stop_pipe_end.send_bytes(b"stop")

    @override
    def wait(self, seconds: float) -> bool:
        """Sleep; True once the cluster is to end, or its sentinel is gone."""
        return self._stop_pipe.poll(max(0.0, seconds)) or os.getppid() != self._parent


class SharedCluster(Cluster):
    """django-q2's cluster, whose workers have the line above."""

    def __init__(self) -> None:
        super().__init__()
        self._line = ClusterLine()
        attach(self._line)
        # Whether a worker that begins takes the place of one that has ended.
        self._has_started = RawValue(c_bool, False)
        post_spawn.connect(self._hold)

    @override
    def start(self) -> int:
        """Return when the workers have begun."""
        begin_recording()
        connections.close_all()
        pid = int(super().start())
        self._has_started.value = True
        return pid

    @override
    def stop(self) -> bool:
        """Called for SIGINT and SIGTERM; return when everything has ended."""
        self._line.stop()
        return bool(super().stop())

    def join(self) -> bool:
        """Wait for the end; whether it was in good order."""
        sentinel: Any = self.sentinel
        sentinel.join()
        return bool(sentinel.exitcode == 0)

    def _hold(self, **_signal: object) -> None:
        """Called by django-q2 in a worker that begins."""
        self._line.hold()
        if self._has_started.value:
            begin_recording()


def begin_recording() -> None:
    """Queue a recording run, where this is the cluster that has the schedule for it. Where the queue does not answer,
    the schedule comes to it within a minute and a half."""
    job = JOBS[0]
    try:
        if Schedule.objects.filter(func=job.func, cluster=cluster_name()).exists():
            async_task(job.func, group=job.name, **TASK_OPTIONS)
    except (DatabaseError, ConnectionError) as error:
        log.warning("recording begins with the schedule, within a minute and a half: %s", error)
