"""Notices that the clock jumped by more than a day: the time since the boot, which nobody can set, says otherwise."""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from metrics.recording.samples import TakenReading

log = logging.getLogger(__name__)

# A clock that is wrong by less is corrected within a day, and what it wrote lies within what is kept.
MIN_JUMP_SECONDS = 86_400


class ClockReading(NamedTuple):
    """What the wall clock said so many seconds after a boot."""

    timestamp: int
    uptime_seconds: float
    boot_id: str

    def jump_since(self, before: "ClockReading") -> int:
        """By how many seconds the clock jumped between two readings, 0 for less than a day.

        After another boot nobody knows how long the machine was off, but time has not gone backwards. Without an id of
        the boot, the clock of the time since the boot may stand still in sleep.
        """
        if not self.boot_id or not before.boot_id:
            return 0
        elapsed = self.timestamp - before.timestamp
        if self.boot_id == before.boot_id:
            jump = round(elapsed - (self.uptime_seconds - before.uptime_seconds))
        else:
            jump = min(elapsed, 0)
        return jump if abs(jump) > MIN_JUMP_SECONDS else 0


class ClockWatch:
    """Compares each tick's time with that of the tick before, also across runs: with the newest stored readings."""

    def __init__(self, kept: Iterable[TakenReading], boot_id: str) -> None:
        readings = [ClockReading(one.timestamp, one.uptime_seconds, one.boot_id) for one in kept]
        # The family that was read last; one that fails for long may still have a reading of an older boot.
        of_this_boot = [reading for reading in readings if reading.boot_id == boot_id]
        self._before = max(of_this_boot or readings, key=lambda reading: reading.uptime_seconds, default=None)

    def jump_at(self, timestamp: int, uptime_seconds: float, boot_id: str) -> int:
        """By how many seconds the clock jumped since the tick before, said once in the log; 0 where it did not."""
        reading = ClockReading(timestamp, uptime_seconds, boot_id)
        jump = reading.jump_since(self._before) if self._before else 0
        self._before = reading
        if jump:
            way = "forward" if jump > 0 else "back"
            log.warning(
                "the clock jumped %s by %.1f days: ticks go on at the time that it says now", way, abs(jump) / 86_400
            )
        return jump
