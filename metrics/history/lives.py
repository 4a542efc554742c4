"""One process from its start to its end: who it is, and what it used over a range."""

from dataclasses import dataclass
from math import ceil, floor

from metrics.history.catalogue import output_names
from metrics.history.columns import Point, columns_of, fetch, table
from metrics.history.pieces import FIRST_MOMENT, LAST_MOMENT, Piece, finest_pieces, pieces_for_step
from metrics.history.series import Series
from metrics.history.steps import newest_steps, resolved_step, stepped_points
from metrics.models import Process, ProcessSample, ProcessTotals
from metrics.tiers import RAW

OF_PROCESS = "host_id = %s AND tier = %s AND timestamp >= %s AND timestamp <= %s AND process_id = %s"


@dataclass(frozen=True, slots=True)
class LifeQuery:
    """Which process, and the stretch of its line: as in a SeriesQuery."""

    process: Process
    start: float | None = None
    end: float | None = None
    limit: int = 100
    step: int | str | None = None
    descending: bool = False

    @property
    def stretch(self) -> tuple[int, int, int]:
        """Host, first and last second."""
        start = FIRST_MOMENT if self.start is None else ceil(self.start)
        return self.process.host_id, start, LAST_MOMENT if self.end is None else floor(self.end)


@dataclass(frozen=True, slots=True)
class Life:
    """When a process was first and last among those that are kept; None where nothing of it is left."""

    first_seen: int | None
    last_seen: int | None


def find_process(pk: int) -> Process | None:
    """The process with this id, with its host."""
    return Process.objects.select_related("host").exclude(pid=0, started_at=0).filter(pk=pk).first()


def read_life(process: Process) -> Life:
    """The first and the last moment at which the process was seen, over all tiers."""
    statement = f"SELECT MIN(timestamp), MAX(timestamp) FROM {table(ProcessSample)} WHERE process_id = %s"  # noqa: S608
    return Life(*fetch(statement, (process.pk,))[0])


def read_line(query: LifeQuery) -> Series:
    """What the process used: a point where it was among the highest, none where it was not."""
    host, start, end = query.stretch
    step = resolved_step(ProcessTotals, query.stretch, query.step, query.limit)  # type: ignore[arg-type]
    if step is None:
        pieces = finest_pieces(ProcessTotals, host, start, end)
        points = [point for piece in pieces for point in _stored(query, piece)][: query.limit + 1]
    else:
        pieces = pieces_for_step(ProcessTotals, host, start, end, step)
        points = _stepped(query, pieces, step)
    shown = points[: query.limit]
    oldest = shown[-1]["timestamp"] if shown else None
    has_extremes = any(piece.tier != RAW for piece in pieces) or step is not None
    ordered = shown if query.descending else shown[::-1]
    return Series(ordered, oldest, len(points) > query.limit, step, has_extremes)


def _stored(query: LifeQuery, piece: Piece) -> list[Point]:
    names = tuple(output_names(ProcessSample, None, maxima=piece.tier != RAW))
    statement = (
        f"SELECT timestamp, resolution{columns_of(ProcessSample, names)} FROM {table(ProcessSample)}"  # noqa: S608
        f" WHERE {OF_PROCESS} ORDER BY timestamp DESC LIMIT %s"
    )
    rows = fetch(statement, (*piece, query.process.pk, query.limit + 1))
    return [dict(zip(("timestamp", "resolution", *names), row, strict=True)) for row in rows]


def _stepped(query: LifeQuery, pieces: list[Piece], step: int) -> list[Point]:
    """Newest first."""
    names = tuple(output_names(ProcessSample, None, maxima=True))
    of_process = {"process": (query.process.pk,)}
    starts = newest_steps(ProcessSample, pieces, step, query.limit + 1, of_process)
    if not starts:
        return []
    cut = [piece._replace(start=max(piece.start, starts[-1])) for piece in pieces if piece.end >= starts[-1]]
    found = stepped_points(ProcessSample, names, cut, of_process, step)
    return [{"timestamp": start, "resolution": step, **values} for start, values in sorted(found, reverse=True)]
