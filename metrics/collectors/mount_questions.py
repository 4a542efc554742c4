"""Asks mounts for their space, each for itself: a call that hangs in the kernel cannot be cancelled."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import NamedTuple, TypeAlias

from metrics.collectors.file_systems import Space, space_at
from metrics.collectors.mounts import Mount

# All local mounts are asked one after another by one thread, which takes microseconds. After this long the one that it
# is at counts as stuck, and those behind it are asked by threads of their own.
TOGETHER_SECONDS = 0.2
# By then a reading goes on without those that have not answered; an interval of one second leaves it half a second.
PATIENCE_SECONDS = 0.35
# What is asked seldom may take longer: until then its last answer holds.
SLOW_SECONDS = 10.0
# As many threads at the most wait for an answer, and these for local mounts, so that a server's do not use up all.
MAX_WAITING_THREADS = 16
LOCAL_THREADS = 4


class Answer(NamedTuple):
    """What a mount answered: its space, or why there is none."""

    mount: Mount
    at: float
    space: Space | None
    error: str = ""


class Batch:
    """Mounts that one thread asks, one after another."""

    def __init__(self, mounts: Iterable[Mount]) -> None:
        self._left = list(mounts)
        self._lock = threading.Lock()
        self.is_done = threading.Event()

    def next(self) -> Mount | None:
        """Return the one to be asked now; None, and the batch is done, where none is left."""
        with self._lock:
            if self._left:
                return self._left.pop(0)
        self.is_done.set()
        return None

    def take_over(self) -> list[Mount]:
        """Return those that nobody has begun with, for somebody else to ask."""
        with self._lock:
            left, self._left = self._left, []
        return left


Orders: TypeAlias = "SimpleQueue[Batch | None]"
"""What the thread at its other end is to ask; None ends it."""


class MountQuestions:
    """Remembers what each mount answered, and which file system owes an answer: it is left alone until that comes."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._answers: dict[int, Answer] = {}
        self._inbox: SimpleQueue[Answer] = SimpleQueue()
        self._owing: dict[Mount, float] = {}
        self._waiting: list[Batch] = []
        self._orders: Orders | None = None

    def ask(self, mounts: Sequence[Mount], every_seconds: Mapping[int, float]) -> None:
        """Ask those that are due; return when they have answered, after PATIENCE_SECONDS at the latest.

        `every_seconds` says by a mount's number how much time goes by between two questions; without it, none.
        """
        started = self._now()
        self._take_answers()
        self._forget_all_but(mounts)
        due = self._not_stuck(mounts)
        seldom = [mount for mount in due if mount.number in every_seconds] if every_seconds else []
        together = [mount for mount in due if mount.number not in every_seconds] if seldom else due
        batches = self._ask_apart([m for m in seldom if self._is_due(m, every_seconds[m.number], started)])
        batches += self._ask_together(together, started)
        for batch in batches:
            batch.is_done.wait(max(0.0, started + PATIENCE_SECONDS - self._now()))
        self._take_answers()

    def space(self, mount: Mount, every_seconds: float = 0.0) -> Space | None:
        """Return what a mount answered; None where it refused, or owes the answer for too long."""
        answer = self._answers.get(mount.number)
        if answer is None or (self._owing and self._is_stuck(mount, every_seconds)):
            return None
        return answer.space

    def complaint(self, mount: Mount) -> str:
        """Return why a mount has no space."""
        waits_seconds, answer = self._waits_seconds(mount), self._answers.get(mount.number)
        if waits_seconds is not None:
            return f"no answer for {waits_seconds:.0f} s"
        return answer.error if answer else "not asked: too many others do not answer"

    def _is_stuck(self, mount: Mount, every_seconds: float) -> bool:
        waits_seconds = self._waits_seconds(mount)
        return waits_seconds is not None and (not every_seconds or waits_seconds > SLOW_SECONDS)

    def _waits_seconds(self, mount: Mount) -> float | None:
        asked = [at for owing, at in self._owing.items() if owing.device_number == mount.device_number]
        return self._now() - min(asked) if asked else None

    def _not_stuck(self, mounts: Sequence[Mount]) -> Sequence[Mount]:
        if not self._owing:
            return mounts
        stuck = {mount.device_number for mount in self._owing}
        return [mount for mount in mounts if mount.device_number not in stuck]

    def _is_due(self, mount: Mount, every_seconds: float, now: float) -> bool:
        answer = self._answers.get(mount.number)
        # Half a second less, or a tick that comes a little early puts it off by a whole interval.
        return answer is None or now - answer.at >= every_seconds - 0.5

    def _ask_together(self, mounts: Sequence[Mount], started: float) -> list[Batch]:
        """Ask by the thread that is kept for it; return the batches of those that had to be asked apart."""
        if not mounts or (self._orders is None and self._room(LOCAL_THREADS) == 0):
            return []
        self._orders = self._orders or self._start()
        batch = self._begin(mounts, self._orders)
        if batch.is_done.wait(max(0.0, started + TOGETHER_SECONDS - self._now())):
            return []
        left = batch.take_over()
        self._orders.put(None)
        self._orders = None
        self._take_answers()
        for mount in left:
            self._owing.pop(mount, None)
        return self._ask_apart(self._not_stuck(left), LOCAL_THREADS)

    def _ask_apart(self, mounts: Sequence[Mount], more_threads: int = 0) -> list[Batch]:
        """Ask each file system by a thread of its own, as far as there may be any more."""
        groups: dict[str, list[Mount]] = {}
        for mount in mounts:
            groups.setdefault(mount.device_number, []).append(mount)
        return [self._begin_alone(group) for group in list(groups.values())[: self._room(more_threads)]]

    def _room(self, more_threads: int) -> int:
        """How many more threads may be begun."""
        return max(0, MAX_WAITING_THREADS + more_threads - len(self._waiting))

    def _begin_alone(self, mounts: Sequence[Mount]) -> Batch:
        orders = self._start()
        batch = self._begin(mounts, orders)
        orders.put(None)
        return batch

    def _begin(self, mounts: Sequence[Mount], orders: Orders) -> Batch:
        batch, now = Batch(mounts), self._now()
        for mount in mounts:
            self._owing[mount] = now
        self._waiting.append(batch)
        orders.put(batch)
        return batch

    def _start(self) -> Orders:
        orders: Orders = SimpleQueue()
        threading.Thread(target=self._serve, args=(orders,), name="collector-disk-mounts", daemon=True).start()
        return orders

    def _serve(self, orders: Orders) -> None:
        while (batch := orders.get()) is not None:
            while (mount := batch.next()) is not None:
                self._inbox.put(self._answer(mount))

    def _answer(self, mount: Mount) -> Answer:
        before = self._answers.get(mount.number)
        try:
            space = space_at(mount.path, before.space if before else None)
        except OSError as error:
            return Answer(mount, self._now(), None, error.strerror or str(error))
        return Answer(mount, self._now(), space)

    def _take_answers(self) -> None:
        """Take what has come."""
        try:
            while True:
                answer = self._inbox.get_nowait()
                self._answers[answer.mount.number] = answer
                self._owing.pop(answer.mount, None)
        except Empty:
            pass
        self._waiting = [batch for batch in self._waiting if not batch.is_done.is_set()]

    def _forget_all_but(self, mounts: Sequence[Mount]) -> None:
        """Forget what is not mounted any more: its number may be another one's by now."""
        self._answers = {
            mount.number: answer
            for mount in mounts
            if (answer := self._answers.get(mount.number)) is not None and answer.mount == mount
        }
