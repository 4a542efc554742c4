"""One host's recording: take a tick, compute its samples from the readings before, store it or hold it back."""

import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.db import DatabaseError, InterfaceError

from metrics import conf
from metrics.collectors import machine
from metrics.models import CollectorState, Host, NewestReading, Recorder, Tick
from metrics.models.events import NewEvent
from metrics.recording.boots import follow_clock
from metrics.recording.busiest import Busiest
from metrics.recording.clock_jumps import ClockWatch
from metrics.recording.doubles import drop_doubles
from metrics.recording.left_out import left_out
from metrics.recording.oom_kills import OomKills
from metrics.recording.pending import BackgroundTicks, PendingTicks, Report, nobody
from metrics.recording.plausibility import drop_impossible
from metrics.recording.remounts import remounts
from metrics.recording.rivals import note_recorder, recorder_id
from metrics.recording.runner import Outcome, Run, Runner, runners, uptime_seconds
from metrics.recording.samples import TakenReading, drafts_of
from metrics.recording.silences import Ended, LastTick, Now, Silence, silence_between, suspended_seconds
from metrics.recording.writing import FamilyTick, TickRecord, TickWriter, packed

log = logging.getLogger(__name__)

# A collector that has not answered by then is given up for this tick.
MAX_TIMEOUT_SECONDS = 5.0
# Two boot times further apart than this are two boots, where the system has no id for a boot.
SAME_BOOT_SECONDS = 60.0


class Recording:
    """Samples this machine under a host's name."""

    def __init__(
        self,
        host: Host,
        interval_seconds: int,
        family_runners: Sequence[Runner] | None = None,
        pending: PendingTicks | None = None,
    ) -> None:
        self.host = host
        self.interval_seconds = interval_seconds
        self.newest_tick: int | None = None
        """The newest one that was taken in this process; it may still wait to be stored."""
        self._runners = runners() if family_runners is None else family_runners
        self._pending = PendingTicks() if pending is None else pending
        self._newest: dict[str, TakenReading] = {}
        self._states: dict[str, CollectorState] = {}
        # As of the last tick, and not of a warm-up: up to there it was told what had happened.
        self._told: dict[str, TakenReading] = {}
        self._last: LastTick | None = None
        self._oom_kills = OomKills()
        self._busiest = Busiest()
        self.renew(host)
        self._read_what_is_stored()
        for runner in self._runners:
            if (kept := self._newest.get(runner.family)) and self._is_of_now(kept):
                runner.resume(kept.rows)

    def begin(self, report: Report = nobody) -> bool:
        """A run begins to record; True where another one of this process still does. `report` is told how many ticks
        wait for the database, and why."""
        return self._pending.begin(report)

    def end(self) -> None:
        """A run is over."""
        self._pending.end()

    def renew(self, host: Host) -> None:
        """Go on under the host's row as it is now: with what the machine says of itself, or another one altogether
        where the database was replaced."""
        self.host = host
        self._writer = TickWriter(host, this_host)
        self._pending.use(self._writer, self.interval_seconds)

    def take_over(self, pid: int, moment: float, *, is_successor: bool) -> None:
        """A run has its turn: it is said in the database, with the next tick, who records. What a run of another
        process has stored meanwhile is read; one of this process has left it here."""
        self._writer.recorder = {
            "host": self.host.pk,
            "pid": pid,
            "taken_over_at": moment,
            "released_at": None,
            "machine_id": recorder_id(),
            "suspended_seconds": suspended_seconds(),
        }
        if is_successor:
            return
        try:
            self._read_what_is_stored()
            self._last = self._last_stored_tick()
        except (DatabaseError, InterfaceError) as error:
            log.warning("cannot read the newest readings: %s", error)

    def _read_what_is_stored(self) -> None:
        """The newest reading and the outcomes of each family, but for what this process knows better."""
        for kept in NewestReading.objects.filter(host=self.host):
            known = self._newest.get(kept.family)
            if known is None or known.boot_id != kept.boot_id or known.uptime_seconds < kept.uptime_seconds:
                self._newest[kept.family] = self._told[kept.family] = TakenReading.stored(kept)
        for state in CollectorState.objects.filter(host=self.host):
            if state.family not in self._states or self._states[state.family].runs < state.runs:
                self._states[state.family] = state
        self._clock = ClockWatch(self._newest.values(), self.host.boot_id)

    @property
    def pending_ticks(self) -> int:
        """How many ticks wait for the database."""
        return len(self._pending)

    def tick(self, timestamp: int) -> TickRecord:
        """Take the tick of a nominal time and hand it over to be stored."""
        record = self.take(timestamp)
        record.silence, record.events = self._silence(record), self._events(self._told)
        self._told = dict(self._newest)
        self.newest_tick = timestamp
        self._pending.add(record)
        return record

    def _last_stored_tick(self) -> LastTick | None:
        """The newest tick that is stored, and what became of the recorder that took it."""
        tick = Tick.objects.filter(host=self.host).order_by("-pk").first()
        reading = max(self._newest.values(), key=lambda kept: (kept.timestamp, kept.uptime_seconds), default=None)
        if tick is None or reading is None:
            return None
        recorder = Recorder.objects.filter(host=self.host).first()
        released_at = recorder.released_at.timestamp() if recorder and recorder.released_at else None
        ended = Ended.IN_ORDER if released_at or recorder is None else Ended.ABRUPTLY
        if recorder and recorder.machine_id not in {"", recorder_id()}:
            ended = Ended.ELSEWHERE
        return LastTick(
            int(tick.timestamp.timestamp()),
            tick.resolution,
            reading.uptime_seconds,
            reading.boot_id,
            recorder.suspended_seconds if recorder else None,
            ended,
            released_at,
        )

    def _silence(self, record: TickRecord) -> Silence | None:
        """What happened since the tick before, where it was not a moment ago."""
        booted_at = self.host.booted_at and self.host.booted_at.timestamp()
        uptime = max([family.run.uptime_seconds for family in record.families], default=uptime_seconds())
        clocks = (record.timestamp, record.resolution, uptime, self.host.boot_id)
        suspended = suspended_seconds()
        last, self._last = self._last, LastTick(*clocks, suspended, Ended.NOT)
        return silence_between(last, Now(*clocks, booted_at, suspended)) if last else None

    def _events(self, before: Mapping[str, TakenReading]) -> list[NewEvent]:
        """What the readings say that happened since those before."""
        disk = self._newest.get("disk")
        turned_read_only = remounts(disk, before.get("disk")) if disk else []
        return turned_read_only + self._oom_kills.between(before, self._newest, suspended_seconds())

    def warm_up(self) -> bool:
        """Take a reading that the first tick can be compared with, where the newest kept one is too old for that; it is
        not stored. True where it did: then a moment has to go by before the tick."""
        kept_seconds = [
            uptime_seconds() - kept.uptime_seconds for kept in self._newest.values() if self._is_of_now(kept)
        ]
        if kept_seconds and min(kept_seconds) <= conf.stale_after_seconds(self.interval_seconds):
            return False
        for run in (runner.run(self._timeout_seconds) for runner in self._runners):
            if run.reading is not None:
                now = int(time.time())
                self._newest[run.family] = TakenReading(now, run.uptime_seconds, self.host.boot_id, run.reading)
        return True

    def take(self, timestamp: int) -> TickRecord:
        """Run every collector and compute the samples; nothing is stored."""
        began, lag_seconds = time.monotonic(), time.time() - timestamp
        jump = self._clock.jump_at(timestamp, uptime_seconds(), self.host.boot_id)
        runs = [runner.run(self._timeout_seconds) for runner in self._runners]
        families = [self._family_tick(timestamp, run) for run in runs]
        readings = packed(families) if conf.keeps_tick_readings() else None
        duration = time.monotonic() - began
        return TickRecord(timestamp, self.interval_seconds, lag_seconds, duration, families, readings, jump)

    def flush(self) -> bool:
        """Store what is pending, but for what another run of this process stores; False where the database would not
        take it."""
        return self._pending.flush()

    @property
    def _timeout_seconds(self) -> float:
        """Half of the interval, so that a collector that hangs does not cost the next tick."""
        return min(self.interval_seconds / 2, MAX_TIMEOUT_SECONDS)

    def _is_of_now(self, kept: TakenReading) -> bool:
        """Whether a reading was taken since the boot, on the same clock."""
        return kept.boot_id == self.host.boot_id and kept.uptime_seconds <= uptime_seconds()

    def _family_tick(self, timestamp: int, run: Run) -> FamilyTick:
        reading, drafts = None, {}
        summed: Mapping[str, Sequence[str]] = {}
        if run.reading is not None:
            doubles = drop_doubles(run.family, run.reading)
            reading = TakenReading(timestamp, run.uptime_seconds, self.host.boot_id, run.reading)
            drafts = drafts_of(run.family, reading, self._newest.get(run.family), self.interval_seconds)
            run = replace(run, message="; ".join(filter(None, (run.message, doubles, drop_impossible(drafts)))))
            summed = self._busiest.choose(drafts, self.interval_seconds)
            self._newest[run.family] = reading
        state = self._next_state(timestamp, run)
        left = left_out(run.excluded, summed)
        return FamilyTick(run, state.runs, state.failures, _seconds(state), reading, drafts, left)

    def _next_state(self, timestamp: int, run: Run) -> CollectorState:
        before = self._states.get(run.family)
        _log_change(before, run)
        state = self._states[run.family] = before or CollectorState(host=self.host, family=run.family)
        state.outcome, state.message = run.outcome, run.message
        state.runs += 1
        state.failures += run.outcome == Outcome.FAILED
        if run.outcome == Outcome.OK:
            state.succeeded_at = timestamp
        return state


_of_process: Recording | None = None


def recording_of_process(host: Host, interval_seconds: int) -> Recording:
    """What the runs of this process have in common: the ticks that wait, and what the next rates are computed from.

    Ticks are stored in a thread of their own: a disk that takes seconds for a write does not cost the next one.
    """
    global _of_process
    known = _of_process
    if known and (known.host.pk, known.interval_seconds) == (host.pk, interval_seconds):
        known.renew(host)
        return known
    _of_process = Recording(host, interval_seconds, pending=known._pending if known else BackgroundTicks())
    return _of_process


def _forget() -> None:
    """A forked process has ticks of its own, and none of those that its parent stores."""
    global _of_process
    _of_process = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def this_host() -> Host:
    """This machine's row, brought up to date by a run that is about to record it."""
    facts = machine.describe()
    first = {**facts, "boot": 1, "first_seen_at": time.time()}
    host, is_new = Host.objects.get_or_create(name=conf.host_name(), defaults=first)
    note_recorder(host)
    if not is_new:
        _renew(host, facts)
    host.refresh_from_db()
    return host


def _renew(host: Host, facts: Mapping[str, object]) -> None:
    """Take over what changed."""
    if not _is_same_boot(host, facts):
        Host.objects.filter(pk=host.pk).update(**facts, boot=host.boot + 1)
        return
    Host.objects.filter(pk=host.pk).update(**{name: value for name, value in facts.items() if name != "booted_at"})
    if host.boot_id:
        follow_clock(host, float(facts["booted_at"]))  # type: ignore[arg-type]


def _is_same_boot(host: Host, facts: Mapping[str, object]) -> bool:
    if host.booted_at is None or host.boot_id != facts["boot_id"]:
        return False
    booted_at = float(facts["booted_at"])  # type: ignore[arg-type]
    return bool(host.boot_id) or abs(booted_at - host.booted_at.timestamp()) < SAME_BOOT_SECONDS


def _seconds(state: CollectorState) -> int | None:
    moment = state.succeeded_at
    return int(moment.timestamp()) if hasattr(moment, "timestamp") else moment


def _log_change(before: CollectorState | None, run: Run) -> None:
    """Once when a collector begins to fail, and once when it has recovered."""
    was_failing = before is not None and before.outcome == Outcome.FAILED
    if run.outcome == Outcome.FAILED and not was_failing:
        log.error("collector %s failed: %s", run.family, run.message)
    elif run.outcome != Outcome.FAILED and was_failing:
        log.warning("collector %s has recovered", run.family)
