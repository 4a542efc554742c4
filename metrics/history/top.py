"""Who was the biggest consumer in each step of a range."""

from dataclasses import dataclass
from typing import Literal

from metrics.history.columns import STRETCH, Point, column, decoded, fetch, table
from metrics.history.pieces import Piece, Ranged, finest_pieces, pieces_for_step
from metrics.history.processes import NOT_OTHERS
from metrics.history.series import Series
from metrics.history.steps import STEP_START, WEIGHT, newest_steps, recorded_seconds, resolved_step
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
    pieces = pieces_for_step(ProcessTotals, *query.stretch, step)
    starts = newest_steps(ProcessTotals, pieces, step, query.limit + 1)
    has_older = len(starts) > query.limit
    starts = starts[: query.limit]
    if not starts:
        return Series([], None, False, step)
    winners = _winners([piece for piece in pieces if piece.end >= starts[-1]], step, starts[-1])
    points = [winners[start] for start in starts if start in winners]
    return Series(points if query.descending else points[::-1], starts[-1], has_older, step)


def _winners(pieces: list[Piece], step: int, first: int) -> dict[int, Point]:
    cut = [piece._replace(start=max(piece.start, first)) for piece in pieces]
    recorded = recorded_seconds(ProcessTotals, cut, step)
    rows = fetch(_statement(len(cut)), [value for piece in cut for value in (step, *piece)])
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


def _statement(pieces: int) -> str:
    """A row a step: start, the process, and its CPU in percent times seconds."""
    cpu = ProcessSample._meta.get_field("cpu_percent")
    in_piece = (
        f"SELECT {STEP_START} AS start, process_id, CAST({column(cpu)} AS DOUBLE PRECISION) * {WEIGHT} AS used"  # noqa: S608
        f" FROM {table(ProcessSample)} WHERE {STRETCH}"
    )
    union = " UNION ALL ".join([in_piece] * pieces)
    summed = f"SELECT start, process_id, SUM(used) AS used FROM ({union}) uses GROUP BY start, process_id"  # noqa: S608
    ranked = (
        "SELECT u.start, u.process_id, p.pid, p.name, u.used,"  # noqa: S608
        " ROW_NUMBER() OVER (PARTITION BY u.start ORDER BY u.used DESC, u.process_id) AS place"
        f" FROM ({summed}) u JOIN {table(Process)} p ON p.id = u.process_id WHERE {NOT_OTHERS} AND u.used > 0"
    )
    return f"SELECT start, process_id, pid, name, {decoded(cpu, 'used')} FROM ({ranked}) r WHERE place = 1"  # noqa: S608
