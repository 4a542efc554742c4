"""A recording run: keeps ticking until the run after it waits for its turn.

django-q2's smallest unit is a minute, so each minute it starts a run, which follows the one before (hand_over.py). A
newcomer that fails before its turn leaves the old run at work. Of two runs one records at a time, so each tick is taken
once; one that was taken twice all the same is refused by the database.
"""

import logging
import os
import time
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError

from metrics.models import Host, Recorder, Tick
from metrics.recording.hand_over import HandOver
from metrics.recording.heartbeat import Line
from metrics.recording.recording import Recording

log = logging.getLogger(__name__)

# The longest sleep: after it the run beats, looks who is next, and looks at the wall clock again, which may have been
# set.
MAX_WAIT_SECONDS = 5.0
# The shortest time over which the first tick's rates are computed.
WARM_UP_SECONDS = 0.3
# How long the last run of a process goes on trying to store what the database did not take, and how often: until its
# worker is needed for the next hand-over; when everything is to end, for as long as there is time for it.
FLUSH_SECONDS, LAST_FLUSH_SECONDS, FLUSH_PAUSE_SECONDS = 60.0, 2.0, 0.5
# How long a run of another process has to wait until it can read which was the last tick.
HAND_OVER_FLUSH_SECONDS = 1.0


class RecordingRun:
    """One recorder of one host, from its turn to its end.

    `at_set_back` is called when the clock was set back: what is planned by the clock would come too late.
    """

    def __init__(
        self,
        recording: Recording,
        line: Line,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        at_set_back: Callable[[], object] = lambda: None,
        hand_over: HandOver | None = None,
    ) -> None:
        self.recording = recording
        self.interval_seconds = recording.interval_seconds
        self._host: Host = recording.host
        self._line = line
        self._now = now
        self._sleep = sleep
        self._at_set_back = at_set_back
        self._hand_over = hand_over or HandOver()
        self._is_wanted = self._has_to_end = False

    def run(self, duration_seconds: float | None = None) -> int:
        """Tick until it is over; return how many ticks were taken, 0 where it was told to end before its turn."""
        is_successor = self.recording.begin(self._line.mark_pending)
        try:
            if not self._hand_over.take(self._line.wait):
                return 0
            try:
                return self._record(is_successor, duration_seconds)
            finally:
                self._hand_over.let_go()
        finally:
            self.recording.end()

    def _record(self, is_successor: bool, duration_seconds: float | None) -> int:
        """`is_successor` says that the run before was one of this process, which knows what that has left."""
        taken_over_at = self._now()
        self.recording.take_over(os.getpid(), taken_over_at, is_successor=is_successor)
        self._line.mark_hand_over()
        first_tick = self._first_tick(is_successor)
        if self.recording.warm_up():
            self._line.wait(WARM_UP_SECONDS)
        end = None if duration_seconds is None else self._now() + duration_seconds
        ticks, timestamp = 0, self._wait_for(first_tick)
        while timestamp is not None and (end is None or timestamp < end):
            self.recording.tick(timestamp)
            ticks += 1
            timestamp = self._wait_for(self._next_tick())
        self._end(taken_over_at)
        return ticks

    def _first_tick(self, is_successor: bool) -> int:
        """The newest multiple of the interval, so that a start does not wait; the next one if that was taken."""
        due = self._multiple(self._now())
        is_taken = self.recording.newest_tick == due if is_successor else self._is_recorded(due)
        return self._next_tick() if is_taken else due

    def _is_recorded(self, timestamp: int) -> bool:
        try:
            return Tick.objects.filter(host=self._host, timestamp=timestamp).exists()
        except (DatabaseError, InterfaceError) as error:
            log.warning("cannot read the newest tick: %s", error)
            return False

    def _next_tick(self) -> int:
        return self._multiple(self._now()) + self.interval_seconds

    def _multiple(self, moment: float) -> int:
        return int(moment // self.interval_seconds) * self.interval_seconds

    def _wait_for(self, timestamp: int) -> int | None:
        """Sleep up to a tick and return the one that is due then: another one where the clock was set or the machine
        was suspended meanwhile; None when this run was told to end, or another one waits for its turn.

        Whether one does is looked at long before a tick, so that it is on time for it.
        """
        while not self._is_over() and not self._line.wait(min(remaining := timestamp - self._now(), MAX_WAIT_SECONDS)):
            self._line.beat()
            if remaining <= MAX_WAIT_SECONDS and self._now() >= timestamp:
                return max(timestamp, self._multiple(self._now()))
            if timestamp - self._now() > self.interval_seconds:
                timestamp = self._next_tick()
                self._set_back()
        return None

    def _set_back(self) -> None:
        log.warning("the clock was set back")
        try:
            self._at_set_back()
        except DatabaseError as error:
            log.warning("what is planned by the clock stays as it was: %s", error)

    def _is_over(self) -> bool:
        self._is_wanted = self._hand_over.is_wanted()
        return self._is_wanted

    def _end(self, taken_over_at: float) -> None:
        """Let go, and store what had to wait unless another run of this process does. One of another process finds in
        the database which tick was the last."""
        if self._is_wanted:
            self._flush(HAND_OVER_FLUSH_SECONDS)
            self._hand_over.let_go()
        if not self._flush(FLUSH_SECONDS):
            what = "the process ends: they are lost" if self._has_to_end else "they go on waiting in this process"
            log.error("the database has not taken %d ticks, and %s", self.recording.pending_ticks, what)
        if self._is_wanted:
            return
        try:
            own = Recorder.objects.filter(host=self._host, pid=os.getpid(), taken_over_at=taken_over_at)
            own.update(released_at=self._now())
        except DatabaseError as error:
            log.warning("cannot note that recording has ended: %s", error)

    def _flush(self, patience_seconds: float) -> bool:
        """Whether nothing waits any longer. What does is lost only with the process: its next run stores it."""
        began = self._now()
        while not self.recording.flush():
            if self._now() - began > patience_seconds:
                return False
            if self._line.wait(FLUSH_PAUSE_SECONDS):
                patience_seconds, self._has_to_end = LAST_FLUSH_SECONDS, True
                self._sleep(FLUSH_PAUSE_SECONDS)
        return True
