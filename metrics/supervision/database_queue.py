"""The queue of django-q2 in the database, with a bell: what is queued by the process that works on it is found at once.

django-q2 looks at the queue time and again, which is most of what a cluster does. Here only its own scheduler queues
anything, so a look now and then is enough for what somebody else may have put there.
"""

import threading
from typing import Any

from django.db import transaction
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from typing_extensions import override

LONGEST_WAIT_SECONDS = 10.0


class DatabaseQueue(ORM):
    """django-q2's own, whose pause after a look in vain is 0 in the settings. Named there."""

    _bell = threading.Event()

    @classmethod
    def ring(cls) -> None:
        """End the wait of whoever waits for a task in this process."""
        cls._bell.set()

    @override
    def enqueue(self, task: str) -> Any:
        key = super().enqueue(task)  # type: ignore[no-untyped-call]
        # The scheduler queues within a transaction.
        transaction.on_commit(self.ring, using=Conf.ORM)
        return key

    @override
    def dequeue(self) -> Any:
        tasks = super().dequeue()  # type: ignore[no-untyped-call]
        if not tasks:
            self._bell.wait(LONGEST_WAIT_SECONDS)
            self._bell.clear()
        return tasks
