"""Of a list without bounds the busiest things of a tick by name, and the sum of all others."""

from collections.abc import Iterable, Mapping, Sequence
from math import exp
from typing import Any

from metrics.models import Sample
from metrics.models.others import MAX_NAMED, others_name, others_row
from metrics.recording.rates import is_number
from metrics.recording.samples import Drafts, DraftSample

# Two that are about as busy would take turns, with a gap in the line of each at every tick. So rates are compared as
# they were over about this long, and what is kept by name stays while nothing else is so many times as busy. How full
# something is does not jump like that.
SMOOTHED_SECONDS = 60.0
HOLD = 2.0

Names = tuple[object, ...]


class Busiest:
    """Remembers how busy each thing was lately, and which were kept by name at the last tick."""

    def __init__(self) -> None:
        self._kept: dict[type[Sample], frozenset[Names]] = {}
        self._rates: dict[type[Sample], dict[Names, float]] = {}

    def choose(self, drafts: Drafts, interval_seconds: float) -> Mapping[str, Sequence[str]]:
        """Replace what is not kept by name by its sum, in place; return the names of it by their plural.

        Every rate is computed by then: one that comes or goes has no gap and no wrong first value.
        """
        summed: dict[str, list[str]] = {}
        for model in [model for model in drafts if model.busiest]:
            if len(drafts[model]) <= MAX_NAMED:
                self._kept.pop(model, None)
                self._rates.pop(model, None)
                continue
            by_names: dict[Names, DraftSample] = {
                tuple(draft.values[name] for name in model.key): draft for draft in drafts[model]
            }
            kept = self._kept[model] = self._chosen(model, by_names, interval_seconds)
            others = [draft for names, draft in by_names.items() if names not in kept]
            drafts[model] = [draft for names, draft in by_names.items() if names in kept] + sums_of(model, others)
            summed[model.plural] = [str(draft.values[model.named_by]) for draft in others]
        return summed

    def _chosen(
        self, model: type[Sample], drafts: Mapping[Names, DraftSample], interval_seconds: float
    ) -> frozenset[Names]:
        """What is kept by name; of two that are as busy the one that was kept before, or else the first."""
        busy = {names: _total(draft, model.busiest) for names, draft in drafts.items()}
        hold = 1.0
        if all(field.rate for field in model.measures() if field.name in model.busiest):
            before, weight = self._rates.get(model, {}), 1 - exp(-interval_seconds / SMOOTHED_SECONDS)
            busy = {names: value * weight + before.get(names, 0.0) * (1 - weight) for names, value in busy.items()}
            self._rates[model] = busy
            hold = HOLD
        kept = self._kept.get(model, frozenset())
        ranks = {names: (value * hold, True) if names in kept else (value, False) for names, value in busy.items()}
        return frozenset(sorted(ranks, key=ranks.__getitem__, reverse=True)[:MAX_NAMED])


def _total(draft: DraftSample, fields: Iterable[str]) -> float:
    return sum(value for name in fields if is_number(value := draft.values[name]))


def sums_of(model: type[Sample], drafts: Iterable[DraftSample]) -> list[DraftSample]:
    """One row for all that a total counts, one for what it does not; a value that none of them knows is null."""
    rows: dict[str, dict[str, Any]] = {}
    for draft in drafts:
        name = others_name(model, draft.values)
        row = rows.setdefault(name, others_row(model, name))
        for field in model.summed:
            if is_number(value := draft.values[field]):
                row[field] = value + (row[field] or 0)
    return [DraftSample(row, {}) for row in rows.values()]
