"""Roll-up rows of a quarter of an hour, computed from its lines and not from ticks.

Where a rule of the roll-ups is more than a mean (which processes are the highest, what is left for all others, lists),
the roll-ups' own functions are used.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from operator import itemgetter
from typing import Any

import orjson

from metrics.models import CpuSample, Host, ProcessSample, ProcessTotals, Sample
from metrics.models.fields import Averaged, Kind, Measure, Rate
from metrics.models.packing import packed
from metrics.models.sql import TierRange
from metrics.models.worst_ticks import MACHINE, WorstTick, worst_column
from metrics.models.worst_ticks import highest as highest_of
from metrics.retention.buckets import Buckets, averaged_fields
from metrics.retention.rollup_lists import encoded
from metrics.retention.rollup_processes import Bucket, Sums, bucket_of, row_names, rows_of_bucket
from metrics.retention.rollup_worst_ticks import culprits
from metrics.simulation.lines import FIVE, MINUTES, NARROWER, Line, Summary
from metrics.simulation.quarters import Quarter
from metrics.simulation.readings import Counters, key_of, memory_percent, raw_value
from metrics.simulation.things import ProcessThing, Thing
from metrics.tiers import tiers

Rows = dict[type[Sample], list[dict[str, Any]]]
Stored = dict[str, Any]
People = list[tuple[int, ProcessThing]]


@dataclass(frozen=True, slots=True)
class Frame:
    """The bucket that rows belong to: `count` minutes of a quarter from `minute` on, one, five or all of them."""

    quarter: Quarter
    bucket: Buckets
    minute: int
    count: int

    @property
    def first(self) -> int:
        """The first tick of it."""
        return self.minute * self.quarter.ticks // MINUTES

    @property
    def end(self) -> int:
        """The tick after its last one."""
        return (self.minute + self.count) * self.quarter.ticks // MINUTES

    @property
    def narrower(self) -> "list[Frame]":
        """What a roll-up makes it from; a minute is made from ticks."""
        count = NARROWER.get(self.count, 0)
        minutes = range(self.minute, self.minute + self.count, count) if count else ()
        return [replace(self, minute=minute, count=count) for minute in minutes]

    @property
    def ticks(self) -> int:
        """How many ticks it covers."""
        return self.end - self.first

    @property
    def common(self) -> Stored:
        """What all rows of a bucket have in common."""
        return {
            "host": self.bucket.host.pk,
            "tier": self.bucket.tier.width_seconds,
            "timestamp": self.bucket.start,
            "resolution": self.bucket.tier.width_seconds,
            "points": self.ticks,
            "covered_seconds": self.ticks * self.quarter.machine.interval_seconds,
        }

    def of(self, line: Line) -> Summary:
        """What a line comes to."""
        return line.part(self.minute, self.count)


class QuarterRows:
    """Makes the rows of whole quarters. `ids_of` finds or makes the identities of processes, given as rows of a
    reading; `others` is the identity that stands for all others."""

    def __init__(self, host: Host, ids_of: Callable[[list[Stored]], list[int]], others: int) -> None:
        self._host, self._ids_of, self._others = host, ids_of, others
        self._worst: dict[TierRange, dict[str, WorstTick]] = {}
        self._tiers = {tier.width_seconds // 60: tier for tier in tiers()[:3]}

    def rows(self, quarter: Quarter, counters: Counters, with_minutes: bool) -> Rows:
        """The quarter's row of every table and thing, and those of its minutes and of five of them where they are
        wanted."""
        whole = self._frame(quarter, 0, MINUTES)
        fives = [self._frame(quarter, minute, FIVE) for minute in range(0, MINUTES, FIVE)]
        minutes = [self._frame(quarter, minute, 1) for minute in range(MINUTES)]
        rows: Rows = defaultdict(list)
        for frame in (*minutes, *fives, whole) if with_minutes else (whole,):
            for model, things in quarter.things.items():
                rows[model] += (_row(model, thing, frame, counters) for thing in things)
        rows[ProcessSample] = self._process_rows(minutes, fives, whole, with_minutes)
        _put_cpu_by_process(rows[ProcessTotals], rows[ProcessSample], self._others)
        self._put_worst_ticks(rows[ProcessTotals])
        return rows

    def _frame(self, quarter: Quarter, minute: int, count: int) -> Frame:
        start = quarter.start + minute * 60
        return Frame(quarter, Buckets(self._host, self._tiers[count], start, start + count * 60), minute, count)

    def _process_rows(self, minutes: list[Frame], fives: list[Frame], whole: Frame, with_minutes: bool) -> list[Stored]:
        processes = whole.quarter.processes
        ids = self._ids_of([process.constants for process in processes])
        people = list(zip(ids, processes, strict=True))
        self._worst = {frame.bucket.made: _worst_ticks(frame, people) for frame in (*minutes, *fives, whole)}
        if whole.quarter.event is None:
            kept = _kept(people, 0)
            frames = (*minutes, *fives, whole) if with_minutes else (whole,)
            return [row for frame in frames for row in self._bucket_rows(frame, _calm_sums(frame, kept))]
        fine = [row for frame in minutes for row in self._bucket_rows(frame, _minute_sums(frame, people))]
        of_fives = [row for frame in fives for row in self._bucket_rows(frame, self._joined_sums(frame, fine))]
        of_whole = self._bucket_rows(whole, self._joined_sums(whole, of_fives))
        return [*fine, *of_fives, *of_whole] if with_minutes else of_whole

    def _joined_sums(self, frame: Frame, narrower: list[Stored]) -> list[Sums]:
        """Sums over the rows of narrower buckets, as SQL makes them from what these have stored."""
        by_process: dict[int, list[Stored]] = defaultdict(list)
        for row in narrower:
            if row["process"] != self._others and frame.bucket.start <= row["timestamp"] < frame.bucket.end:
                by_process[row["process"]].append(row)
        return [(pk, *_joined(found)) for pk, found in by_process.items()]

    def _bucket_rows(self, frame: Frame, sums: list[Sums]) -> list[Stored]:
        """The roll-ups' own choice of the highest, and the row for all others."""
        ordered = sorted(sums, key=itemgetter(0))
        rows = rows_of_bucket(
            _bucket(frame), ordered, frame.bucket, self._others, culprits(self._worst[frame.bucket.made])
        )
        return [dict(zip(row_names(), row, strict=True)) for row in rows]

    def _put_worst_ticks(self, totals: list[Stored]) -> None:
        worst = {(of.tier, of.start): ticks for of, ticks in self._worst.items()}
        for row in totals:
            for order, tick in worst[row["tier"], row["timestamp"]].items():
                row[worst_column(order)] = tick.packed()


def _worst_ticks(frame: Frame, people: People) -> dict[str, WorstTick]:
    """The tick of a bucket at which the machine used most, by each order, and who did."""
    quarter, found = frame.quarter, {}
    for order, (model, names) in MACHINE.items():
        lines = [quarter.things[model][0].lines[name] for name in names]
        ticks = range(frame.first, frame.end)
        worst = max(ticks, key=lambda tick: sum([line.at(tick) for line in lines]))
        used = [
            (pk, sum([process.lines[name].at(worst) for name in ProcessSample.orders[order]]))
            for pk, process in _kept(people, worst)
        ]
        at = quarter.start + worst * quarter.machine.interval_seconds
        found[order] = WorstTick(at, sum([line.at(worst) for line in lines]), highest_of(used))
    return found


def _put_cpu_by_process(totals: list[Stored], processes: list[Stored], others: int) -> None:
    """Say in the totals of each bucket who used the CPU."""
    used: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    for row in processes:
        if row["process"] != others and (cpu := sum(row[name] or 0 for name in ProcessSample.orders["cpu"])):
            used[row["tier"], row["timestamp"]][row["process"]] = cpu
    for row in totals:
        row["cpu_by_process"] = packed(used[row["tier"], row["timestamp"]])


def _row(model: type[Sample], thing: Thing, frame: Frame, counters: Counters) -> Stored:
    """The roll-up row of one thing, as it is stored."""
    row = frame.common
    for field in _constant_fields(model):
        if field.source in thing.constants:
            row[field.name] = field.get_prep_value(thing.constants[field.source])
    for field, highest, lowest in _averaged(model):
        line = thing.lines.get(field.name)
        mean, low, high = (None, None, None) if line is None else frame.of(line)
        row[field.name], row[highest] = mean, high
        if lowest:
            row[lowest] = low
    for name, source in _counters(model):
        key = (*key_of(model, thing), source.name)
        counted = counters.at(key, thing.lines[source.name], frame.end)
        row[name] = raw_value(source, counted, frame.quarter.machine)
    for name, lines in thing.lists.items():
        row[name], row[f"{name}_max"] = _lists(frame, lines)
    return row


@lru_cache
def _constant_fields(model: type[Sample]) -> list[Measure]:
    """The fields whose value stays as it is for a quarter, where a thing has it."""
    return [field for field in model.measures() if field.kind in {Kind.LABEL, Kind.FLAG, Kind.TOTAL}]


@lru_cache
def _averaged(model: type[Sample]) -> list[tuple[Averaged, str, str]]:
    """The fields that have a mean, with the names of their maximum and minimum, where they have one."""
    names = [(field, f"{field.name}_max", f"{field.name}_min") for field in averaged_fields(model)]
    return [(field, highest, lowest if "min" in field.extremes else "") for field, highest, lowest in names]


@lru_cache
def _counters(model: type[Sample]) -> list[tuple[str, Averaged]]:
    """The names of fields that keep a counter, and the rate that is made of the same counter."""
    rates = {field.source: field for field in averaged_fields(model) if field.rate}
    counters = [field for field in model.measures() if field.kind == Kind.COUNTER]
    return [(field.name, rates[field.source]) for field in counters if field.source in rates]


def _lists(frame: Frame, lines: list[Line]) -> tuple[str | None, str | None]:
    """Means and maxima of lists, which are in tenths."""
    if frame.count == 1 or not lines[0].extras:
        if not any(_is_uneven(frame, line) for line in lines):
            summaries = [frame.of(line) for line in lines]
            return encoded([(1, [s.mean / 10 for s in summaries], [s.high / 10 for s in summaries])])
        ticks = range(frame.first, frame.end)
        weight = frame.quarter.machine.interval_seconds
        ticked = ([line.at(tick) / 10 for line in lines] for tick in ticks)
        return encoded([(weight, values, values) for values in ticked])
    narrower = [_lists(part, lines) for part in frame.narrower]
    return encoded([(1, orjson.loads(mean or ""), orjson.loads(high or "")) for mean, high in narrower])


def _is_uneven(frame: Frame, line: Line) -> bool:
    """Whether an event begins or ends within the frame, so that the mean is no whole number."""
    first, end = frame.first, frame.end
    return any(first < edge < end for extra in line.extras for edge in (extra.first, extra.end))


def _bucket(frame: Frame) -> Bucket:
    """What all processes used, or the machine where that is more."""
    quarter, common = frame.quarter, frame.common
    totals = quarter.things[ProcessTotals][0].lines
    machine_cpu = frame.of(quarter.things[CpuSample][0].lines["percent"]).mean * quarter.machine.cores
    stored = {name: frame.of(totals[name]).mean for name in ProcessTotals.summed}
    return bucket_of(common["timestamp"], common["covered_seconds"], common["points"], stored, machine_cpu)


def _calm_sums(frame: Frame, kept: People) -> list[Sums]:
    """Sums over a stretch in which nothing happens: the same processes are the highest at every tick."""
    return [_sums(frame, pk, process, [(frame.first, frame.end)]) for pk, process in kept]


def _minute_sums(frame: Frame, people: People) -> list[Sums]:
    """Sums over a minute, in parts between which a process begins or ends."""
    first, end = frame.first, frame.end
    edges = {edge for _pk, process in people for edge in (process.first, process.end) if first < edge < end}
    parts: dict[int, list[tuple[int, int]]] = defaultdict(list)
    by_id = dict(people)
    for start, stop in pairwise((first, *sorted(edges), end)):
        for pk, _process in _kept(people, start):
            parts[pk].append((start, stop))
    return [_sums(frame, pk, by_id[pk], found) for pk, found in parts.items()]


def _kept(people: People, tick: int) -> People:
    """The processes that the recorder keeps of a tick: the highest of each order, of those that used anything."""
    alive = [(pk, process) for pk, process in people if process.first <= tick < process.end]
    chosen: dict[int, ProcessThing] = {}
    for names in ProcessSample.orders.values():
        used = [(sum([process.lines[name].at(tick) for name in names]), pk, process) for pk, process in alive]
        ranked = sorted(used, key=itemgetter(0), reverse=True)[: ProcessSample.kept]
        chosen |= {pk: process for total, pk, process in ranked if total > 0}
    return list(chosen.items())


def _sums(frame: Frame, pk: int, process: ProcessThing, parts: list[tuple[int, int]]) -> Sums:
    """What `rollup.processes` gets from the database."""
    interval = frame.quarter.machine.interval_seconds
    known = sum([end - start for start, end in parts]) * interval
    sums: list[float] = [pk]
    for field in averaged_fields(ProcessSample):
        line = process.lines.get(field.name)
        if line is None:
            high = _constant(frame, field, process)
            total = high * known
        elif line.extras or parts != [(frame.first, frame.end)]:
            total = sum([line.total(end) - line.total(start) for start, end in parts]) * interval
            high = _highest(frame, line, parts)
        else:
            mean, _low, high = frame.of(line)
            total = mean * known
        sums += _sum_and_highest(field, total, known, high)
    return tuple(sums)


def _sum_and_highest(field: Averaged, total: int, known: int, high: int) -> tuple[float, int]:
    """Of a rate the sum, of a level the mean over the seconds for which it is known; and the maximum."""
    return (total if isinstance(field, Rate) else total / known, high)


def _highest(frame: Frame, line: Line, parts: list[tuple[int, int]]) -> int:
    if parts == [(frame.first, frame.end)]:
        return frame.of(line).high
    return max(line.at(tick) for start, end in parts for tick in range(start, end))


def _constant(frame: Frame, field: Averaged, process: ProcessThing) -> int:
    if field.name == "memory_percent":
        rss_bytes = process.lines["rss_bytes"].base * 1024
        return int(field.get_prep_value(memory_percent(frame.quarter.machine, rss_bytes)) or 0)
    return int(process.constants[field.source])


def _joined(rows: list[Stored]) -> list[float]:
    known = sum([row["covered_seconds"] for row in rows])
    sums: list[float] = []
    for field in averaged_fields(ProcessSample):
        total = sum([row[field.name] * row["covered_seconds"] for row in rows])
        sums += _sum_and_highest(field, total, known, max([row[f"{field.name}_max"] for row in rows]))
    return sums
