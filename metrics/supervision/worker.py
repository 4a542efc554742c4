"""The django-q2 cluster below `up`, one process; and the same runs without it where nothing can fork."""

import logging
import os
import sys
import threading
from uuid import uuid4

from django.db import DatabaseError, connections
from django.utils.module_loading import import_string
from django_q.brokers import get_broker
from django_q.tasks import async_task

from metrics import conf
from metrics.recording.heartbeat import Heartbeat
from metrics.schedules import JOBS, Job, ensure_schedules
from metrics.supervision.database_queue import DatabaseQueue
from metrics.supervision.django_q_overrides import OneProcess

log = logging.getLogger(__name__)

# A recording run beats every five seconds at least, and at its start; a slow start and a slow tick get their time.
OVERDUE_BEAT_SECONDS = 20.0
# django-q2 looks at its schedules every 30 s, so that hand-overs lie 60 to 90 s apart.
OVERDUE_HAND_OVER_SECONDS = 120.0
# The thread that records waits no longer than this for another that has the interpreter; Python's own is 5 ms.
SWITCH_INTERVAL_SECONDS = 0.0005
# How often a database that refuses to be written is tried again.
RETRY_SECONDS = 2.0


def load_jobs() -> None:
    """Import what the jobs are made of."""
    for job in JOBS:
        import_string(job.func)


def run_worker(heartbeat: Heartbeat) -> None:
    """Record until the heartbeat says stop."""
    run = run_cluster if hasattr(os, "fork") else run_without_cluster
    run(heartbeat)


def run_cluster(heartbeat: Heartbeat) -> None:
    """Be the sentinel of a django-q2 cluster.

    The sentinel itself, not the `Cluster` around it: that is one more process, which ends in good order, and so
    unnoticed, when its sentinel is killed.
    """
    stop_event = threading.Event()
    heartbeat.on_stop = stop_event.set
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    DatabaseQueue.belong_to_one_process()
    if can_begin(heartbeat):
        OneProcess(stop_event, threading.Event(), uuid4())  # type: ignore[no-untyped-call]


def can_begin(heartbeat: Heartbeat) -> bool:
    """Queue the first run as soon as that is possible; False where that is not before the end of all."""
    is_refused, stand_in = False, None
    while True:
        try:
            queue_first_run()
        except DatabaseError as error:
            if not is_refused:
                log.error("recording has to wait for the database: %s", error)
            is_refused = True
            heartbeat.mark_pending(0, str(error))
            heartbeat.beat()
        except ConnectionError as error:
            stand_in = stand_in or record_without_queue(str(error))
            heartbeat.suspend_deadline()
        else:
            return True
        finally:
            connections.close_all()
        if heartbeat.wait(RETRY_SECONDS):
            return False


def record_without_queue(reason: str) -> threading.Thread:
    """Start a run in a thread of its own; the cluster's first one takes over from it. The process does not end
    before the run has."""
    log.error("recording begins without the queue: %s", reason)
    thread = threading.Thread(target=_record, name="record-without-queue")
    thread.start()
    return thread


def _record() -> None:
    try:
        import_string(JOBS[0].func)()
    finally:
        connections.close_all()


def queue_first_run() -> None:
    """Begin with an empty queue and a run at once, not when the scheduler looks for the first time."""
    ensure_schedules()
    get_broker().purge_queue()
    async_task(JOBS[0].func, group=JOBS[0].name)


def run_without_cluster(heartbeat: Heartbeat) -> None:
    """The jobs of the schedule without django-q2: runs in this thread, each other job in one of its own."""
    for job in JOBS[1:]:
        threading.Thread(target=_run_now_and_then, args=(job,), name=job.name, daemon=True).start()
    record_window = import_string(JOBS[0].func)
    while not heartbeat.wait(0):
        record_window()


def _run_now_and_then(job: Job) -> None:
    run, pause = import_string(job.func), threading.Event()
    while not pause.wait(60 * job.minutes):
        run()


def failure_reason_of(heartbeat: Heartbeat) -> str | None:
    """Why the recording has to be started anew; None while it goes on.

    Asked of shared memory and not of the database, which may be locked or full while ticks wait in memory.
    """
    if heartbeat.seconds_since_beat() > OVERDUE_BEAT_SECONDS + conf.interval_seconds() / 2:
        return "has stopped recording"
    if heartbeat.seconds_since_hand_over() > OVERDUE_HAND_OVER_SECONDS:
        return "has stopped handing over"
    return None
