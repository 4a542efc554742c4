"""From which rows the steps of a series are made: as few as there can be for the same sums.

A step is made from the tier that `pieces_for_step` names; but buckets of a wider tier or summary that lie within one
step stand for what they were made from. Only beside the boundaries of steps, within the buckets that a boundary cuts,
the finer rows are read. So a year of quarters of an hour comes to some rows a step.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from metrics.history.columns import stretch_of, table
from metrics.history.pieces import Layer, Piece, cover_steps, first_and_last, layers, rolled_up_to, summary_layers
from metrics.models import Sample
from metrics.tiers import RAW

Labels = Mapping[str, Iterable[Any]]
Sql = tuple[str, list[Any]]


class Source(NamedTuple):
    """The rows of one tier in a stretch, of buckets that lie within one step; `width` is that of a bucket. With
    `beside` only those that lie in a bucket of that width which a boundary of steps cuts."""

    piece: Piece
    width: int
    beside: int = 0

    @property
    def tier(self) -> int:
        """Where the rows are."""
        return self.piece.tier


def sources_for_step(
    model: type[Sample], host: int, start: int, end: int, step: int, *, with_processes: bool = False
) -> list[Source]:
    """The rows that steps of a range are made from; none of them stands for what another one stands for."""
    known, until = layers(model, host, start), rolled_up_to(host)
    summed_up = summary_layers(model, host, start, with_processes=with_processes) if len(known) > 1 else []
    wider = [*known, *summed_up]
    levels = sorted((layer for layer in wider if layer.width <= step), key=lambda layer: layer.width)
    found: list[Source] = []
    for piece in cover_steps(Piece(host, RAW, start, end), known, step, until):
        # Raw points are few, and their sums know more digits than those of roll-ups.
        above = [layer for layer in levels if piece.tier != RAW and layer.width > piece.tier]
        found += _divided(piece, above, step, until)
    return found


def _divided(piece: Piece, wider: Sequence[Layer], step: int, until: int) -> Iterator[Source]:
    """A piece with the widest layer where that has it, and with the others elsewhere."""
    if piece.start > piece.end:
        return
    if not wider:
        yield Source(piece, piece.tier or 1)
        return
    *finer, layer = wider
    width = layer.width
    first = -(-max(piece.start, layer.first) // width) * width
    after = min(piece.end + 1, until) // width * width
    if first >= after:
        yield from _divided(piece, finer, step, until)
        return
    yield Source(piece._replace(tier=layer.tier, start=first, end=after - 1), width)
    if step % width:
        yield from _beside(piece._replace(start=first, end=after - 1), finer, width)
    yield from _divided(piece._replace(end=first - 1), finer, step, until)
    yield from _divided(piece._replace(start=after), finer, step, until)


def _beside(piece: Piece, finer: Sequence[Layer], width: int) -> Iterator[Source]:
    """What stands for the buckets that a boundary cuts: those of the next finer layer, and so on."""
    for layer in reversed(finer):
        if layer.first <= piece.start:
            yield Source(piece._replace(tier=layer.tier), layer.width, width)
            width = layer.width
    yield Source(piece, piece.tier, width)


def cut(sources: Iterable[Source], start: int, end: int) -> list[Source]:
    """What of the sources lies between two boundaries of steps, both ends included."""
    pieces = (
        source._replace(piece=p._replace(start=max(p.start, start), end=min(p.end, end)))
        for source in sources
        for p in [source.piece]
    )
    return [source for source in pieces if source.piece.start <= source.piece.end]


def ends_of(model: type[Sample], sources: Iterable[Source], wanted: Labels) -> tuple[int, int] | None:
    """The times of the first and of the last row; None where there is none."""
    found = {source.piece: first_and_last(model, source.piece, wanted) for source in sources}
    known = [moment for pair in found.values() if pair for moment in pair]
    return (min(known), max(known)) if known else None


def union(
    model: type[Sample], sources: Iterable[Source], step: int, wanted: Labels, select: Callable[[int], str]
) -> Sql:
    """SQL for all rows of the sources one below the other; `select` gives the columns for those of a tier."""
    parts = [_rows(model, source, step, wanted, select(source.tier)) for source in sources]
    return " UNION ALL ".join(sql for sql, _values in parts), [value for _sql, values in parts for value in values]


def _rows(model: type[Sample], source: Source, step: int, wanted: Labels, selected: str) -> Sql:
    condition, values = stretch_of(model, wanted)
    parameters: list[Any] = [*source.piece, *values]
    if source.width > 1 and step % source.width:
        condition += " AND timestamp %% %s <= %s"
        parameters += [step, step - source.width]
    if not source.beside:
        return f"SELECT {selected} FROM {table(model)} WHERE {condition}", parameters  # noqa: S608
    buckets, bucket_values = _cut_buckets(source, step)
    # CROSS JOIN: SQLite takes the buckets first, and seeks the rows of each. The signs keep it from walking through all
    # of the stretch for each bucket instead.
    rows = f"SELECT {selected} FROM ({buckets}) cut_buckets CROSS JOIN {table(model)}"  # noqa: S608
    beside = condition.replace("timestamp >= %s AND timestamp <= %s", "+timestamp >= %s AND +timestamp <= %s")
    return f"{rows} WHERE {beside} AND timestamp >= bucket AND timestamp < bucket + %s", [
        *(*bucket_values, *parameters, source.beside)
    ]


def _cut_buckets(source: Source, step: int) -> Sql:
    """The starts of the buckets that a boundary cuts, in the column `bucket`."""
    width, piece = source.beside, source.piece
    first = piece.start - piece.start % step
    boundaries = (
        "WITH RECURSIVE boundaries(boundary) AS (SELECT CAST(%s AS BIGINT)"
        " UNION ALL SELECT boundary + %s FROM boundaries WHERE boundary + %s <= %s)"
    )
    buckets = "SELECT boundary - boundary %% %s AS bucket FROM boundaries WHERE boundary %% %s <> 0"
    last = piece.end + source.beside
    return f"{boundaries} {buckets}", [first, step, step, last, width, width]
