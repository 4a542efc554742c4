"""What a supervisor shares with the processes below it: a pipe that tells them to end, and a beat that they give.

The end of that pipe is held by the supervisor alone, so that the kernel cuts it when the supervisor dies,
however that happens. The beat is shared memory: it goes on while the database is locked or the disk is full.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from ctypes import c_char, c_double
from multiprocessing.context import BaseContext
from multiprocessing.sharedctypes import RawArray
from types import FrameType
from typing import NamedTuple, Protocol, Self

_BEAT, _HAND_OVER, _RECORDER, _STOPPING, _PENDING, _SUSPENDED_AT, _PROXY = range(7)
_REASON_BYTES = 256
# So often a process of the web server says that it lives.
WEB_BEAT_SECONDS = 5.0


class Pending(NamedTuple):
    """How many ticks wait in memory, and why the database takes none; no reason where it does."""

    ticks: int
    reason: str


class Line(Protocol):
    """What a run needs of whatever runs it."""

    def wait(self, seconds: float) -> bool:
        """Sleep; True, at once, when it is time to end."""

    def beat(self) -> None:
        """Say that recording goes on."""

    def mark_hand_over(self) -> None:
        """Say that a run has just taken over."""

    def mark_pending(self, ticks: int, reason: str = "") -> None:
        """Say how many ticks wait for the database, and why it takes none; without a reason it does."""

    def suspend_deadline(self) -> None:
        """Say that no run can take over now, and none has to."""

    def pending(self) -> Pending:
        """What was last said of that by the recorder, where it is one of the same supervisor."""

    def note_proxy(self) -> bool:
        """Say that a proxy stands in front, for all processes until the next start; True for whoever says so first."""

    def has_proxy(self) -> bool:
        """Whether somebody has said so."""


class Heartbeat:
    """The line between a supervisor and its processes; made before they are forked."""

    def __init__(self, context: BaseContext, web_processes: int = 1) -> None:
        self._parent_pipe, self._parent_pipe_end = context.Pipe(duplex=False)
        self._marks = RawArray(c_double, 7)
        # Taken by the first who sees a proxy, and never given back: no lock that a killed process could keep.
        self._first_proxy = context.Semaphore(1)
        self._reason = RawArray(c_char, _REASON_BYTES)
        # One of each process of the web server; the process that starts several is one too.
        self._web_beats = RawArray(c_double, web_processes if web_processes == 1 else web_processes + 1)
        self._web_count = context.Value("i", 0)
        # What a supervised process does when it is asked to end.
        self.on_stop: Callable[[], None] = terminate_self
        self.reset()
        self.reset_web_beats()

    # The supervisor's end

    def reset(self) -> None:
        """Count from now, as before a new process is started."""
        self._marks[_BEAT] = self._marks[_HAND_OVER] = time.monotonic()
        self._marks[_RECORDER] = 0
        self.mark_pending(0)

    def reset_deadline(self) -> None:
        """Count from now, as after this process itself was stopped for a while."""
        self._marks[_BEAT] = self._marks[_HAND_OVER] = time.monotonic()
        self.reset_web_beats(is_new=False)

    def reset_web_beats(self, *, is_new: bool = True) -> None:
        """Count the silence of the web server's processes from now; new ones have not said anything yet."""
        if is_new:
            self._web_count.value = 0
        for place in range(len(self._web_beats)):
            self._web_beats[place] = time.monotonic()

    def seconds_since_web_beat(self) -> float:
        """How long ago that process of the web server said that it lives which has been silent longest."""
        return time.monotonic() - float(min(self._web_beats))

    def has_web_started(self) -> bool:
        """Whether every process of the web server has said that it lives."""
        return bool(self._web_count.value >= len(self._web_beats))

    def seconds_since_beat(self) -> float:
        """How long ago the recorder last said that it lives."""
        return time.monotonic() - self._marks[_BEAT]

    def seconds_since_hand_over(self) -> float:
        """How long ago a run last took over, or none could."""
        return time.monotonic() - max(self._marks[_HAND_OVER], self._marks[_SUSPENDED_AT])

    def recorder_pid(self) -> int | None:
        """The process of the newest run, None before the first."""
        return int(self._marks[_RECORDER]) or None

    def stop(self) -> None:
        """Ask everything below to end in good order."""
        self._marks[_STOPPING] = 1.0
        self._parent_pipe_end.close()

    # The supervised end

    def hold(self) -> None:
        """Called first thing in a supervised process: let go of the supervisor's end, so that nobody else holds it."""
        self._parent_pipe_end.close()
        self.watch()
        attach(self)

    def watch(self) -> None:
        """End this process group when the supervisor is gone without a word, from a thread of this process."""
        threading.Thread(target=self._end_with_supervisor, name="heartbeat", daemon=True).start()

    def keep_web_beat(self, lives: Callable[[], bool] = lambda: True) -> None:
        """Say from now on that this process of the web server lives, as long as it does by its own account."""
        with self._web_count.get_lock():
            place = min(self._web_count.value, len(self._web_beats) - 1)
            self._web_count.value += 1
        threading.Thread(target=self._beat_for_web, args=(place, lives), name="web-beat", daemon=True).start()

    def _beat_for_web(self, place: int, lives: Callable[[], bool]) -> None:
        while not self.wait(WEB_BEAT_SECONDS):
            if lives():
                self._web_beats[place] = time.monotonic()

    def wait(self, seconds: float) -> bool:
        """Sleep for so long, or until the parent pipe is closed; True if it is."""
        return self._parent_pipe.poll(max(0.0, seconds))

    def beat(self) -> None:
        """Say that recording goes on."""
        self._marks[_BEAT] = time.monotonic()

    def mark_hand_over(self) -> None:
        """Say that a run has just taken over."""
        self._marks[_HAND_OVER] = time.monotonic()
        self._marks[_RECORDER] = os.getpid()
        self.beat()

    def mark_pending(self, ticks: int, reason: str = "") -> None:
        """Say how many ticks wait for the database, and why it takes none; without a reason it does."""
        self._reason.value = reason.encode()[: _REASON_BYTES - 1]
        self._marks[_PENDING] = ticks
        if reason:
            self.suspend_deadline()

    def suspend_deadline(self) -> None:
        """Say that no run can take over now, and none has to: the database or the queue does not answer."""
        self._marks[_SUSPENDED_AT] = time.monotonic()

    def pending(self) -> Pending:
        """What was last said of that; a reader may see a reason with the number before it, once."""
        return Pending(int(self._marks[_PENDING]), self._reason.value.decode(errors="ignore"))

    def note_proxy(self) -> bool:
        """Say that a proxy stands in front; a part that is started again knows it too."""
        self._marks[_PROXY] = 1.0
        return self._first_proxy.acquire(block=False)

    def has_proxy(self) -> bool:
        """Whether somebody has said so."""
        return bool(self._marks[_PROXY])

    def _end_with_supervisor(self) -> None:
        self._parent_pipe.poll(None)
        if not self._marks[_STOPPING]:
            end_process_group()
        self.on_stop()


class Unwatched:
    """A line at whose other end nobody is: it only remembers what was said."""

    # Of the whole process: `attached` makes a new line each time that it is asked.
    _proxy = threading.Event()

    def __init__(self) -> None:
        self._pending = Pending(0, "")

    def beat(self) -> None:
        """Nobody listens."""

    def mark_hand_over(self) -> None:
        """Nobody listens."""

    def suspend_deadline(self) -> None:
        """Nobody listens."""

    def mark_pending(self, ticks: int, reason: str = "") -> None:
        """Remember it."""
        self._pending = Pending(ticks, reason)

    def pending(self) -> Pending:
        """What was said."""
        return self._pending

    def note_proxy(self) -> bool:
        """Remember it in this process."""
        is_first = not self._proxy.is_set()
        self._proxy.set()
        return is_first

    def has_proxy(self) -> bool:
        """Whether it was said in this process."""
        return self._proxy.is_set()


class Unsupervised(Unwatched):
    """The line of a run that nobody watches, as under a plain `manage.py qcluster`: it ends with its parent."""

    def __init__(self) -> None:
        super().__init__()
        self._parent = os.getppid()

    def wait(self, seconds: float) -> bool:
        """Sleep; True when the parent process is gone."""
        time.sleep(max(0.0, seconds))
        return os.getppid() != self._parent


class Interruptible(Unwatched):
    """The line of a command in the foreground: SIGINT or SIGTERM ends it after the tick that it is at."""

    def __init__(self) -> None:
        super().__init__()
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end)
        return self

    def __exit__(self, *_error: object) -> None:
        for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
            signal.signal(number, handler)

    def wait(self, seconds: float) -> bool:
        """Sleep; True once a signal has come."""
        return self._ended.wait(max(0.0, seconds))

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._ended.set()


def terminate_self() -> None:
    """End this process as a signal from outside would."""
    os.kill(os.getpid(), signal.SIGTERM)


def end_process_group() -> None:
    """Kill this process and all that it started; where there are no process groups, itself alone."""
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


_attached: Line | None = None


def attach(line: Line) -> None:
    """Make a line this process's own; processes that it forks inherit it."""
    global _attached
    _attached = line


def attached() -> Line:
    """The line of this process."""
    return _attached or Unsupervised()
