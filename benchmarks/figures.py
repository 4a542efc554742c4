"""A figure, how it is measured, and how it is shown."""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """What was measured; `target` is what it must stay below, or reach where it is `at_least` that; None where it is
    only good to know. `detail` says what a ratio comes from."""

    group: str
    name: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False
    detail: str = ""


def milliseconds(function: Callable[[], object], repeats: int = 21) -> float:
    """The median of some runs, after one that fills the caches."""
    function()
    return statistics.median(seconds_of(function) for _ in range(repeats)) * 1000


def seconds_of(function: Callable[[], object]) -> float:
    """How long one run takes."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def tell(figures: Iterable[Figure]) -> None:
    """A line of JSON for each figure, as soon as it is there, for the program that shows them together."""
    for figure in figures:
        sys.stdout.write(json.dumps(asdict(figure)) + "\n")
        sys.stdout.flush()


def show(figures: list[Figure]) -> bool:
    """One table; False where a figure misses its target."""
    table = Table("what", "figure", "value", "target", "", "of which")
    for number, figure in enumerate(figures):
        group = figure.group if number == 0 or figures[number - 1].group != figure.group else ""
        target = "" if figure.target is None else f"{'≥' if figure.at_least else '<'} {figure.target:g} {figure.unit}"
        verdict = "" if figure.target is None else "ok" if is_reached(figure) else "MISSED"
        table.add_row(
            group,
            figure.name,
            f"{figure.value:.3g} {figure.unit}" if figure.value < 100 else f"{figure.value:.0f} {figure.unit}",
            target,
            verdict,
            figure.detail,
        )
    Console(width=160 if not sys.stdout.isatty() else None).print(table)
    return all(map(is_reached, figures))


def is_reached(figure: Figure) -> bool:
    """Whether the value is on the right side of its target."""
    if figure.target is None:
        return True
    return figure.value >= figure.target if figure.at_least else figure.value < figure.target
