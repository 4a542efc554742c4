"""The django-q2 cluster below `up`, and the same windows without it where nothing can fork."""

import logging
import os
import threading
from collections.abc import Callable
from multiprocessing import Event
from multiprocessing.process import BaseProcess
from typing import Any
from uuid import uuid4

import psutil
from django.db import DatabaseError, connections
from django.utils.module_loading import import_string
from django_q.brokers import get_broker
from django_q.cluster import Sentinel
from django_q.monitor import monitor
from django_q.pusher import pusher
from django_q.signals import post_spawn
from django_q.tasks import async_task

from metrics import conf
from metrics.lifeline import Lifeline
from metrics.schedules import JOBS, Job, ensure_schedules
from metrics.supervision.part import context

log = logging.getLogger(__name__)

# A window beats every five seconds at least, and at its start; a slow start and a slow tick get their time.
OVERDUE_BEAT_SECONDS = 20.0
# django-q2 looks at its schedules every 30 s, so that hand-overs lie 60 to 90 s apart.
OVERDUE_HAND_OVER_SECONDS = 120.0
# How long the results of the last tasks may take to be stored, well within what `up` grants.
LAST_RESULTS_SECONDS = 3.0
# How often a database that refuses to be written is tried again.
RETRY_SECONDS = 2.0


def load_jobs() -> None:
    """Import what the jobs are made of."""
    for job in JOBS:
        import_string(job.func)


def run_worker(lifeline: Lifeline) -> None:
    """Record until the lifeline says stop."""
    run = run_cluster if hasattr(os, "fork") else run_windows
    run(lifeline)


class ThreadOfCluster(threading.Thread):
    """A part of the cluster that needs no process: it has what the sentinel asks of one."""

    exitcode = None

    def __init__(self, target: Callable[..., None], *args: object) -> None:
        super().__init__(target=target, args=args, name=target.__name__, daemon=True)
        self.pid = os.getpid()


class AllOrNothing(Sentinel):
    """A sentinel that ends when a part below it was killed, and that pushes and monitors in threads of its own.

    django-q2 puts a new one in its place. But one that is killed may hold the lock of a queue, idle workers always do:
    the others then wait for ever, and nothing says so. `up` starts all of them anew within a second. Pusher and monitor
    wait for most of their life: as processes they would take ten megabytes each. They start last, so that no process
    is forked beside them.
    """

    def spawn_pusher(self) -> Any:
        """What takes tasks from the broker."""
        return _started(ThreadOfCluster(pusher, self.task_queue, self.event_out, self.broker))

    def spawn_monitor(self) -> Any:
        """What stores results."""
        thread = ThreadOfCluster(monitor, self.result_queue, self.broker)
        close = self.result_queue.close

        def close_when_read() -> None:
            """`stop` closes the queue after its last word: in a thread, the very end that is being read."""
            thread.join(LAST_RESULTS_SECONDS)
            close()

        self.result_queue.close = close_when_read  # type: ignore[method-assign]
        return _started(thread)

    def reincarnate(self, process: BaseProcess | ThreadOfCluster) -> None:
        """Called by the guard loop for a part that has ended."""
        if process.exitcode is not None and process.exitcode < 0:
            log.warning("a part of the cluster was killed by signal %d", -process.exitcode)
            os._exit(1)
        super().reincarnate(process)  # type: ignore[no-untyped-call]


def _started(thread: ThreadOfCluster) -> ThreadOfCluster:
    thread.start()
    return thread


def run_cluster(lifeline: Lifeline) -> None:
    """Be the sentinel of a django-q2 cluster.

    The sentinel itself, not the `Cluster` around it: that is one more process, which ends in good order, and so
    unnoticed, when its sentinel is killed.
    """

    def watch(**_signal: object) -> None:
        lifeline.watch()

    stop_event = Event()
    lifeline.on_stop = stop_event.set
    # Each worker watches too: the sentinel may be the one that was killed.
    post_spawn.connect(watch)
    if can_begin(lifeline):
        AllOrNothing(stop_event, Event(), uuid4())  # type: ignore[no-untyped-call]


def can_begin(lifeline: Lifeline) -> bool:
    """Queue the first window as soon as that is possible; False where that is not before the end of all."""
    is_refused, stand_in = False, None
    while True:
        try:
            queue_first_window()
        except DatabaseError as error:
            if not is_refused:
                log.error("recording has to wait for the database: %s", error)
            is_refused = True
            lifeline.mark_pending(0, str(error))
            lifeline.beat()
        except ConnectionError as error:
            stand_in = stand_in or record_without_queue(lifeline, str(error))
            lifeline.excuse_hand_over()
        else:
            return True
        finally:
            connections.close_all()
        if lifeline.wait(RETRY_SECONDS):
            return False


def record_without_queue(lifeline: Lifeline, reason: str) -> BaseProcess:
    """Start a window in a process of its own; the cluster's first one takes over from it."""
    log.error("recording begins without the queue: %s", reason)
    connections.close_all()
    process: BaseProcess = context().Process(target=_record, args=(lifeline,), daemon=True)  # type: ignore[attr-defined]
    process.start()
    return process


def _record(lifeline: Lifeline) -> None:
    lifeline.watch()
    import_string(JOBS[0].func)()


def queue_first_window() -> None:
    """Begin with an empty queue and a window at once, not when the scheduler looks for the first time."""
    ensure_schedules()
    get_broker().purge_queue()
    async_task(JOBS[0].func, group=JOBS[0].name)


def run_windows(lifeline: Lifeline) -> None:
    """The jobs of the schedule without django-q2: windows in this thread, each other job in one of its own."""
    for job in JOBS[1:]:
        threading.Thread(target=_run_now_and_then, args=(job,), name=job.name, daemon=True).start()
    record_window = import_string(JOBS[0].func)
    while not lifeline.wait(0):
        record_window()


def _run_now_and_then(job: Job) -> None:
    run, pause = import_string(job.func), threading.Event()
    while not pause.wait(60 * job.minutes):
        run()


def complaint_about(lifeline: Lifeline) -> str | None:
    """Why the recording has to be started anew; None while it goes on.

    Asked of shared memory and not of the database, which may be locked or full while ticks wait in memory.
    """
    pid = lifeline.recorder_pid()
    if pid is not None and not psutil.pid_exists(pid):
        return "has lost the process that records"
    if lifeline.seconds_since_beat() > OVERDUE_BEAT_SECONDS + conf.interval_seconds() / 2:
        return "has stopped recording"
    if lifeline.seconds_since_hand_over() > OVERDUE_HAND_OVER_SECONDS:
        return "has stopped handing over"
    return None
