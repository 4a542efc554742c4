"""Ships what is new to each destination, from where its cursor stands, within a time."""

import logging
import time
from collections.abc import Callable, Sequence
from importlib import import_module

from metrics import conf
from metrics.forwarding.batches import Batch
from metrics.forwarding.destinations import Destination, Format
from metrics.forwarding.sending import NotSentError, RefusedError, TooLargeError, send
from metrics.history.ticks import StoredTick, ticks_after
from metrics.models import ForwardCursor, Host
from metrics.models.present import last_present_moment

log = logging.getLogger(__name__)

# A task may take ten seconds: the run that takes over waits for it.
BUDGET_SECONDS = 8.0
SHORTEST_ATTEMPT_SECONDS, MAX_ATTEMPT_SECONDS = 0.5, 5.0
# Of a batch: bounds for the memory that it takes, here and there.
FIRST_TICKS, MAX_TICKS, MAX_POINTS = 10, 100, 20_000
# A little less than a number of runs of the task, which starts each minute: else every pause would cost one more.
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 25.0, 280.0

Encode = Callable[[Host, Sequence[StoredTick]], Batch]
# Loaded when a destination wants it, with the libraries that it needs.
ENCODERS = {
    Format.LINE_PROTOCOL: "metrics.forwarding.line_protocol",
    Format.REMOTE_WRITE: "metrics.forwarding.remote_write",
}


def forward(host: Host, budget_seconds: float = BUDGET_SECONDS) -> int:
    """Ship to every destination whose time has come; return how many points were taken.

    Those that work go first and share the time that is left, so one that does not answer costs the others nothing.
    """
    now = time.time()
    shipments = [Shipment(host, destination) for destination in conf.forward_destinations()]
    due = sorted((s for s in shipments if s.is_due(now)), key=lambda shipment: shipment.cursor.failures_in_a_row)
    end, points = time.monotonic() + budget_seconds, 0
    for left, shipment in zip(range(len(due), 0, -1), due, strict=True):
        share = (end - time.monotonic()) / left
        points += shipment.run(time.monotonic() + share)
    return points


class Shipment:
    """One destination of a host, and its cursor."""

    def __init__(self, host: Host, destination: Destination) -> None:
        self.host, self.destination = host, destination
        self.cursor, _is_new = ForwardCursor.objects.get_or_create(host=host, destination=destination.name)
        self._most_ticks = FIRST_TICKS

    def is_due(self, now: float) -> bool:
        """Whether its pause after a failure is over."""
        return self.cursor.retry_at is None or self.cursor.retry_at.timestamp() <= now

    def run(self, end: float) -> int:
        """Ship batches until there is nothing left, it fails, or `end` on the monotonic clock is near.

        One is tried always. After that none is begun that would need more time than there is: a far side that is slow
        would pass for one that does not answer.
        """
        points, needed = 0, 0.0
        while ticks := ticks_after(self.host, self.cursor.last_tick, self._most_ticks):
            began = time.monotonic()
            if needed and began + needed > end:
                break
            try:
                points += self._ship(ticks, end)
            except TooLargeError as error:
                self._send_less(ticks, str(error))
            except RefusedError as error:
                self._give_up(ticks, str(error))
            except NotSentError as error:
                self._pause(error)
                break
            needed = 2 * (time.monotonic() - began)
        return points

    def _ship(self, ticks: Sequence[StoredTick], end: float) -> int:
        batch = self._encode(ticks)
        if batch.points:
            seconds = max(SHORTEST_ATTEMPT_SECONDS, min(MAX_ATTEMPT_SECONDS, end - time.monotonic()))
            send(self.destination, batch, seconds)
            # Twice as many at the most: of those before, some may have had no point.
            self._most_ticks = max(1, min(2 * len(ticks), MAX_TICKS, MAX_POINTS * len(ticks) // batch.points))
        if self.cursor.failures_in_a_row:
            log.warning("forwarding to %s works again", self.destination.name)
        self._advance(ticks, batch.points)
        return batch.points

    def _encode(self, ticks: Sequence[StoredTick]) -> Batch:
        encode: Encode = import_module(ENCODERS[self.destination.format]).encode
        return encode(self.host, ticks)

    def _advance(self, ticks: Sequence[StoredTick], points: int, message: str = "") -> None:
        """Stand behind these ticks, with nothing wrong but what the message says."""
        times = [tick.timestamp for tick in ticks]
        if self.cursor.newest is not None and (newest := int(self.cursor.newest.timestamp())) <= last_present_moment():
            times.append(newest)
        self._keep(
            last_tick=ticks[-1].row,
            newest=max(times),
            points=self.cursor.points + points,
            failures_in_a_row=0,
            message=message,
            succeeded_at=time.time(),
            retry_at=None,
        )

    def _send_less(self, ticks: Sequence[StoredTick], message: str) -> None:
        if len(ticks) == 1:
            self._give_up(ticks, message)
        self._most_ticks = max(1, len(ticks) // 2)

    def _give_up(self, ticks: Sequence[StoredTick], message: str) -> None:
        """Leave ticks behind that the far side will never take: those after them have to go on."""
        if self.cursor.message != message:
            log.error("%s does not take what it was sent: %s", self.destination.name, message)
        self._keep(refused_ticks=self.cursor.refused_ticks + len(ticks), errors=self.cursor.errors + 1)
        self._advance(ticks, 0, message)

    def _pause(self, error: NotSentError) -> None:
        """Try again later, and later still the longer it lasts."""
        failures = self.cursor.failures_in_a_row + 1
        if failures == 1:
            log.error("forwarding to %s does not work: %s", self.destination.name, error)
        pause = min(FIRST_PAUSE_SECONDS * 2 ** min(failures - 1, 10), MAX_PAUSE_SECONDS)
        self._keep(
            failures_in_a_row=failures,
            errors=self.cursor.errors + 1,
            message=str(error),
            retry_at=time.time() + max(pause, error.retry_after_seconds),
        )

    def _keep(self, **values: object) -> None:
        ForwardCursor.objects.filter(pk=self.cursor.pk).update(**values)
        self.cursor.refresh_from_db()
