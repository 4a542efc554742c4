"""Rows that a database refuses for what they hold: each costs itself, is counted and named, and not its tick.

What that is differs: too large a number, a text with a NUL or half a character, a key that another row has, a name
that is too long for an index.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, OperationalError, transaction

from metrics.collectors.omissions import Omissions

T = TypeVar("T")

REFUSED = (DataError, IntegrityError, OverflowError, TypeError, ValueError, ValidationError)
# Of PostgreSQL's codes for errors, those of what is beyond its limits, such as a row for an index.
BEYOND_LIMITS = "54"


def is_refusal(error: Exception) -> bool:
    """Whether an error is about what a row holds: it comes again, however often the row is tried."""
    state = str(getattr(error.__cause__, "sqlstate", None))
    return isinstance(error, REFUSED) or (isinstance(error, OperationalError) and state.startswith(BEYOND_LIMITS))


class Item(NamedTuple):
    """What a row stands for, to be named in health."""

    family: str
    kind: str
    name: str


class Refusals:
    """What the database refused of one tick, by family."""

    def __init__(self) -> None:
        self._of_family: defaultdict[str, Omissions] = defaultdict(Omissions)

    def __str__(self) -> str:
        return "; ".join(f"{family}: {omissions}" for family, omissions in self._of_family.items())

    def of(self, family: str) -> str:
        """What was refused of a family, "" for nothing."""
        return str(self._of_family[family]) if family in self._of_family else ""

    def taken(self, rows: Sequence[T], take: Callable[[Sequence[T]], object], what: Callable[[T], Item]) -> list[T]:
        """Give rows to the database by `take`; return those that it took, and note `what` the others are."""
        refused = refused_rows(rows, take)
        for item in map(what, refused):
            self._of_family[item.family].add(f"the {item.kind} rows, which the database refused", item.name)
        return [row for row in rows if not any(row is other for other in refused)]


def refused_rows(rows: Sequence[T], take: Callable[[Sequence[T]], object]) -> list[T]:
    """Have all rows taken but those that are refused, and return these. Half of the rows at a time, so that one odd
    row among hundreds takes few attempts."""
    if not rows:
        return []
    try:
        with transaction.atomic():
            take(rows)
    except (*REFUSED, OperationalError) as error:
        if not is_refusal(error):
            raise
    else:
        return []
    if len(rows) == 1:
        return list(rows)
    middle = len(rows) // 2
    return refused_rows(rows[:middle], take) + refused_rows(rows[middle:], take)
