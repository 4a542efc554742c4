"""How many requests of one kind are answered at once: dear questions leave threads to what is cheap.

What has no room waits outside, as an entry of a queue and not as a thread. Whose turn it is goes around the senders, so
that fifty questions of one are no queue for another's.
"""

import re
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from metrics.supervision.bodies import WITHOUT_BODY, Refused

MAX_WAITING = 128
MAX_WAIT_SECONDS = 20.0
# A range of time may be years; these addresses look at one without being asked.
RANGE = re.compile(r"(?:^|&)(?:start|end|step|with)=")
OVER_A_RANGE = ("/peaks", "/top", "/usage", "/compare")


def is_dear(environ: Mapping[str, Any]) -> bool:
    """Whether a question may take the database long: one about a range of time, or a table of the admin."""
    path = environ["PATH_INFO"]
    if path.startswith("/api/"):
        return path.endswith(OVER_A_RANGE) or RANGE.search(environ.get("QUERY_STRING", "")) is not None
    return path.startswith("/admin/") and path.count("/") > 2 and environ["REQUEST_METHOD"] in WITHOUT_BODY


@dataclass(slots=True)
class Job:
    """A request to answer, and what to do instead where there is no room for it."""

    answer: Callable[[], None]
    refuse: Callable[[Refused], None]
    since: float = field(default_factory=time.monotonic)


class Lane:
    """So many requests at once, in the threads that bring them."""

    def __init__(self, slots: int, most_waiting: int = MAX_WAITING, seconds: float = MAX_WAIT_SECONDS) -> None:
        self._free = slots
        self._most_waiting = most_waiting
        self._seconds = seconds
        self._waiting: OrderedDict[str, deque[Job]] = OrderedDict()
        self._count = 0
        self._lock = threading.Lock()

    def run(self, sender: str, job: Job) -> None:
        """Answer now, and then what waits; or leave it to a thread that is answering."""
        with self._lock:
            is_now = self._free > 0
            crowded_out = None
            if is_now:
                self._free -= 1
            else:
                crowded_out = self._queue(sender, job)
        if crowded_out:
            crowded_out.refuse(Refused("503 Service Unavailable", "Too many questions wait for an answer."))
        if is_now:
            self._work(job)

    def _work(self, job: Job | None) -> None:
        """Answer, and then what waits."""
        is_done = False
        try:
            while job:
                self._answer(job)
                job = self._next()
            is_done = True
        finally:
            if not is_done:
                # granian logs what went wrong and answers 500; what waits is not to wait for ever.
                threading.Thread(target=lambda: self._work(self._next()), name="lane", daemon=True).start()

    def _queue(self, sender: str, job: Job) -> Job | None:
        """Have it wait; the one for which there is no room then is the last of the sender with the most."""
        self._waiting.setdefault(sender, deque()).append(job)
        self._count += 1
        if self._count <= self._most_waiting:
            return None
        self._count -= 1
        busiest = max(self._waiting, key=lambda each: len(self._waiting[each]))
        return self._taken(busiest, self._waiting[busiest].pop())

    def _next(self) -> Job | None:
        with self._lock:
            if not self._waiting:
                self._free += 1
                return None
            sender = next(iter(self._waiting))
            self._waiting.move_to_end(sender)
            self._count -= 1
            return self._taken(sender, self._waiting[sender].popleft())

    def _taken(self, sender: str, job: Job) -> Job:
        if not self._waiting[sender]:
            del self._waiting[sender]
        return job

    def _answer(self, job: Job) -> None:
        if time.monotonic() - job.since > self._seconds:
            job.refuse(Refused("503 Service Unavailable", "Too many questions wait for an answer."))
        else:
            job.answer()
