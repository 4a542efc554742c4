"""Readings of the simulated machine, as its collectors would take them: gauges as they are, counters since the boot."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import Any

from metrics.collectors.base import Reading
from metrics.models import CpuSample, ProcessSample, Sample
from metrics.models.fields import Averaged, ShareList
from metrics.models.samples import sample_models
from metrics.recording import children
from metrics.simulation.lines import Line
from metrics.simulation.machine import Machine
from metrics.simulation.quarters import Quarter, process_constants
from metrics.simulation.residents import people_of
from metrics.simulation.things import ProcessThing, Thing

Key = tuple[Any, ...]


class Counters:
    """How far every counter has come since the boot, at the start of a quarter."""

    def __init__(self) -> None:
        self._totals: dict[Key, int] = {}
        # The first tick of the quarter after a boot: what the lines say before it belongs to no counter.
        self.first = 0
        self._idle: tuple[Quarter, list[dict[str, Any]]] | None = None

    def at(self, key: Key, line: Line, ticks: int) -> int:
        """A counter after so many ticks of the quarter, in the unit of its line."""
        return self._totals.get(key, 0) + line.total(ticks) - (line.total(self.first) if self.first else 0)

    def idle_rows(self, quarter: Quarter) -> list[dict[str, Any]]:
        """The rows of the processes that do nothing: the same ones at every tick of the quarter."""
        if self._idle is None or self._idle[0] is not quarter:
            self._idle = quarter, _idle_rows(quarter, self)
        return self._idle[1]

    def reset(self, first: int) -> None:
        """Begin anew: the machine was booted before this tick of the quarter."""
        self._totals, self.first = {}, first

    def advance(self, quarter: Quarter) -> None:
        """Add a whole quarter."""
        for key, line in _counting(quarter):
            self._totals[key] = self.at(key, line, quarter.ticks)
        self.first = 0


def _counting(quarter: Quarter) -> Iterator[tuple[Key, Line]]:
    for model, things in quarter.things.items():
        for thing in things:
            thing_key = key_of(model, thing)
            yield from (((*thing_key, name), line) for name, line in thing.all_lines())
    for process in quarter.processes:
        thing_key = key_of(ProcessSample, process)
        yield from (((*thing_key, name), line) for name, line in process.lines.items() if line.base or line.extras)


def key_of(model: type[Sample], thing: Thing) -> Key:
    """What tells a thing from all others."""
    return (model, *(thing.constants[name] for name in model.reading_key))


def readings_at(quarter: Quarter, counters: Counters, tick: int) -> dict[str, Reading]:
    """The readings of all families at a tick of a quarter, by family; the counters are those of its start."""
    readings: dict[str, Reading] = {}
    for model in sample_models():
        if model is not ProcessSample:
            rows = [_row(model, quarter, thing, counters, tick) for thing in quarter.things[model]]
            readings.setdefault(model.family, {})[model.kind] = rows
    readings[ProcessSample.family][ProcessSample.kind] = _process_rows(quarter, counters, tick)
    return readings


def _row(model: type[Sample], quarter: Quarter, thing: Thing, counters: Counters, tick: int) -> dict[str, Any]:
    row = dict(thing.constants)
    key = key_of(model, thing)
    for field in model.measures():
        if field.name in thing.lines:
            line = thing.lines[field.name]
            raw = counters.at((*key, field.name), line, tick + 1) if field.rate else line.at(tick)
            row[field.source] = raw_value(field, raw, quarter.machine)
        elif isinstance(field, ShareList):
            lines = thing.lists[field.name]
            row[field.source] = [
                counters.at((*key, f"{field.name} {place}"), line, tick + 1) * quarter.machine.interval_seconds / 1000
                for place, line in enumerate(lines)
            ]
    if model is CpuSample:
        row |= _time(quarter, tick)
    return row


def raw_value(field: Any, stored: int, machine: Machine) -> float | int:
    """What a reading says where a raw sample stores this; of a rate, the counter that has grown by so much."""
    if not field.rate:
        value: float | int = field.decode(stored)
    else:
        grown = stored * machine.interval_seconds * (machine.cores if field.over else 1)
        value = grown // field.scale if field.factor == 1 else grown / (field.scale * field.factor)
    return value


def _time(quarter: Quarter, tick: int) -> dict[str, Any]:
    """The time that the shares of the CPU are shares of."""
    machine = quarter.machine
    seconds = quarter.start - quarter.boot.booted_at + tick * machine.interval_seconds
    return {"total_seconds": float(seconds * machine.cores), "core_total_seconds": [float(seconds)] * machine.cores}


def _process_rows(quarter: Quarter, counters: Counters, tick: int) -> list[dict[str, Any]]:
    alive = [process for process in quarter.processes if process.first <= tick < process.end]
    rows = [_process_row(quarter.machine, process, counters, tick) for process in alive]
    return rows + counters.idle_rows(quarter)


def _process_row(machine: Machine, process: ProcessThing, counters: Counters, tick: int) -> dict[str, Any]:
    row = dict(process.constants)
    key = key_of(ProcessSample, process)
    for field in _process_fields():
        line = process.lines[field.name]
        raw = counters.at((*key, field.name), line, tick + 1) if field.rate else line.at(tick)
        row[field.source] = raw_value(field, raw, machine)
    # What recording counts is what the kernel says, as none of those that end has a row.
    row[children.RAW] = row[children.COUNTED]
    row["memory_percent"] = memory_percent(machine, row["rss_bytes"])
    return row


def _idle_rows(quarter: Quarter, counters: Counters) -> list[dict[str, Any]]:
    """The rows of the residents that do nothing in a quarter."""
    active = {process.place for process in quarter.processes}
    people = people_of(quarter.machine, quarter.boot, quarter.start // 86_400)
    idle = (resident for resident in people.residents if resident.place not in active)
    nothing = Line(0, 0, quarter.flat)
    lines = {field.name: nothing for field in _process_fields()}
    things = (
        ProcessThing(process_constants(one), {**lines, "rss_bytes": Line(one.rss_kib, 0, quarter.flat)}) for one in idle
    )
    return [_process_row(quarter.machine, thing, counters, 0) for thing in things]


def memory_percent(machine: Machine, rss_bytes: float) -> float:
    """The share of the machine's memory."""
    return rss_bytes / machine.memory_bytes * 100


@lru_cache
def _process_fields() -> list[Any]:
    """The fields of a process that follow a line."""
    names = {*chain.from_iterable(ProcessSample.orders.values())}
    return [field for field in ProcessSample.measures() if isinstance(field, Averaged) and field.name in names]
