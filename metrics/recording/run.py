"""A recording run: keeps ticking until the run after it has taken over.

django-q2's smallest unit is a minute, so each minute it starts a run, which takes over from the one before. The
lease is a database row that says from which tick on the newcomer records; the old run takes every tick before it.
So each tick is taken once, and a newcomer that fails leaves the old run at work.
"""

import logging
import os
import time
import uuid
from collections.abc import Callable

import psutil
from django.db import DatabaseError, InterfaceError

from metrics.models import Host, Recorder, Tick
from metrics.recording.heartbeat import Line
from metrics.recording.lease import Lease
from metrics.recording.recording import Recording

log = logging.getLogger(__name__)

# The longest sleep: after it the run beats, and looks at the wall clock again, which may have been set.
MAX_WAIT_SECONDS = 5.0
# A newcomer leaves the old run at least this much time to read the lease before the next tick.
HAND_OVER_SECONDS = 0.1
# The shortest time over which the first tick's rates are computed.
WARM_UP_SECONDS = 0.3
# The names of the runs that are at work in this process.
_at_work: set[str] = set()
# How long the last run of a process goes on trying to store what the database did not take, and how often: until its
# worker is needed for the next hand-over; when everything is to end, for as long as there is time for it.
FLUSH_SECONDS, LAST_FLUSH_SECONDS, FLUSH_PAUSE_SECONDS = 60.0, 2.0, 0.5


class RecordingRun:
    """One recorder of one host, from its take-over to its end.

    `at_set_back` is called when the clock was set back: what is planned by the clock would come too late.
    """

    def __init__(
        self,
        recording: Recording,
        line: Line,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        at_set_back: Callable[[], object] = lambda: None,
        lease: type[Lease] = Lease,
    ) -> None:
        self.recording = recording
        self.interval_seconds = recording.interval_seconds
        self.name = uuid.uuid4().hex
        self._host: Host = recording.host
        self._line = line
        self._now = now
        self._sleep = sleep
        self._at_set_back = at_set_back
        self._lease = lease(recording.host, self.name, recording.interval_seconds)
        self._can_read_lease = True

    def run(self, duration_seconds: float | None = None) -> int:
        """Tick until it is over; return how many ticks were taken. A DatabaseError where the take-over fails."""
        _at_work.add(self.name)
        self.recording.begin(self._line.mark_pending)
        try:
            return self._run(duration_seconds)
        finally:
            _at_work.discard(self.name)
            self.recording.end()

    def _run(self, duration_seconds: float | None) -> int:
        first_tick = self.take_over()
        if self.recording.warm_up():
            self._line.wait(WARM_UP_SECONDS)
        end = None if duration_seconds is None else self._now() + duration_seconds
        ticks, timestamp = 0, self._wait_for(first_tick)
        while timestamp is not None and (end is None or timestamp < end) and not self._is_over(timestamp):
            self.recording.tick(timestamp)
            ticks += 1
            timestamp = self._wait_for(self._next_tick())
        self._end()
        return ticks

    def take_over(self) -> int:
        """Commit the lease and return this run's first tick, which nobody else will take."""
        has_rival = is_recording(self._host)
        while True:
            first_tick = self._next_tick(after_seconds=HAND_OVER_SECONDS) if has_rival else self._tick_that_is_due()
            self._commit_lease(first_tick)
            # A commit that had to wait may have come after the old run looked: then name a later tick.
            if not has_rival or self._now() < first_tick:
                self._line.mark_hand_over()
                return first_tick

    def _commit_lease(self, first_tick: int) -> None:
        lease = {
            "window": self.name,
            "pid": os.getpid(),
            "boot_id": self._host.boot_id,
            "first_tick": first_tick,
            "taken_over_at": self._now(),
            "released_at": None,
        }
        Recorder.objects.update_or_create(host=self._host, defaults=lease)

    def _tick_that_is_due(self) -> int:
        """The newest multiple of the interval, so that a start does not wait; the next one if that was recorded."""
        due = self._multiple(self._now())
        return self._next_tick() if Tick.objects.filter(host=self._host, timestamp=due).exists() else due

    def _next_tick(self, after_seconds: float = 0.0) -> int:
        return self._multiple(self._now() + after_seconds) + self.interval_seconds

    def _multiple(self, moment: float) -> int:
        return int(moment // self.interval_seconds) * self.interval_seconds

    def _wait_for(self, timestamp: int) -> int | None:
        """Sleep up to a tick and return the one that is due then: another one where the clock was set or the machine
        was suspended meanwhile; None when this run was told to end."""
        while not self._line.wait(min(remaining := timestamp - self._now(), MAX_WAIT_SECONDS)):
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

    def _is_over(self, timestamp: int) -> bool:
        """Whether another run is committed to take this tick. A database that fails says no: recording goes on."""
        try:
            first_tick = self._lease.first_tick_of_another()
        except (DatabaseError, InterfaceError, TimeoutError) as error:
            if self._can_read_lease:
                log.warning("cannot read who records: %s", error)
            self._can_read_lease = False
            return False
        self._can_read_lease = True
        if first_tick is None:
            return False
        ahead_seconds = first_tick - timestamp
        # Further ahead than any newcomer would name: the clock was set back since, and the newcomer is at work.
        return not 0 < ahead_seconds <= 2 * self.interval_seconds

    def _end(self) -> None:
        """Store what had to wait, and give the lease back if it is still this run's."""
        self._lease.close()
        self._flush()
        try:
            Recorder.objects.filter(host=self._host, window=self.name).update(released_at=self._now())
        except DatabaseError as error:
            log.warning("cannot give the recording back: %s", error)

    def _flush(self) -> None:
        """What waits is lost only with the process: the next run of it stores what this one could not."""
        began, patience, is_last = self._now(), FLUSH_SECONDS, False
        while not self.recording.flush():
            if self._now() - began > patience:
                what = "the process ends: they are lost" if is_last else "they go on waiting in this process"
                log.error("the database has not taken %d ticks, and %s", self.recording.pending_ticks, what)
                break
            if self._line.wait(FLUSH_PAUSE_SECONDS):
                patience, is_last = LAST_FLUSH_SECONDS, True
                self._sleep(FLUSH_PAUSE_SECONDS)


def is_recording(host: Host) -> bool:
    """Whether a run records the host now, in this process or in another one of this boot."""
    lease = Recorder.objects.filter(host=host, released_at=None, boot_id=host.boot_id).first()
    if lease is None:
        return False
    # A pid of one's own says nothing: a container that starts again has the same ones.
    return lease.window in _at_work if lease.pid == os.getpid() else psutil.pid_exists(lease.pid)
