"""Who was the biggest consumer in each step of a range."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from metrics.history.columns import Point, fetch, table
from metrics.history.pieces import Ranged, finest_pieces
from metrics.history.series import Series
from metrics.history.sources import Source, cut, sources_for_step, union
from metrics.history.steps import WEIGHT, newest_steps, resolved_step, start_of
from metrics.models import Host, Process, ProcessSample, ProcessTotals
from metrics.models.packing import unpacked

# Seconds that were recorded, and who used the CPU in them, packed.
Recorded = tuple[int, bytes | None]


@dataclass(frozen=True, slots=True)
class TopQuery(Ranged):
    """The newest `limit` steps of a range; the step is a number of seconds or `auto`."""

    host: Host
    start: float | None = None
    end: float | None = None
    limit: int = 100
    step: int | Literal["auto"] = "auto"
    descending: bool = False


def read_top(query: TopQuery) -> Series:
    """For each step in which anything was recorded: the process that used the most CPU, with its mean over the step;
    a step in which none used any has none."""
    step = resolved_step(ProcessTotals, finest_pieces(ProcessTotals, *query.stretch), query.step, query.limit)
    steps = _steps(_shown(query, sources_for_step(ProcessTotals, *query.stretch, step), step), step)
    starts = sorted(steps, reverse=True)
    has_older = len(starts) > query.limit
    starts = starts[: query.limit]
    if not starts:
        return Series([], None, False, step)
    winners = _winners({start: steps[start] for start in starts}, step)
    points = [winners[start] for start in starts if start in winners]
    return Series(points if query.descending else points[::-1], starts[-1], has_older, step)


def _shown(query: TopQuery, sources: list[Source], step: int) -> list[Source]:
    """What of the sources lies in the newest steps, one more of them than asked for."""
    if query.step == "auto":
        # All of it fits.
        return sources
    starts = newest_steps(ProcessTotals, sources, step, query.limit + 1)
    return cut(sources, starts[-1], starts[0] + step - 1) if starts else []


def _steps(sources: list[Source], step: int) -> dict[int, list[Recorded]]:
    """What the steps are made of, by their start."""
    selected = f"{start_of(step)} AS start, {WEIGHT} AS seconds, cpu_by_process"
    steps: dict[int, list[Recorded]] = defaultdict(list)
    if sources:
        for start, seconds, data in fetch(*union(ProcessTotals, sources, step, {}, lambda _tier: selected)):
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
    places = ", ".join(["%s"] * len(wanted))
    rows = fetch(f"SELECT id, pid, name FROM {table(Process)} WHERE id IN ({places})", wanted)  # noqa: S608
    return {pk: {"pid": pid, "name": name} for pk, pid, name in rows}
