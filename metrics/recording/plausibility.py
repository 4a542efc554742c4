"""Values that cannot be: null in place of them, and a sentence for health.

What is possible is said where a field is declared (`at_least`, `at_most`). A kernel, a driver or a container's view of
one may say otherwise: more free than there is, less than nothing, a terabyte in a second.
"""

from collections import Counter
from collections.abc import Mapping
from functools import cache

from metrics.collectors.base import Value
from metrics.models import Sample
from metrics.models.fields import Bound, Measure, NumberField
from metrics.recording.rates import Row, is_number
from metrics.recording.samples import Drafts, DraftSample


def drop_impossible(drafts: Drafts) -> str:
    """Take out of the samples, and of the readings that they came from, what cannot be; return what that was, "" for
    nothing. A rate is taken out of its sample only: of its two counters nobody knows which is wrong."""
    found: Counter[str] = Counter()
    for model, rows in drafts.items():
        for draft in rows:
            for field in _impossible(model, draft):
                found[f"{model.kind} {field.name}"] += 1
                draft.values[field.name] = None
                if not field.rate and isinstance(draft.row, dict):
                    draft.row[field.source] = None
    names = (f"{name} ({count})" if count > 1 else name for name, count in found.items())
    return f"left out as impossible: {', '.join(names)}" if found else ""


def _impossible(model: type[Sample], draft: DraftSample) -> list[Measure]:
    """All are found before one is taken out: what is wrong may be the bound of others. 0, which most are, can be."""
    values, row = draft.values, draft.row
    return [
        field
        for field in _numbers(model)
        if (value := values[field.name]) and is_number(value) and not _is_possible(field, value, row)
    ]


@cache
def _numbers(model: type[Sample]) -> list[Measure]:
    return [field for field in model.measures() if isinstance(field, NumberField)]


def _is_possible(field: Measure, value: float, row: Row) -> bool:
    if field.at_least is not None and value < field.at_least:
        return False
    if field.at_most is None:
        return True
    most = bound(field.at_most, row)
    return most is None or not value > most  # a bound that is no number (NaN) bounds nothing


def bound(at_most: Bound, row: Mapping[str, Value]) -> float | None:
    """The most that a value can be in a row of a reading; None where that is not known."""
    found: Value = at_most(row) if callable(at_most) else row.get(at_most) if isinstance(at_most, str) else at_most
    return found if is_number(found) else None
