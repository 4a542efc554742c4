"""Who was the biggest consumer in each step of a range."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from metrics.history.points import Point
from metrics.history.series import Series, newest_points
from metrics.history.steps import Step, newest_steps
from metrics.history.tier_ranges import Ranged, cut
from metrics.models import Host, Process, ProcessSample, ProcessTotals
from metrics.models.packing import unpacked
from metrics.models.sql import WEIGHT, TierRange, fetch, places, select, select_range, start_of, table, union

# Seconds that were recorded, and who used the CPU in them, packed.
Recorded = tuple[int, bytes | None]


@dataclass(frozen=True, slots=True)
class TopQuery(Ranged):
    """The newest `limit` steps of a range; the step is a number of seconds or `auto`."""

    host: Host
    start: float | None = None
    end: float | None = None
    limit: int = 100
    step: Step = "auto"
    descending: bool = False


def read_top(query: TopQuery) -> Series:
    """For each step in which anything was recorded: the process that used the most CPU, with its mean over the step;
    a step in which none used any has none."""
    steps = newest_steps(ProcessTotals, query.time_range, query.step, query.limit)
    starts = steps.starts[: query.limit]
    recorded = _recorded(cut(steps.ranges, starts[-1], starts[0] + steps.width - 1), steps.width) if starts else {}
    return newest_points(query, steps.starts, _winners(recorded, steps.width), steps.width, has_extremes=False)


def _recorded(ranges: Iterable[TierRange], step: int) -> dict[int, list[Recorded]]:
    """What the steps are made of, by their start."""
    columns = [start_of(step), WEIGHT, "cpu_by_process"]
    steps: dict[int, list[Recorded]] = defaultdict(list)
    for start, seconds, data in fetch(*union(select_range(ProcessTotals, of, columns) for of in ranges)):
        steps[start].append((seconds, data))
    return steps


def _winners(steps: Mapping[int, list[Recorded]], step: int) -> dict[int, Point]:
    """By start of the step; a mean is one over all the time that was recorded."""
    found = {start: highest for start, recorded in steps.items() if (highest := _highest(recorded))}
    known = _identities({pk for pk, _used in found.values()})
    scale: int = ProcessSample._meta.get_field("cpu_percent").scale
    return {
        start: {
            "timestamp": start,
            "resolution": step,
            "id": pk,
            **known[pk],
            "cpu_percent": round(used / scale / sum([seconds for seconds, _data in steps[start]]), 2),
        }
        for start, (pk, used) in found.items()
        if pk in known
    }


def _highest(recorded: list[Recorded]) -> tuple[int, int] | None:
    """The process that used the most, and its CPU, as stored, times seconds; None where none used any."""
    sums: dict[int, int] = {}
    known = sums.get
    for seconds, data in recorded:
        for pk, cpu in unpacked(data):
            sums[pk] = known(pk, 0) + cpu * seconds
    used = max(sums.values(), default=0)
    return (min([pk for pk, total in sums.items() if total == used]), used) if used else None


def _identities(ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Of processes by their ids; one of which nothing else is left has none."""
    wanted = list(set(ids))
    if not wanted:
        return {}
    rows = fetch(select(("id", "pid", "name"), table(Process), f"id IN ({places(wanted)})"), wanted)
    return {pk: {"pid": pid, "name": name} for pk, pid, name in rows}
