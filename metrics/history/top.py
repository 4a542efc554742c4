"""Who was the biggest consumer in each step of a range."""

from dataclasses import dataclass
from typing import Any, Literal

from metrics.history.columns import Point, column, decoded, fetch, table
from metrics.history.pieces import Ranged, finest_pieces
from metrics.history.processes import NOT_OTHERS
from metrics.history.series import Series
from metrics.history.sources import Source, cut, sources_for_step, union
from metrics.history.steps import WEIGHT, newest_steps, recorded_seconds, resolved_step, start_of
from metrics.models import Host, Process, ProcessSample, ProcessTotals


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
    sources = sources_for_step(ProcessTotals, *query.stretch, step, with_processes=True)
    starts = newest_steps(ProcessTotals, sources, step, query.limit + 1)
    has_older = len(starts) > query.limit
    starts = starts[: query.limit]
    if not starts:
        return Series([], None, False, step)
    winners = _winners(cut(sources, starts[-1], starts[0] + step - 1), step)
    points = [winners[start] for start in starts if start in winners]
    return Series(points if query.descending else points[::-1], starts[-1], has_older, step)


def _winners(sources: list[Source], step: int) -> dict[int, Point]:
    recorded = recorded_seconds(ProcessTotals, sources, step)
    rows = fetch(*_statement(sources, step))
    return {
        start: {
            "timestamp": start,
            "resolution": step,
            "id": pk,
            "pid": pid,
            "name": name,
            "cpu_percent": round(total / recorded[start], 2),
        }
        for start, pk, pid, name, total in rows
        if recorded.get(start)
    }


def _statement(sources: list[Source], step: int) -> tuple[str, list[Any]]:
    """A row a step: start, the process, and its CPU in percent times seconds."""
    cpu = ProcessSample._meta.get_field("cpu_percent")
    used = f"{start_of(step)} AS start, process_id, CAST({column(cpu)} AS DOUBLE PRECISION) * {WEIGHT} AS used"
    rows, values = union(ProcessSample, sources, step, {}, lambda _tier: used)
    summed = f"SELECT start, process_id, SUM(used) AS used FROM ({rows}) uses GROUP BY start, process_id"  # noqa: S608
    ranked = (
        "SELECT u.start, u.process_id, p.pid, p.name, u.used,"  # noqa: S608
        " ROW_NUMBER() OVER (PARTITION BY u.start ORDER BY u.used DESC, u.process_id) AS place"
        f" FROM ({summed}) u JOIN {table(Process)} p ON p.id = u.process_id WHERE {NOT_OTHERS} AND u.used > 0"
    )
    winners = f"SELECT start, process_id, pid, name, {decoded(cpu, 'used')} FROM ({ranked}) r WHERE place = 1"  # noqa: S608
    return winners, values
