"""How one recording run follows another: by two locks of the data directory, which the kernel keeps.

Whoever records holds the one. Whoever is next takes the other and waits; the recorder looks between two ticks whether
somebody holds that, lets go, and ends. A process that was killed lets go of both by itself.
"""

import logging
import time
from collections.abc import Callable

from filelock import FileLock, Timeout

from metrics.storage.file_identity import FileId, file_id
from metrics.storage.locks import NEXT, RECORDER, lock_of

log = logging.getLogger(__name__)

# How often whoever is next tries again: it is on time for a tick that comes so soon after the last one.
RETRY_SECONDS = 0.05
# A recorder looks every five seconds at the latest, unless it is suspended.
OVERDUE_SECONDS = 30.0


class HandOver:
    """The place of one run among those of a data directory, of this process and of others."""

    def __init__(self) -> None:
        self._recorder, self._next = lock_of(RECORDER), lock_of(NEXT)
        self._held: FileId | None = None

    def take(self, wait: Callable[[float], bool]) -> bool:
        """Wait until nobody else records; False where `wait` says that it is time to end instead."""
        began, is_said = time.monotonic(), False
        for lock in (self._next, self._recorder):
            while not _is_acquired(lock):
                if wait(RETRY_SECONDS):
                    self._next.release()
                    return False
                if not is_said and time.monotonic() - began > OVERDUE_SECONDS:
                    is_said = True
                    log.warning("another recorder does not let go of %s", self._recorder.lock_file)
        self._next.release()
        self._held = file_id(self._recorder.lock_file)
        return True

    def is_wanted(self) -> bool:
        """Whether another run waits for this one to let go. Where that cannot be found out, nobody does."""
        try:
            if not self._is_held() or not _is_acquired(self._next):
                return True
        except OSError as error:
            log.warning("cannot find out who records next: %s", error)
            return False
        self._next.release()
        return False

    def _is_held(self) -> bool:
        """Whether this run holds what others look at: where the directory was moved or removed the path of the lock
        names another file, which is taken unless another recorder has it."""
        if not self._recorder.is_locked or file_id(self._recorder.lock_file) == self._held:
            return True
        self._recorder.release()
        # It makes the directory where that is gone.
        self._recorder = lock_of(RECORDER)
        if not _is_acquired(self._recorder):
            log.warning("another recorder has taken the data directory: %s", self._recorder.lock_file)
            return False
        self._held = file_id(self._recorder.lock_file)
        return True

    def let_go(self) -> None:
        """Leave recording to whoever is next."""
        self._recorder.release()


def is_recorder_here() -> bool:
    """Whether a run of this data directory records now."""
    recorder = lock_of(RECORDER)
    if not _is_acquired(recorder):
        return True
    recorder.release()
    return False


def _is_acquired(lock: FileLock) -> bool:
    try:
        lock.acquire()
    except Timeout:
        return False
    return True
