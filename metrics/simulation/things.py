"""What the rows of a reading are made from, and what those are made from that the story knows nothing of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from metrics.models import Sample
from metrics.models.fields import Averaged, Kind
from metrics.simulation.lines import Line

# The end of what does not end within the quarter.
ALWAYS = 10**9
# What is about usual, by unit. A size that other values fit in is so many times as much, and a list has so many things.
USUAL = {"percent": 30, "bytes": 2**30, "bytes_per_second": 50_000, "celsius": 45, "mhz": 2_000}
USUAL_OF_OTHERS, ROOM, USUAL_THINGS = 20, 4, 2

MakesLine = Callable[[int], Line]


@dataclass(slots=True)
class Thing:
    """What one row of a reading is made from: values that do not change, and lines by the name of the field."""

    constants: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    lists: dict[str, list[Line]] = field(default_factory=dict)

    def all_lines(self) -> Iterator[tuple[str, Line]]:
        """Every line with a name of its own."""
        yield from self.lines.items()
        for name, lines in self.lists.items():
            yield from ((f"{name} {place}", line) for place, line in enumerate(lines))


@dataclass(slots=True)
class ProcessThing(Thing):
    """A process, and the ticks at which it lives, counted from the start of the quarter. A culprit has no place among
    the residents."""

    place: int = -1
    first: int = -ALWAYS
    end: int = ALWAYS


def usual_things(model: type[Sample], story: str, line: MakesLine, rate: MakesLine) -> list[Thing]:
    """Of samples that the story says nothing about, such as a new family's: plausible values by unit and kind.

    A share of another counter stays unknown. Nothing else of the story changes by these.
    """
    chance = Random(f"{story} {model.kind}")  # noqa: S311 (a story, no secret)
    places = range(USUAL_THINGS if model.collection else 1)
    return [_usual_thing(model, place, partial(_usual_line, chance, line, rate)) for place in places]


def _usual_thing(model: type[Sample], place: int, line_of: Callable[[Averaged], Line]) -> Thing:
    thing = Thing({name: f"{name} {place}" for name in model.reading_key})
    for measure in model.measures():
        if isinstance(measure, Averaged):
            if not measure.over:
                thing.lines[measure.name] = line_of(measure)
        elif measure.kind == Kind.LABEL:
            thing.constants[measure.source] = f"{measure.source} {place}"
        elif measure.kind == Kind.FLAG:
            thing.constants[measure.source] = True
        elif measure.kind == Kind.TOTAL:
            thing.constants[measure.source] = ROOM * USUAL.get(measure.unit, USUAL_OF_OTHERS)
    return thing


def _usual_line(chance: Random, line: MakesLine, rate: MakesLine, field: Averaged) -> Line:
    value = chance.uniform(0.5, 1) * USUAL.get(field.unit, USUAL_OF_OTHERS)
    if isinstance(field.at_most, int | float):
        value = min(value, field.at_most / 2)
    if field.rate and field.unit != "percent":
        return rate(int(value))
    return line(int(value * field.scale / field.step))
