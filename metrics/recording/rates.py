"""From counters to rates and shares: pure arithmetic on two readings of the same thing."""

from collections.abc import Mapping

from typing_extensions import TypeIs

from metrics.collectors.base import Value
from metrics.models.fields import Measure

Row = Mapping[str, Value]


def value_of(field: Measure, row: Row, before: Row | None, seconds: float | None) -> Value:
    """The value of a sample's field, from this reading's row and the same thing's row in the reading before.

    `before` is None for a thing that was not there, `seconds` is None where the two readings cannot be compared.
    """
    new = row.get(field.source)
    if not field.rate:
        return new
    if before is None or seconds is None:
        return None
    old = before.get(field.source)
    if not field.over:
        if new == old and seconds > 0 and is_number(new):  # most do nothing
            return 0.0
        return rate(new, old, seconds, field.factor, field.limit)
    over, over_before = row.get(field.over), before.get(field.over)
    if isinstance(new, list):
        return shares(new, old, over, over_before, field.factor)
    return share(new, old, over, over_before, field.factor)


def rate(new: Value, old: Value, seconds: float, factor: float = 1, limit: float | None = None) -> float | None:
    """The growth of a counter in a second; None where it is unknown or fell, which means that it was reset."""
    # `growth` once more: a tick has ten thousand of these.
    if seconds <= 0 or not is_number(new) or not is_number(old) or new < old:
        return None
    per_second = (new - old) / seconds * factor
    return per_second if limit is None else min(per_second, limit)


def share(new: Value, old: Value, over: Value, over_before: Value, factor: float = 100) -> float | None:
    """The growth of a part as a share of the growth of the whole, between 0 and `factor`.

    A part that fell while the whole grew is no reset: Linux corrects idle and iowait times downwards a little.
    """
    whole = growth(over, over_before)
    if not whole or not is_number(new) or not is_number(old):
        return None
    return min(max(0.0, new - old) / whole, 1.0) * factor


def shares(new: list[float | None], old: Value, over: Value, over_before: Value, factor: float = 100) -> Value:
    """`share` for each element of four lists; None for one that is not in all of them, as a core that was added."""
    if not (isinstance(old, list) and isinstance(over, list) and isinstance(over_before, list)):
        return None
    found: list[float | None] = [share(*four, factor) for four in zip(new, old, over, over_before, strict=False)]
    return found + [None] * (len(new) - len(found))


def growth(new: Value, old: Value) -> float | None:
    """How much a counter grew; None where one of the two is unknown, or where it fell."""
    return new - old if is_number(new) and is_number(old) and new >= old else None


def is_number(value: Value) -> TypeIs[float]:
    """Whether a raw value is a number; a flag is none."""
    kind = type(value)
    return kind is float or kind is int
