"""Stores one tick: every sample of it, the newest readings and the collectors' outcomes, in one transaction."""

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import orjson
from django.db import DatabaseError, OperationalError, connection, transaction

from metrics.collectors import machine
from metrics.models import (
    CollectorState,
    Host,
    NewestProcesses,
    NewestReading,
    ProcessSample,
    ProcessTotals,
    Recorder,
    Sample,
    Tick,
    TickReading,
)
from metrics.models.events import NewEvent, note_event
from metrics.models.inserts import insert, insert_stored, stored
from metrics.models.others import LeftOut
from metrics.recording.boots import follow_clock, is_of_this_boot
from metrics.recording.culprits import culprits_of_tick
from metrics.recording.identities import ProcessIdentities
from metrics.recording.refusals import REFUSED, Item, Refusals, is_refusal
from metrics.recording.runner import Run
from metrics.recording.samples import Drafts, DraftSample, TakenReading, json_of
from metrics.recording.silences import Silence
from metrics.storage.damage_report import is_damage
from metrics.storage.recovery import file_events, usable_file
from metrics.tiers import RAW

T = TypeVar("T")

# More does not fit into the column of every database: 24 days.
MAX_LAG_MILLISECONDS = 2**31 - 1
# Of the readings of a tick, at every tick.
COMPRESSION_LEVEL = 1


@dataclass(slots=True)
class FamilyTick:
    """What one family has to store at a tick. `reading` is None where the collector brought none."""

    run: Run
    runs: int
    failures: int
    succeeded_at: int | None
    reading: TakenReading | None = None
    drafts: Drafts = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)

    def without_what_only_the_newest_keeps(self) -> "FamilyTick":
        """Without the reading, which the next one replaces, and the samples that go with the next tick."""
        drafts = {model: [draft for draft in rows if draft.is_kept] for model, rows in self.drafts.items()}
        return replace(self, reading=None, drafts=drafts)

    def without_what_has_no_room(self) -> "FamilyTick":
        """With null for every value that no column can hold."""
        return replace(
            self, drafts={model: [_fitted(model, draft) for draft in rows] for model, rows in self.drafts.items()}
        )


def packed(families: Sequence[FamilyTick]) -> bytes:
    """All readings of a tick without single processes, as a TickReading holds them."""
    readings = [family.reading.rows for family in families if family.reading]
    rows = {kind: found for reading in readings for kind, found in reading.items() if kind != ProcessSample.kind}
    return zlib.compress(json_of(rows), COMPRESSION_LEVEL)


@dataclass(slots=True)
class TickRecord:
    """A whole tick, computed and ready to be stored. `timestamp` is its nominal time.

    `packed_readings` is there while a destination takes counters: what it wants outlives the readings themselves.
    """

    timestamp: int
    resolution: int
    lag_seconds: float
    duration_seconds: float
    families: list[FamilyTick]
    packed_readings: bytes | None = None
    clock_jump_seconds: int = 0
    """By how much the clock jumped since the tick before, where that was more than a day."""
    silence: Silence | None = None
    events: list[NewEvent] = field(default_factory=list)

    def without_what_only_the_newest_keeps(self) -> "TickRecord":
        """This tick as it is once another one has followed: the tick is stored to the same effect, but what waits for
        the database needs a tenth of the memory."""
        return replace(self, families=[family.without_what_only_the_newest_keeps() for family in self.families])

    def without_what_has_no_room(self) -> "TickRecord":
        """With null for every value that no column can hold, such as that of a driver that counts down from zero: it
        costs its own place, not the tick."""
        return replace(self, families=[family.without_what_has_no_room() for family in self.families])


def _fitted(model: type[Sample], draft: DraftSample) -> DraftSample:
    fits = {field.name for field in model.measures() if field.has_room_for(draft.values[field.name])}
    return draft._replace(values={name: value if name in fits else None for name, value in draft.values.items()})


class TickWriter:
    """Writes the ticks of one host; remembers the identities of the processes of the last one."""

    def __init__(self, host: Host, look_up_host: Callable[[], Host] | None = None) -> None:
        self.host = host
        self.identities = ProcessIdentities(host)
        self._look_up_host = look_up_host
        self._follows_clock = is_of_this_boot(host)
        self._refusals: Refusals | None = None
        self.recorder: dict[str, Any] | None = None
        """Who records, to be stored with the next tick: the values of a row of Recorder."""
        self._stored_recorder: dict[str, Any] | None = None
        self.left_out = ""
        """What the database refused of the newest tick."""
        self._file_changes: int | None = None
        self._file_events: list[NewEvent] = []

    def write(self, tick: TickRecord) -> bool:
        """Store a tick, but for rows that the database refuses for what they hold, or nothing of it; False where this
        moment has been recorded before.

        Raises django.db.OperationalError where the database cannot take it now.
        """
        try:
            return self._write_to_usable_file(tick)
        except DatabaseError as error:
            if not is_damage(error.__cause__):
                raise
            # Whoever wrote has reported it: now the file is looked into first.
            return self._write_to_usable_file(tick)

    def _write_to_usable_file(self, tick: TickRecord) -> bool:
        with usable_file() as changes:
            if self._file_changes not in {None, changes}:
                self._follow_file()
            if self._file_changes != changes:
                self._file_events = file_events()
            self._file_changes = changes
            return self._write_what_is_taken(tick)

    def _follow_file(self) -> None:
        """Another file has this host, and its processes, under other ids, or not yet."""
        self.identities.forget()
        if self._look_up_host:
            vars(self.host).update(vars(self._look_up_host()))
        if recorder := self.recorder or self._stored_recorder:
            self.recorder = {**recorder, "host": self.host.pk}

    def _write_what_is_taken(self, tick: TickRecord) -> bool:
        self._refusals = None
        try:
            is_new = self._write(tick)
        except (*REFUSED, OperationalError) as error:
            if not is_refusal(error):
                raise
            # Or an identity is gone that was remembered: now all of them are looked up again.
            self._refusals = Refusals()
            is_new = self._write(tick.without_what_has_no_room())
        self.left_out = str(self._refusals or "")
        return is_new

    def _write(self, tick: TickRecord) -> bool:
        booted_at = self.host.booted_at
        try:
            with transaction.atomic():
                self._await_turn()
                self._keep_clock(tick)
                recorder = self._keep_recorder()
                self._note_events(tick)
                if not self._insert_tick(tick):
                    return False
                for family in tick.families:
                    for model, drafts in family.drafts.items():
                        self._insert_samples(tick, model, drafts)
                self._keep_readings(tick)
                self._keep_tick_reading(tick)
                self._keep_states(tick)
        except (DatabaseError, *REFUSED):
            # Identities that were made are not stored either, nor is the boot that was moved.
            self.identities.forget()
            self.host.booted_at = booted_at
            raise
        self._file_events = []
        if recorder and self.recorder is recorder:
            self._stored_recorder, self.recorder = recorder, None
        return True

    def _keep_clock(self, tick: TickRecord) -> None:
        if self._follows_clock:
            follow_clock(self.host, machine.booted_at())
        if tick.clock_jump_seconds:
            jump = {"clock_jumped_at": tick.timestamp, "clock_jump_seconds": tick.clock_jump_seconds}
            Host.objects.filter(pk=self.host.pk).update(**jump)

    def _keep_recorder(self) -> dict[str, Any] | None:
        """What was stored of it."""
        recorder = self.recorder
        if recorder:
            changes = tuple(name for name in recorder if name != "host")
            insert(Recorder, [recorder], or_update=(("host",), changes))
        return recorder

    def _note_events(self, tick: TickRecord) -> None:
        """What happened, also where the tick's own time has been recorded before; the rows of the newest tick are still
        those of the tick before."""
        if silence := tick.silence:
            culprits = culprits_of_tick(self.host, silence.last_tick) if silence.has_culprits else []
            note_event(self.host.pk, silence.event(culprits, self.host.memory_bytes, self.host.logical_cores))
        for event in (*tick.events, *self._file_events):
            note_event(self.host.pk, event)

    def _await_turn(self) -> None:
        """Let another run of this host finish its tick: roll-ups take ticks for committed in the order of their ids.
        SQLite has one writer anyway."""
        if connection.features.has_select_for_update:
            Host.objects.select_for_update(no_key=True).only("pk").get(pk=self.host.pk)

    def _insert_tick(self, tick: TickRecord) -> bool:
        values = {
            "host": self.host.pk,
            "timestamp": tick.timestamp,
            "resolution": tick.resolution,
            "lag_milliseconds": min(round(max(0.0, tick.lag_seconds) * 1000), MAX_LAG_MILLISECONDS),
            "duration_milliseconds": round(tick.duration_seconds * 1000),
        }
        return insert(Tick, [values], or_ignore=True) == 1

    def _insert_samples(self, tick: TickRecord, model: type[Sample], drafts: Sequence[DraftSample]) -> None:
        common = {"host": self.host.pk, "tier": RAW, "timestamp": tick.timestamp, "resolution": tick.resolution}
        common["points"] = 1
        if issubclass(model, ProcessSample):
            self._insert_processes(tick, model, drafts, common)
            return
        rows = [{**common, **draft.values} for draft in drafts]
        self._taken(rows, partial(insert, model), lambda row: _item(model, [row[name] for name in model.key]))

    def _insert_processes(
        self, tick: TickRecord, model: type[ProcessSample], drafts: Sequence[DraftSample], common: dict[str, Any]
    ) -> None:
        names = ("process", *(field.name for field in model.measures()))
        if self._refusals:
            drafts = self._taken(drafts, partial(self._try_processes, names), _process)
        ids = self.identities.ids_of([draft.row for draft in drafts])
        # Retention spares the identities of the newest tick only.
        self.identities.keep_only(ids)
        rows = stored(model, [{"process": pk, **draft.values} for pk, draft in zip(ids, drafts, strict=True)])
        chosen = [(*common.values(), *row) for row, draft in zip(rows, drafts, strict=True) if draft.is_kept]
        by_id = dict(zip(ids, drafts, strict=True))
        kept = self._taken(
            chosen, partial(insert_stored, model, (*common, *names)), lambda row: _process(by_id[row[len(common)]])
        )
        self._keep_cpu_by_process(tick, (*common, *names), kept)
        self._keep_newest_processes(tick, names, rows)

    def _try_processes(self, names: Sequence[str], drafts: Sequence[DraftSample]) -> None:
        """Make their identities, and what is kept of the newest tick."""
        try:
            ids = self.identities.ids_of([draft.row for draft in drafts])
            values = [{"process": pk, **draft.values} for pk, draft in zip(ids, drafts, strict=True)]
            NewestProcesses.encoded(names, stored(ProcessSample, values))
        except REFUSED:
            # Those that were made are not stored.
            self.identities.forget()
            raise

    def _taken(
        self, rows: Sequence[T], take: Callable[[Sequence[T]], object], what: Callable[[T], Item]
    ) -> Sequence[T]:
        """Give rows to the database by `take` and return them; at the second attempt those that it took."""
        if self._refusals:
            return self._refusals.taken(rows, take, what)
        take(rows)
        return rows

    def _keep_cpu_by_process(self, tick: TickRecord, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        used = ProcessTotals.cpu_used(names, rows)
        ProcessTotals.keep_cpu_by_process(self.host.pk, RAW, [(tick.timestamp, used)])

    def _keep_newest_processes(self, tick: TickRecord, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        newest = {"host": self.host.pk, "timestamp": tick.timestamp, "rows": NewestProcesses.encoded(names, rows)}
        insert(NewestProcesses, [newest], or_update=(("host",), ("timestamp", "rows")))

    def _keep_readings(self, tick: TickRecord) -> None:
        rows: list[dict[str, Any]] = [
            {
                "host": self.host.pk,
                "family": family.run.family,
                "timestamp": family.reading.timestamp,
                "uptime_seconds": family.reading.uptime_seconds,
                "boot_id": family.reading.boot_id,
                "rows": family.reading.to_json(),
            }
            for family in tick.families
            if family.reading
        ]
        renewed = ("timestamp", "uptime_seconds", "boot_id", "rows")
        take = partial(insert, NewestReading, or_update=(("host", "family"), renewed))
        self._taken(rows, take, lambda row: Item(row["family"], "newest reading", row["family"]))

    def _keep_tick_reading(self, tick: TickRecord) -> None:
        if tick.packed_readings is not None:
            values = {"host": self.host.pk, "timestamp": tick.timestamp, "rows": tick.packed_readings}
            insert(TickReading, [values])

    def _keep_states(self, tick: TickRecord) -> None:
        rows: list[dict[str, Any]] = [
            {
                "host": self.host.pk,
                "family": family.run.family,
                "outcome": family.run.outcome,
                "message": self._message(family.run),
                "timestamp": tick.timestamp,
                "succeeded_at": family.succeeded_at,
                "duration_milliseconds": round(family.run.duration_seconds * 1000, 2),
                "runs": family.runs,
                "failures": family.failures,
                "left_out": orjson.dumps(family.left_out).decode() if family.left_out else "",
            }
            for family in tick.families
        ]
        kept = tuple(name for name in rows[0] if name not in {"host", "family"}) if rows else ()
        take = partial(insert, CollectorState, or_update=(("host", "family"), kept))
        self._taken(rows, take, lambda row: Item(row["family"], "state", row["family"]))

    def _message(self, run: Run) -> str:
        refused = self._refusals.of(run.family) if self._refusals else ""
        return "; ".join(filter(None, (run.message, refused)))


def _item(model: type[Sample], names: Iterable[Any]) -> Item:
    return Item(model.family, model.kind, " ".join(map(str, names)))


def _process(draft: DraftSample) -> Item:
    return _item(ProcessSample, [draft.row["name"]])
