"""Stores one tick: every sample of it, the newest readings and the collectors' outcomes, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from django.db import IntegrityError, connection, transaction

from metrics.models import CollectorState, Host, NewestReading, Process, ProcessSample, Sample, Tick
from metrics.models.inserts import insert
from metrics.recording.rates import Row
from metrics.recording.runner import Run
from metrics.recording.samples import Drafts, DraftSample, TakenReading
from metrics.tiers import RAW

Identity = tuple[int, int]


@dataclass(slots=True)
class FamilyTick:
    """What one family has to store at a tick. `reading` is None where the collector brought none."""

    run: Run
    runs: int
    failures: int
    succeeded_at: int | None
    reading: TakenReading | None = None
    drafts: Drafts = field(default_factory=dict)

    def without_what_only_the_newest_keeps(self) -> "FamilyTick":
        """Without the reading, which the next one replaces, and the samples that go with the next tick."""
        drafts = {model: [draft for draft in rows if draft.is_kept] for model, rows in self.drafts.items()}
        return replace(self, reading=None, drafts=drafts)


@dataclass(slots=True)
class TickRecord:
    """A whole tick, computed and ready to be stored. `timestamp` is its nominal time."""

    timestamp: int
    resolution: int
    lag_seconds: float
    duration_seconds: float
    families: list[FamilyTick]

    def without_what_only_the_newest_keeps(self) -> "TickRecord":
        """This tick as it is once another one has followed: the tick is stored to the same effect, but what waits for
        the database needs a tenth of the memory."""
        return replace(self, families=[family.without_what_only_the_newest_keeps() for family in self.families])


class TickWriter:
    """Writes the ticks of one host; remembers the ids of the processes that it has seen."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._process_ids: dict[Identity, tuple[int, str]] = {}

    def write(self, tick: TickRecord) -> bool:
        """Store a tick whole or not at all; False where this moment has been recorded before.

        Raises django.db.OperationalError where the database cannot take it now.
        """
        try:
            return self._write(tick)
        except IntegrityError:
            # A process that this writer remembers was pruned meanwhile: look all of them up again.
            self.forget_processes()
            return self._write(tick)

    def forget_processes(self) -> None:
        """Look up every process again at its next sample."""
        self._process_ids.clear()

    def _write(self, tick: TickRecord) -> bool:
        with transaction.atomic():
            if not self._insert_tick(tick):
                return False
            for family in tick.families:
                for model, drafts in family.drafts.items():
                    self._insert_samples(tick, model, drafts)
            self._keep_readings(tick)
            self._keep_states(tick)
        return True

    def _insert_tick(self, tick: TickRecord) -> bool:
        values = {
            "host": self.host.pk,
            "timestamp": tick.timestamp,
            "resolution": tick.resolution,
            "lag_milliseconds": round(max(0.0, tick.lag_seconds) * 1000),
            "duration_milliseconds": round(tick.duration_seconds * 1000),
        }
        return insert(Tick, [values], or_ignore=True) == 1

    def _insert_samples(self, tick: TickRecord, model: type[Sample], drafts: Sequence[DraftSample]) -> None:
        common = {"host": self.host.pk, "tier": 0, "timestamp": tick.timestamp, "resolution": tick.resolution}
        common["points"] = 1
        if not issubclass(model, ProcessSample):
            insert(model, [{**common, **draft.values} for draft in drafts])
            return
        self._drop_what_only_the_newest_tick_keeps(model)
        ids = self.ids_of([draft.row for draft in drafts])
        insert(
            model,
            [
                {**common, **draft.values, "process": pk, "is_kept": draft.is_kept}
                for draft, pk in zip(drafts, ids, strict=True)
            ],
        )

    def _drop_what_only_the_newest_tick_keeps(self, model: type[ProcessSample]) -> None:
        """Of the tick before, only the highest stay; found through the newest reading, which is of that tick."""
        with connection.cursor() as cursor:
            cursor.execute(_drop_statement(model), [self.host.pk, RAW, self.host.pk, model.family])

    def ids_of(self, rows: Sequence[Row]) -> list[int]:
        """The identities of processes, given as rows of a reading; those that are not there yet are made."""
        identities = [self._identity(row) for row in rows]
        unknown = [
            (identity, row)
            for identity, row in zip(identities, rows, strict=True)
            if self._process_ids.get(identity, (0, ""))[1] != row["name"]
        ]
        if unknown:
            self._learn(dict(unknown))
        return [self._process_ids[identity][0] for identity in identities]

    def _identity(self, row: Mapping[str, Any]) -> Identity:
        """Pid, and start in hundredths of a second: seconds since the boot on the boot time that the host was given."""
        booted_at = self.host.booted_at.timestamp() if self.host.booted_at else 0.0
        return row["pid"], round((booted_at + row["start_seconds"]) * 100)

    def _learn(self, rows: dict[Identity, Row]) -> None:
        """Find or make the identity of each process; one that has run another program since gets its new name."""
        insert(
            Process,
            [
                {
                    "host": self.host.pk,
                    "pid": pid,
                    "started_at": started_at / 100,
                    **{name: row[name] for name in ProcessSample.facts},
                }
                for (pid, started_at), row in rows.items()
            ],
            or_update=(("host", "pid", "started_at"), ProcessSample.facts),
        )
        pids = [pid for pid, _started_at in rows]
        for process in Process.objects.filter(host=self.host, pid__in=pids).only("pid", "started_at", "name"):
            identity = (process.pid, round(process.started_at.timestamp() * 100))
            self._process_ids[identity] = (process.pk, process.name)

    def _keep_readings(self, tick: TickRecord) -> None:
        rows = [
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
        insert(NewestReading, rows, or_update=(("host", "family"), ("timestamp", "uptime_seconds", "boot_id", "rows")))

    def _keep_states(self, tick: TickRecord) -> None:
        rows = [
            {
                "host": self.host.pk,
                "family": family.run.family,
                "outcome": family.run.outcome,
                "message": family.run.message,
                "timestamp": tick.timestamp,
                "succeeded_at": family.succeeded_at,
                "duration_milliseconds": round(family.run.duration_seconds * 1000, 2),
                "runs": family.runs,
                "failures": family.failures,
            }
            for family in tick.families
        ]
        kept = tuple(name for name in rows[0] if name not in {"host", "family"}) if rows else ()
        insert(CollectorState, rows, or_update=(("host", "family"), kept))


@cache
def _drop_statement(model: type[ProcessSample]) -> str:
    """Written out, because Django would take longer to put it together than the database to carry it out."""
    samples, readings = (connection.ops.quote_name(table._meta.db_table) for table in (model, NewestReading))
    return (
        f"DELETE FROM {samples} WHERE host_id = %s AND tier = %s AND NOT is_kept"  # noqa: S608
        f" AND timestamp = (SELECT timestamp FROM {readings} WHERE host_id = %s AND family = %s)"
    )
