"""From two readings of a family to the rows of its sample tables, still without a database."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import orjson

from metrics import conf
from metrics.collectors.base import Reading, Value
from metrics.models import NewestReading, ProcessSample, ProcessTotals, Sample
from metrics.models.fields import Measure
from metrics.models.samples import sample_models
from metrics.recording.children import COUNTED, EndedProcess, count_ended_children
from metrics.recording.rates import Row, is_number, value_of

# Two readings closer than this say nothing about a rate: the kernel counts CPU time in steps of 10 ms.
SHORTEST_SPAN_SECONDS = 0.05
# A process may have been born while the older reading was being taken, after its place in the list was passed.
BIRTH_TOLERANCE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class TakenReading:
    """A reading, and when it was taken on the clock that nobody can set."""

    timestamp: int
    uptime_seconds: float
    boot_id: str
    rows: Reading

    @classmethod
    def stored(cls, kept: NewestReading) -> "TakenReading":
        """What the last recorder kept."""
        seconds = int(kept.timestamp.timestamp())
        return cls(seconds, kept.uptime_seconds, kept.boot_id, orjson.loads(kept.rows))

    def to_json(self) -> str:
        """The rows without the facts that never change, to be kept."""
        return json_of({kind: _to_keep(kind, rows) for kind, rows in self.rows.items()}).decode()


def json_of(rows: Reading) -> bytes:
    """The rows of a reading as JSON; without a row whose text is none, and with null for a number beyond 64 bits."""
    try:
        return orjson.dumps(rows)
    except TypeError:
        return orjson.dumps({kind: [row for row in map(_as_json, found) if row] for kind, found in rows.items()})


def _as_json(row: Row) -> Row:
    """What JSON can say of a row; nothing of one that it cannot name."""
    kept = {name: value if _is_json(value) else None for name, value in row.items()}
    return {} if any(kept[name] is None for name, value in row.items() if isinstance(value, str)) else kept


def _is_json(value: Value) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


def seconds_between(new: TakenReading, old: TakenReading | None, resolution: int) -> float | None:
    """The time over which rates may be computed; None after a boot, a long pause, or for two readings at once."""
    if old is None or new.boot_id != old.boot_id:
        return None
    seconds = new.uptime_seconds - old.uptime_seconds
    return seconds if SHORTEST_SPAN_SECONDS <= seconds <= conf.stale_after_seconds(resolution) else None


class DraftSample(NamedTuple):
    """A row of a sample table before it has a host: its values by field, and the row of the reading it came from. One
    that is not `is_kept` is known of the newest tick only."""

    values: dict[str, Value]
    row: Row
    is_kept: bool = True


# A kind of rows that goes from one reading of the processes to the next, and into no table.
ENDED_KIND = "ended_process"

Drafts = dict[type[Sample], list[DraftSample]]


def drafts_of(family: str, new: TakenReading, old: TakenReading | None, resolution: int) -> Drafts:
    """The samples of every table of a family."""
    seconds = seconds_between(new, old, resolution)
    if ProcessSample.kind in new.rows:
        _count_children(new, old)
    drafts = {model: _drafts(model, new, old, seconds) for model in sample_models(family)}
    if ProcessSample in drafts:
        _sum_up(drafts[ProcessTotals], drafts[ProcessSample])
        chosen = top(drafts[ProcessSample], ProcessSample)
        drafts[ProcessSample] = without_commands(chosen) if conf.commands() == "names" else chosen
    return drafts


def _count_children(new: TakenReading, old: TakenReading | None) -> None:
    """Put into a reading what ended children used, and keep in it which ended processes' time has not arrived yet."""
    before = old.rows if old and old.boot_id == new.boot_id else {}
    born_after = old.uptime_seconds - BIRTH_TOLERANCE_SECONDS if old else new.uptime_seconds
    missing = [EndedProcess(row["seconds"], tuple(row["holders"])) for row in before.get(ENDED_KIND, [])]  # type: ignore[arg-type]
    still_missing = count_ended_children(
        new.rows[ProcessSample.kind], before.get(ProcessSample.kind, []), born_after, missing
    )
    new.rows[ENDED_KIND] = [{"seconds": ended.seconds, "holders": list(ended.holders)} for ended in still_missing]


def without_commands(drafts: Iterable[DraftSample]) -> list[DraftSample]:
    """The same processes, known by their names only."""
    return [draft._replace(row={**draft.row, "command": None}) for draft in drafts]


def _drafts(
    model: type[Sample], new: TakenReading, old: TakenReading | None, seconds: float | None
) -> list[DraftSample]:
    key = _key_of(model)
    before = {key(row): row for row in old.rows.get(model.kind, [])} if old else {}
    columns = _columns(model)
    drafts = []
    for row in new.rows.get(model.kind, []):
        row_before = before.get(key(row)) or _birth(model, row, old)
        values = {
            name: value_of(rate, row, row_before, seconds) if rate else row.get(source, otherwise)
            for name, source, rate, otherwise in columns
        }
        drafts.append(DraftSample(values, row))
    return drafts


@cache
def _columns(model: type[Sample]) -> list[tuple[str, str, Measure | None, Value]]:
    """Name and source of each field, the field itself where it has to be computed, and what it is without a word of the
    reading: two thousand values a tick."""
    return [
        (field.name, field.source, field if field.rate else None, field.default if field.has_default() else None)
        for field in model.measures()
    ]


def _sum_up(totals: Sequence[DraftSample], processes: Sequence[DraftSample]) -> None:
    """Put the sums over all processes into the totals; unknown where not one process says."""
    for draft in totals:
        for name in ProcessTotals.summed:
            known = [value for process in processes if is_number(value := process.values[name])]
            draft.values[name] = sum(known) if known else None


def _key_of(model: type[Sample]) -> Callable[[Row], tuple[Value, ...]]:
    """What tells two rows of a reading apart."""
    names = model.reading_key
    return lambda row: tuple(map(row.get, names))


def _birth(model: type[Sample], row: Row, old: TakenReading | None) -> Row | None:
    """Counters of zero for a thing that began between the two readings; None where its past is unknown."""
    born = row.get(model.born)
    if old is None or not is_number(born) or born < old.uptime_seconds - BIRTH_TOLERANCE_SECONDS:
        return None
    return {name: 0 for name, value in row.items() if is_number(value)}


def top(drafts: Sequence[DraftSample], model: type[ProcessSample]) -> list[DraftSample]:
    """The highest of each order: `newest_kept` of them in all, the `kept` highest that used anything marked as such."""
    chosen: dict[int, bool] = {}
    for names in model.orders.values():
        totals = _totals(drafts, names)
        highest = sorted(range(len(drafts)), key=totals.__getitem__, reverse=True)[: model.newest_kept]
        for place, index in enumerate(highest):
            chosen[index] = chosen.get(index, False) or (place < model.kept and totals[index] > 0)
    return [drafts[index]._replace(is_kept=is_kept) for index, is_kept in sorted(chosen.items())]


def _totals(drafts: Sequence[DraftSample], names: Sequence[str]) -> list[float]:
    """`total` of each: two thousand at every tick, most of one field or of zeros."""
    first, *more = names
    totals = [value if is_number(value := draft.values[first]) else 0 for draft in drafts]
    for name in more:
        for index, draft in enumerate(drafts):
            if (value := draft.values[name]) and is_number(value):
                totals[index] += value
    return totals


def total(values: Mapping[str, Value], names: Iterable[str]) -> float:
    """The sum of those values that are known."""
    return sum([value for name in names if is_number(value := values[name])])


def _to_keep(kind: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the facts, and without what is counted anew."""
    facts = {name for model in sample_models() if model.kind == kind for name in model.facts}
    left_out = facts | {COUNTED}
    return [{k: v for k, v in row.items() if k not in left_out} for row in rows] if facts else rows
