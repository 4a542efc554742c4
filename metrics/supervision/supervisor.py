"""Starts the parts, watches over them, and ends all of them within seconds."""

import contextlib
import ctypes
import gc
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import wait
from types import FrameType

from metrics.recording.heartbeat import Heartbeat
from metrics.supervision.orphans import clear_orphans
from metrics.supervision.process import SupervisedProcess

# How long a part may be stuck before somebody looks; one that dies is noticed at once.
LOOK_EVERY_SECONDS = 2.0
LOOK_OFTEN_SECONDS = 0.1
# No look for so long: this process did not run.
STOPPED_SECONDS = 10.0
# What has not ended in good order after this time is killed; together well under ten seconds.
GRACE_SECONDS = 7.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Supervisor:
    """Runs until SIGINT or SIGTERM. `is_ready` is asked until it is true, then `announce` is called, once."""

    def __init__(
        self,
        parts: Sequence[SupervisedProcess],
        heartbeat: Heartbeat,
        is_ready: Callable[[], bool],
        announce: Callable[[], None],
    ) -> None:
        self._parts = parts
        self._heartbeat = heartbeat
        self._is_ready = is_ready
        self._announce = announce
        self._was_announced = False
        self._stop_signal: int | None = None
        self._looked_at = time.monotonic()

    def run(self) -> None:
        """Start everything; return when everything has ended. A CannotStart where the system does not let a part do
        its work from the beginning."""
        self._looked_at = time.monotonic()
        share_memory()
        with self._signals() as woken:
            try:
                while self._stop_signal is None:
                    self._look(woken)
            finally:
                self._end()

    def _look(self, woken: socket.socket) -> None:
        now = time.monotonic()
        if now - self._looked_at > STOPPED_SECONDS:
            # Whoever stopped this process stopped the others too: their silence in that time says nothing.
            self._heartbeat.reset_deadline()
        self._looked_at = now
        for part in self._parts:
            part.poll()
        clear_orphans([pid for part in self._parts if (pid := part.pid) is not None])
        if not self._was_announced and self._is_ready():
            self._was_announced = True
            for part in self._parts:
                part.has_to_start = False
            self._announce()
        handles = [handle for part in self._parts if (handle := part.handle) is not None]
        all_is_well = self._was_announced and len(handles) == len(self._parts)
        wait([*handles, woken], LOOK_EVERY_SECONDS if all_is_well else LOOK_OFTEN_SECONDS)
        _drain(woken)

    def _end(self) -> None:
        self._heartbeat.stop()
        deadline = time.monotonic() + GRACE_SECONDS
        while any(part.is_alive for part in self._parts) and time.monotonic() < deadline:
            wait([handle for part in self._parts if (handle := part.handle) and part.is_alive], LOOK_OFTEN_SECONDS)
        for part in self._parts:
            part.kill()

    @contextmanager
    def _signals(self) -> Iterator[socket.socket]:
        """Have SIGINT and SIGTERM end the loop, and SIGCHLD end its wait, by a socket that becomes readable: a signal
        between the last look and the wait is not missed. A child's own handle stays silent while its children live."""
        woken, waker = socket.socketpair()
        with woken, waker:
            woken.setblocking(False)
            waker.setblocking(False)
            old_descriptor = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
            old_handlers = {number: signal.signal(number, self._note) for number in _watched_signals()}
            try:
                yield woken
            finally:
                signal.set_wakeup_fd(old_descriptor)
                for number, handler in old_handlers.items():
                    signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number in STOP_SIGNALS:
            self._stop_signal = number


def share_memory() -> None:
    """Before the first fork: nothing made so far is garbage, so that the collector of a child need not touch, and so
    copy, a page of it; and what was freed, most of all by migrations, goes back to the system."""
    gc.collect()
    gc.freeze()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None:
        trim(0)


def _watched_signals() -> list[int]:
    return [*STOP_SIGNALS, *([signal.SIGCHLD] if hasattr(signal, "SIGCHLD") else [])]


def _drain(woken: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        woken.recv(4096)
