"""Writes a simulated history, quarter by quarter.

What can be computed is: whole quarters that were recorded without a break and whose raw points are long gone. The
others (the newest ones, and those with a gap or a reboot) are played tick by tick to the recorder and the roll-ups.
"""

from collections.abc import Iterator, Sequence

from django.db import transaction

from metrics import conf
from metrics.models import Host, Tick
from metrics.models.inserts import insert_stored
from metrics.models.samples import sample_models
from metrics.recording.runner import Outcome, Run
from metrics.recording.samples import TakenReading, drafts_of
from metrics.recording.writing import FamilyTick, TickRecord, TickWriter
from metrics.retention.rollup import roll_up, roll_up_again
from metrics.retention.rollup_processes import others_of
from metrics.simulation.bulk import QuarterRows, Rows
from metrics.simulation.events import Pause, pauses_in
from metrics.simulation.hosts import SIMULATED
from metrics.simulation.lines import QUARTER_SECONDS
from metrics.simulation.machine import Machine
from metrics.simulation.quarters import Quarter, QuarterPlan
from metrics.simulation.readings import Counters, readings_at
from metrics.simulation.residents import Boot
from metrics.tiers import RAW, tiers

# Quarters whose rows are inserted by one transaction.
BATCH_QUARTERS = 48
# How long the machine has been up when its history begins, and how long it takes to start.
FIRST_UPTIME_SECONDS, STARTING_SECONDS = 400_000, 20
# How long a tick is said to have been late and to have taken.
LAG_SECONDS, TICK_SECONDS = 0.002, 0.012


class History:
    """The history of one machine from `start` to `end` (the newest tick).

    With `every_tick` nothing is computed, with `every_minute` minutes are stored that retention is going to delete.
    """

    def __init__(
        self, machine: Machine, start: int, end: int, *, every_tick: bool = False, every_minute: bool = False
    ) -> None:
        self.machine = machine
        self.start, self.end = (moment - moment % machine.interval_seconds for moment in (start, end))
        self.boot = Boot(0, self.start - FIRST_UPTIME_SECONDS)
        self.host = self._host()
        self._counters = Counters()
        self.player = Player(self.host)
        self._computed = QuarterRows(self.host, self.player.writer.identities.ids_of, others_of(self.host))
        self._every_tick = every_tick
        self._oldest_raw = self._oldest_raw_tick()
        fine_seconds = max(tier.kept_seconds for tier in tiers() if tier.width_seconds < QUARTER_SECONDS)
        self._minutes_since = 0 if every_minute else self.end - fine_seconds - QUARTER_SECONDS
        self._batch: list[Rows] = []
        self._was_computed = False

    @property
    def quarters(self) -> range:
        """The starts of the quarters."""
        return range(self.start - self.start % QUARTER_SECONDS, self.end + 1, QUARTER_SECONDS)

    def write(self) -> Iterator[int]:
        """Write everything, and yield the start of each quarter that is done; may be left after any of them."""
        for start in self.quarters:
            self._write_quarter(start)
            yield start
        self.finish(self.end)

    def finish(self, end: int) -> None:
        """Store what has been computed, and the wider tiers up to a moment; due as well where `write` was left."""
        self.flush()
        roll_up_wide(self.host, self.start, end)

    def flush(self) -> None:
        """Store what has been computed."""
        with transaction.atomic():
            for model in sample_models():
                rows = [row for quarter in self._batch for row in quarter[model]]
                names = tuple(rows[0]) if rows else ()
                insert_stored(model, names, [tuple(row.values()) for row in rows])
        self._batch.clear()

    def _host(self) -> Host:
        booted = {"boot_id": self._boot_id(), "booted_at": self.boot.booted_at}
        host = Host.objects.create(name=self.machine.name, **self.machine.facts, **booted, first_seen_at=self.start)
        host.refresh_from_db()
        return host

    def _boot_id(self) -> str:
        return f"{SIMULATED}{self.boot.number}"

    def _oldest_raw_tick(self) -> int:
        """The oldest tick whose raw points are still there at the end."""
        tick, left = self.end, conf.max_points()
        while tick > self.start and left:
            left -= not is_paused(self.machine, tick)
            tick -= self.machine.interval_seconds
        return tick

    def _write_quarter(self, start: int) -> None:
        """Play or compute a quarter; a reboot cuts it in two."""
        quarter = QuarterPlan(self.machine, self.boot, start).quarter()
        end = start + QUARTER_SECONDS
        pauses = pauses_in(self.machine, start, end)
        if self._is_whole(start, end) and not pauses and not self._every_tick:
            self._compute(quarter)
        else:
            self.flush()
            quarter = self._play(quarter, pauses)
        self._counters.advance(quarter)

    def _is_whole(self, start: int, end: int) -> bool:
        return self.start < start and end <= self._oldest_raw and end <= self.end

    def _compute(self, quarter: Quarter) -> None:
        rows = self._computed.rows(quarter, self._counters, with_minutes=quarter.start >= self._minutes_since)
        self._batch.append(rows)
        self._was_computed = True
        if len(self._batch) >= BATCH_QUARTERS:
            self.flush()

    def _play(self, quarter: Quarter, pauses: Sequence[Pause]) -> Quarter:
        """Hand the ticks to the recorder; return the quarter as it is at its end."""
        interval = self.machine.interval_seconds
        if self._was_computed:
            self.player.come_to(quarter, self._counters)
            self._was_computed = False
        restarts = {pause.end for pause in pauses if pause.reboot}
        with transaction.atomic():
            for tick in range(quarter.ticks):
                timestamp = quarter.start + tick * interval
                if timestamp in restarts:
                    quarter = self._restart(timestamp)
                    self._counters.reset(tick)
                if self.start <= timestamp <= self.end and not is_paused(self.machine, timestamp):
                    self.player.play(quarter, self._counters, tick)
        roll_up(self.host)
        if quarter.start + QUARTER_SECONDS <= self._oldest_raw:
            self._drop_raw(quarter)
        return quarter

    def _restart(self, timestamp: int) -> Quarter:
        """The machine was booted before this tick."""
        self.boot = Boot(self.boot.number + 1, timestamp - STARTING_SECONDS)
        changed = {"boot_id": self._boot_id(), "booted_at": self.boot.booted_at}
        Host.objects.filter(pk=self.host.pk).update(**changed)
        self.host.refresh_from_db()
        return QuarterPlan(self.machine, self.boot, timestamp - timestamp % QUARTER_SECONDS).quarter()

    def _drop_raw(self, quarter: Quarter) -> None:
        """What retention would have deleted long ago."""
        end = quarter.start + QUARTER_SECONDS
        for model in sample_models():
            rows = model._default_manager.filter(host=self.host, tier=RAW, timestamp__lt=end)
            rows._raw_delete(rows.db)
        Tick.objects.filter(host=self.host, timestamp__lt=end).delete()


def roll_up_wide(host: Host, start: int, end: int) -> None:
    """Compute what is made from quarters of an hour, of a stretch of time."""
    for tier in tiers():
        if tier.width_seconds > QUARTER_SECONDS:
            roll_up_again(host, tier, start, end)


class Player:
    """Plays ticks to the recorder's own code: readings become samples, and samples are written."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.writer = TickWriter(host)
        self._before: dict[str, TakenReading] = {}
        self._runs = 0

    def come_to(self, quarter: Quarter, counters: Counters) -> None:
        """The quarter before this one was computed: take the reading that its last tick would have left."""
        self._before = self._taken(quarter, counters, -1)

    def play(self, quarter: Quarter, counters: Counters, tick: int) -> None:
        """Record one tick of a quarter."""
        interval = quarter.machine.interval_seconds
        timestamp = quarter.start + tick * interval
        self._runs += 1
        readings = self._taken(quarter, counters, tick)
        families = [self._family(family, taken, timestamp, interval) for family, taken in readings.items()]
        self.writer.write(TickRecord(timestamp, interval, LAG_SECONDS, TICK_SECONDS, families))
        self._before = readings

    def _taken(self, quarter: Quarter, counters: Counters, tick: int) -> dict[str, TakenReading]:
        timestamp = quarter.start + tick * quarter.machine.interval_seconds
        uptime = float(timestamp - quarter.boot.booted_at)
        readings = readings_at(quarter, counters, tick).items()
        return {name: TakenReading(timestamp, uptime, self.host.boot_id, reading) for name, reading in readings}

    def _family(self, family: str, taken: TakenReading, timestamp: int, interval: int) -> FamilyTick:
        run = Run(family, Outcome.OK, taken.uptime_seconds, TICK_SECONDS / 5, taken.rows)
        drafts = drafts_of(family, taken, self._before.get(family), interval)
        return FamilyTick(run, self._runs, 0, timestamp, taken, drafts)


def is_paused(machine: Machine, timestamp: int) -> bool:
    """Whether nothing was recorded at a tick."""
    return any(pause.start <= timestamp < pause.end for pause in pauses_in(machine, timestamp, timestamp + 1))
