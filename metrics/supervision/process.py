"""One supervised process: started in a group of its own, restarted with back-off, ended for good within seconds."""

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from ctypes import c_char
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import RawArray
from typing import Any

import django
from django.apps import apps
from django.db import connections

from metrics.recording.heartbeat import Heartbeat

log = logging.getLogger(__name__)

Target = Callable[[Heartbeat], None]

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.5, 15.0
# A process that ran for so long failed for a new reason: it is started again at once.
PROVEN_SECONDS = 20.0
REASON_BYTES = 256


def context() -> BaseContext:
    """Forked children share the memory of what is imported already; where nothing can fork, they start anew."""
    return get_context("fork" if "fork" in get_all_start_methods() else "spawn")


class CannotStart(Exception):
    """The system does not give what a process needs; the text is for the user."""


class SupervisedProcess:
    """A process that runs `target(heartbeat)` until it is told to end. `failure_reason` says why it has to be restarted
    although it runs, None while all is well."""

    def __init__(
        self,
        name: str,
        target: Target,
        heartbeat: Heartbeat,
        failure_reason: Callable[[], str | None] = lambda: None,
        before_start: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self._target = target
        self._heartbeat = heartbeat
        self._failure_reason = failure_reason
        self._before_start = before_start
        self._process: BaseProcess | None = None
        self._started_at = 0.0
        self._due_at = 0.0
        self._pause_seconds = 0.0
        # Whether what the system does not give now is the end of all: later it is tried again, for that may pass.
        self.has_to_start = True
        # What it did not give (memory, threads, files), written by the process itself; empty for nothing.
        self._refusal: Any = RawArray(c_char, REASON_BYTES)

    def poll(self) -> None:
        """One look: start the process if it is due, clear away and reschedule it if it has ended or is stuck. Raises
        CannotStart while `has_to_start`, where the system does not let it."""
        if self._process is None:
            if time.monotonic() >= self._due_at:
                self._start()
        elif not self._process.is_alive():
            self._fail(f"has ended ({self._refusal.value.decode() or self._process.exitcode})")
        elif failure_reason := self._failure_reason():
            self._fail(failure_reason)

    @property
    def handle(self) -> int | None:
        """Something to wait for that is ready when the process ends; None while there is no process."""
        return self._process.sentinel if self._process else None

    @property
    def pid(self) -> int | None:
        """The process, None while there is none."""
        return self._process.pid if self._process else None

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.is_alive()

    def kill(self) -> None:
        """End the process and everything that it started, now. What it started is in its group, and may outlive it."""
        process, self._process = self._process, None
        if process is None or process.pid is None:
            return
        if hasattr(os, "killpg"):
            # No such group: it has ended whole, or has not got so far as to make one.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.join()

    def _start(self) -> None:
        # A connection must not be shared with a fork.
        connections.close_all()
        self._before_start()
        self._process = context().Process(  # type: ignore[attr-defined]
            target=_main, args=(self._target, self._heartbeat, self._refusal), name=f"sysmon-{self.name}"
        )
        self._started_at = time.monotonic()
        self._refusal.value = b""
        try:
            self._process.start()
        except OSError as error:
            self._process, self._refusal.value = None, _as_reason(error)
            self._fail(f"cannot be started ({error.strerror})")

    def _fail(self, reason: str) -> None:
        self.kill()
        if self._refusal.value and self.has_to_start:
            raise CannotStart(f"the {self.name} cannot be started: {self._refusal.value.decode()}")
        now = time.monotonic()
        has_proven = now - self._started_at > PROVEN_SECONDS
        grown = max(self._pause_seconds * 2, FIRST_PAUSE_SECONDS)
        self._pause_seconds = 0.0 if has_proven else min(grown, MAX_PAUSE_SECONDS)
        self._due_at = now + self._pause_seconds
        log.warning("the %s %s; it is started again in %.1f s", self.name, reason, self._pause_seconds)


def _main(target: Target, heartbeat: Heartbeat, refusal: Any) -> None:
    """First thing in the new process: what the system refuses to it is told to the supervisor, in a line."""
    try:
        _run(target, heartbeat)
    except (MemoryError, OSError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "start new thread" not in str(error):
            raise
        refusal.value = _as_reason(error)
        sys.exit(1)


def _as_reason(error: BaseException) -> bytes:
    text = "not enough memory" if isinstance(error, MemoryError) else getattr(error, "strerror", None) or str(error)
    return " ".join(str(text).split()).encode("ascii", "replace")[: REASON_BYTES - 1]


def _run(target: Target, heartbeat: Heartbeat) -> None:
    if hasattr(os, "setsid"):
        os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, *([signal.SIGCHLD] if hasattr(signal, "SIGCHLD") else [])):
        signal.signal(number, signal.SIG_DFL)
    if not apps.ready:
        # A process that was spawned and not forked has loaded nothing yet.
        django.setup()
    heartbeat.hold()
    try:
        target(heartbeat)
    finally:
        close_log()


def close_log() -> None:
    """Have the handlers say what they hold back, at the end of a process. logging.shutdown() is not called in one of
    multiprocessing, and knows of no handler any more after granian has configured logging."""
    for handler in logging.root.handlers:
        handler.close()
