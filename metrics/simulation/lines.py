"""What a value does in a quarter of an hour, so that its sums, means and extremes can be told without adding up ticks.

Values are whole numbers in the unit in which a raw sample stores them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from random import Random
from typing import NamedTuple

# A quarter of an hour is rolled up from three times five minutes, and those from single ones.
MINUTES, FIVE = 15, 5
NARROWER = {MINUTES: FIVE, FIVE: 1}
QUARTER_SECONDS = MINUTES * 60
# No ripple is further from zero than this: half of it from minute to minute, half from tick to tick.
REACH = 18
_HALF_REACH = 8
RIPPLES = 48


class Summary(NamedTuple):
    """Mean, minimum and maximum over a stretch, as a roll-up stores them."""

    mean: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Ripple:
    """Whole numbers around zero, one a tick. The mean of every minute is a whole number, that of five minutes and of
    the quarter is zero: so the means of a line are exact, and rounding them changes nothing. `parts` are summaries by
    the first minute and how many there are."""

    values: tuple[int, ...]
    totals: tuple[int, ...]
    parts: Mapping[tuple[int, int], Summary]

    @property
    def ticks_a_minute(self) -> int:
        """How many ticks a minute has."""
        return len(self.values) // MINUTES


@cache
def ripples(seed: str, ticks_a_minute: int) -> tuple[Ripple, ...]:
    """The ripples of a machine."""
    chance = Random(f"{seed} ripples")  # noqa: S311 (a story, no secret)
    return tuple(_ripple(chance, ticks_a_minute) for _ in range(RIPPLES))


def _ripple(chance: Random, ticks_a_minute: int) -> Ripple:
    minutes = [[mean + noise for noise in _noise(chance, ticks_a_minute)] for mean in _means(chance)]
    values = tuple(value for minute in minutes for value in minute)
    parts = {
        (first, count): _summary(values[first * ticks_a_minute : (first + count) * ticks_a_minute])
        for count in (1, FIVE, MINUTES)
        for first in range(0, MINUTES, count)
    }
    return Ripple(values, (0, *accumulate(values)), parts)


def _summary(values: Sequence[int]) -> Summary:
    return Summary(sum(values) // len(values), min(values), max(values))


def _means(chance: Random) -> list[int]:
    """A walk that is drawn back to zero."""
    levels, level = [], 0.0
    for _ in range(MINUTES):
        level = max(-_HALF_REACH, min(_HALF_REACH, 0.7 * level + chance.gauss(0, _HALF_REACH / 2)))
        levels.append(round(level))
    return [mean for first in range(0, MINUTES, FIVE) for mean in _around_zero(levels[first : first + FIVE])]


def _noise(chance: Random, ticks_a_minute: int) -> list[int]:
    noise = [
        max(-_HALF_REACH, min(_HALF_REACH, round(chance.gauss(0, _HALF_REACH / 3)))) for _ in range(ticks_a_minute)
    ]
    return _around_zero(noise)


def _around_zero(values: list[int]) -> list[int]:
    """Take away the mean as evenly as whole numbers allow."""
    share, rest = divmod(sum(values), len(values))
    return [value - share - (place < rest) for place, value in enumerate(values)]


class Extra(NamedTuple):
    """What an event adds from one tick of the quarter up to but not including another."""

    first: int
    end: int
    height: int


class Line:
    """`base + swing * ripple`, and what events add to it."""

    __slots__ = ("base", "extras", "ripple", "swing")

    def __init__(self, base: int, swing: int, ripple: Ripple) -> None:
        self.base, self.swing, self.ripple = base, swing, ripple
        self.extras: tuple[Extra, ...] = ()

    def add(self, first: int, end: int, height: int) -> None:
        """Raise the line for some ticks."""
        self.extras = (*self.extras, Extra(first, end, height))

    def at(self, tick: int) -> int:
        """The value at a tick of the quarter."""
        value = self.base + self.swing * self.ripple.values[tick] if self.swing else self.base
        if self.extras:
            value += sum([extra.height for extra in self.extras if extra.first <= tick < extra.end])
        return value

    def total(self, ticks: int) -> int:
        """The sum of the quarter's first ticks: how far a counter gets with it."""
        total = self.base * ticks + self.swing * self.ripple.totals[ticks]
        if self.extras:
            total += sum([e.height * max(0, min(e.end, ticks) - e.first) for e in self.extras])
        return total

    def part(self, minute: int, count: int) -> Summary:
        """What a roll-up stores for some minutes of the quarter: one, five or all of them."""
        ripple = self.ripple.parts[minute, count]
        if not self.extras:
            return self._on(ripple, 0)
        if count > 1:
            narrower = NARROWER[count]
            return _joined([self.part(first, narrower) for first in range(minute, minute + count, narrower)])
        ticks = self.ripple.ticks_a_minute
        first, end = minute * ticks, (minute + 1) * ticks
        extras = [extra for extra in self.extras if extra.first < end and extra.end > first]
        if all(extra.first <= first and extra.end >= end for extra in extras):
            return self._on(ripple, sum(extra.height for extra in extras))
        values = [self.at(tick) for tick in range(first, end)]
        return Summary(rounded(sum(values) / ticks), min(values), max(values))

    def _on(self, ripple: Summary, height: int) -> Summary:
        swing, level = self.swing, self.base + height
        if not swing:
            return Summary(level, level, level)
        ends = (level + swing * ripple.low, level + swing * ripple.high)
        return Summary(level + swing * ripple.mean, *(ends if swing >= 0 else ends[::-1]))


def _joined(parts: list[Summary]) -> Summary:
    mean = rounded(sum(part.mean for part in parts) / len(parts))
    return Summary(mean, min(part.low for part in parts), max(part.high for part in parts))


def rounded(value: float) -> int:
    """Halves go up, as SQL rounds what is not negative."""
    return int(value + 0.5)


def sum_of(lines: Iterable[Line], ripple: Ripple) -> Line:
    """The line of a sum. All lines that swing must have this ripple."""
    total = Line(0, 0, ripple)
    for line in lines:
        total.base += line.base
        total.swing += line.swing
        total.extras += line.extras
    return total
