"""How far retention believes the clock, by which it deletes: a wrong one must cost no history.

A board without a battery starts in 1970, a broken clock says 2099 for some hours. So after a jump of more than a day
nothing is deleted for a day that only the new time makes too old, or puts too far ahead.
"""

import time
from dataclasses import dataclass

from metrics.models import Host
from metrics.models.present import last_present_moment

DAY_SECONDS = 86_400
# Before this there was no Python that runs this program: a clock that says so is wrong.
FIRST_PLAUSIBLE = 1_666_569_600  # 2022-10-24T00:00:00Z, Python 3.11


@dataclass(frozen=True, slots=True)
class BelievedClock:
    """The clock of now, as far as it is believed; all in seconds since the epoch."""

    now: float
    """What ages are counted from: after a jump forward, what it would be without the jump."""
    last_present: int
    """What lies behind it lies ahead."""
    is_plausible: bool
    jumped_at: int | None = None
    """When it jumped by more than a day, within the last day; None where it did not."""
    jump_seconds: int = 0

    @classmethod
    def of(cls, host: Host) -> "BelievedClock":
        """The clock as a host's recorder has seen it."""
        now = time.time()
        is_plausible = now >= FIRST_PLAUSIBLE
        jumped_at = None if host.clock_jumped_at is None else int(host.clock_jumped_at.timestamp())
        if jumped_at is None or not 0 <= now - jumped_at < DAY_SECONDS:
            return cls(now, last_present_moment(), is_plausible)
        jump = host.clock_jump_seconds or 0
        return cls(now - max(0, jump), last_present_moment(), is_plausible, jumped_at, jump)

    @property
    def protects_what_was_before(self) -> bool:
        """Whether raw points from before a jump forward are kept beside those of the new time."""
        return self.jump_seconds > 0 and (self.jumped_at or 0) - self.jump_seconds >= FIRST_PLAUSIBLE

    @property
    def may_drop_far_ahead(self) -> bool:
        """Whether a roll-up that lies far ahead is one of a clock that was wrong, and not this clock itself is."""
        return self.is_plausible and self.jumped_at is None
