"""The queue of django-q2 in the database: what is queued by the process that works on it wakes it at once.

django-q2 looks at the queue time and again, which is most of what a cluster does. Here only its own scheduler queues
anything, so a look now and then is enough for what somebody else may have put there. What an entry is, `own_jobs` says.
"""

import threading
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Left
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from typing_extensions import override

from metrics.schedules import jobs
from metrics.supervision.own_jobs import MAX_ENTRY_CHARACTERS, entry_of, package_for, refuse

# So long a look in vain waits: for whoever queues something in another process, and where nobody does.
WAIT_SECONDS, WAIT_IN_ONE_PROCESS_SECONDS = 0.5, 10.0
# Entries that one look reads the beginning of.
LOOK_ROWS = 10


class DatabaseQueue(ORM):
    """django-q2's own, whose pause after a look in vain is 0 in the settings. Named there."""

    _wake_event = threading.Event()
    _wait_seconds = WAIT_SECONDS

    @classmethod
    def belong_to_one_process(cls) -> None:
        """Say that nobody in another process of this cluster queues anything."""
        cls._wait_seconds = WAIT_IN_ONE_PROCESS_SECONDS

    @classmethod
    def ring(cls) -> None:
        """End the wait of whoever waits for a task in this process."""
        cls._wake_event.set()

    @override
    def enqueue(self, task: str) -> Any:
        key = super().enqueue(entry_of(task))  # type: ignore[no-untyped-call]
        # The scheduler queues within a transaction.
        transaction.on_commit(self.ring, using=Conf.ORM)
        return key

    @override
    def dequeue(self) -> list[tuple[int, str]]:
        """One task at the most: its key and its package."""
        start = Left("payload", MAX_ENTRY_CHARACTERS)
        due = self.get_connection().filter(key=self.list_key, lock__lt=timezone.now())
        others = []
        for key, entry in due.order_by("pk").values_list("pk", start)[:LOOK_ROWS]:
            package = package_for(entry)
            if package is None:
                others.append(entry)
            # Nothing, where another process has just taken it: then it is not due any more.
            elif due.filter(pk=key).update(lock=timezone.now() + timedelta(seconds=Conf.RETRY)):
                return [(key, package)]
        if others:
            count, _by_model = due.exclude(payload__in=[job.func for job in jobs()]).delete()
            refuse(others[0], "the queue", max(count, 1))
        self._wake_event.wait(self._wait_seconds)
        self._wake_event.clear()
        return []
