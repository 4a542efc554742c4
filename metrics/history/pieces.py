"""Which tier tells of which stretch of time: all tiers of a family as one history.

Without a step the finest tier that still has a stretch tells of it. A step may be made from anything that divides it,
and is read from the coarsest such tier, which has the fewest rows; what that tier does not say (the newest minutes, the
ends of a range that lie within its width) is read from a finer one. The pieces never overlap.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from metrics.history.columns import STRETCH, Row, fetch, stretch_of, table
from metrics.history.present import first_and_last_second, last_stray_moment, longest_span_seconds
from metrics.models import Host, RollUpState, Sample
from metrics.models.present import last_present_moment
from metrics.tiers import RAW, summaries, tiers

# Seconds since the epoch that no moment reaches, for a range that is open at one end.
FIRST_MOMENT, LAST_MOMENT = -(2**50), 2**50


class Piece(NamedTuple):
    """A stretch of time, both ends included, and the tier to read it from: the values of columns.STRETCH."""

    host: int
    tier: int
    start: int
    end: int


class Oldest(NamedTuple):
    """A tier of one table and host, and the time of the oldest thing that it has; `width` is 1 for the raw tier."""

    tier: int
    width: int
    oldest: int


class Ranged:
    """Mixed into a query about a host from `start` to `end`, inclusive seconds since the epoch; None is open, as
    far as the present goes."""

    __slots__ = ()
    host: Host
    start: float | None
    end: float | None

    @property
    def stretch(self) -> tuple[int, int, int]:
        """Host, first and last second."""
        first, last = first_and_last_second(self.host.pk, self.start, self.end)
        return self.host.pk, FIRST_MOMENT if first is None else first, LAST_MOMENT if last is None else last


@dataclass(frozen=True, slots=True)
class Layer:
    """A tier of one table and host. It has things from `oldest` on; from `first` on it has lost nothing that a coarser
    tier still knows of."""

    tier: int
    width: int
    oldest: int
    first: int

    def bucket_of(self, moment: int) -> int:
        """The start of the bucket in which a moment lies."""
        return moment - moment % self.width


def layers(model: type[Sample], host: int, start: int = FIRST_MOMENT) -> list[Layer]:
    """The tiers in which a table has anything of a host, finest first. For a range that begins, at `start`, after what
    was recorded in 1970 they have nothing of that: by one such row the raw tier would tell of everything since."""
    known: list[Layer] = []
    widths = (RAW, *(tier.width_seconds for tier in tiers()))
    for finer in reversed(_oldest_after_strays(model, host, widths, start)):
        known = [Layer(*finer, _first_moment(model, host, finer, known)), *known]
    return known


def _oldest_after_strays(model: type[Sample], host: int, known: Sequence[int], start: int) -> list[Oldest]:
    """As `_oldest_of_each`, for a range that begins at `start`; one that is open there has no strays, see Ranged."""
    found = _oldest_of_each(model, host, known)
    reach = last_present_moment() - longest_span_seconds()
    if start == FIRST_MOMENT or all(oldest.oldest >= reach for oldest in found):
        return found
    stray = last_stray_moment(host)
    return found if stray is None or start <= stray else _oldest_of_each(model, host, known, stray + 1)


def _oldest_of_each(model: type[Sample], host: int, known: Sequence[int], since: int = FIRST_MOMENT) -> list[Oldest]:
    if not known:
        return []
    oldest = (
        f"SELECT %s AS tier, MIN(timestamp) AS oldest FROM {table(model)}"  # noqa: S608
        " WHERE host_id = %s AND tier = %s AND timestamp >= %s"
    )
    values = [value for tier in known for value in (tier, host, tier, since)]
    rows = fetch(" UNION ALL ".join([oldest] * len(known)), values)
    return [Oldest(tier, tier or 1, oldest) for tier, oldest in sorted(rows) if oldest is not None]


def _first_moment(model: type[Sample], host: int, finer: Oldest, coarser: Sequence[Layer]) -> int:
    """From where on a tier tells: a bucket of which it has lost a part is told of by the next tier that tells of it."""
    reaching = (other for other in coarser if other.first <= other.bucket_of(finer.oldest))
    other = next(reaching, None)
    if other is None:
        return finer.oldest
    bucket = other.bucket_of(finer.oldest)
    whole = Piece(host, other.tier, bucket, bucket)
    part = Piece(host, finer.tier, bucket, bucket + other.width - 1)
    return bucket + other.width if _points(model, whole) > _points(model, part) else bucket


def _points(model: type[Sample], piece: Piece) -> int:
    """How many raw points a piece was made from, counting a moment once however many things it has."""
    moments = f"SELECT MAX(points) AS points FROM {table(model)} WHERE {STRETCH} GROUP BY timestamp"  # noqa: S608
    [(points,)] = fetch(f"SELECT SUM(points) FROM ({moments}) moments", piece)  # noqa: S608
    return int(points or 0)


def finest_pieces(model: type[Sample], host: int, start: int, end: int) -> list[Piece]:
    """The range from the finest tiers that have it, newest piece first."""
    return _finest(host, layers(model, host, start), start, end)


def _finest(host: int, known: Sequence[Layer], start: int, end: int) -> list[Piece]:
    pieces: list[Piece] = []
    for layer in known:
        pieces.append(Piece(host, layer.tier, max(start, layer.first), end))
        end = min(end, layer.first - 1)
    return [piece for piece in pieces if piece.start <= piece.end]


def summary_layers(model: type[Sample], host: int, start: int, *, with_processes: bool = False) -> list[Layer]:
    """The summaries of a table that are there, finest first; from `first` on none is missing of what was rolled up. For
    a range that begins at `start`, as `layers` has it."""
    wanted = [tier.width_seconds for tier in summaries() if tier.top_processes or not with_processes]
    found = _oldest_after_strays(model, host, wanted, start)
    return [Layer(*oldest, first=oldest.oldest) for oldest in found]


def pieces_for_step(model: type[Sample], host: int, start: int, end: int, step: int) -> list[Piece]:
    """The range from the coarsest tiers that divide the step, in no order."""
    return cover_steps(Piece(host, RAW, start, end), layers(model, host, start), step, rolled_up_to(host))


def cover_steps(whole: Piece, known: Sequence[Layer], step: int, until: int) -> list[Piece]:
    """The same for layers that are known; `until` is how far the roll-ups have come."""
    candidates = [layer for layer in known if step % layer.width == 0]
    return _cover(whole.host, candidates, whole.start, whole.end, until)


def pieces_for_range(
    model: type[Sample], host: int, start: int, end: int, width: int, summed_up: Sequence[Layer] = ()
) -> list[Piece]:
    """The range from the coarsest tiers up to a width, and what is older than those from the finest that still have
    it, in no order; `summed_up` are summaries that stand for what they were made from."""
    known = layers(model, host, start)
    fine = [layer for layer in known if layer.width <= width]
    first = max(start, min((layer.first for layer in fine), default=end + 1))
    older = _finest(host, known[len(fine) :], start, min(end, first - 1))
    covering = [*fine, *(layer for layer in summed_up if layer.width <= width)] if fine else []
    return [*_cover(host, covering, first, end, rolled_up_to(host)), *map(whole_buckets, older)]


def whole_buckets(piece: Piece) -> Piece:
    """The piece with the whole of the bucket in which it begins, of which nothing finer is left."""
    return piece._replace(start=piece.start - piece.start % (piece.tier or 1))


def first_and_last(
    model: type[Sample], piece: Piece, wanted: Mapping[str, Iterable[Any]] | None = None
) -> tuple[int, int] | None:
    """The times of the first and of the last sample in a piece; None where it has none."""
    first, last = aggregates(model, piece, wanted or {}, "MIN(timestamp)", "MAX(timestamp)")
    return None if first is None else (first, last)


def aggregates(model: type[Sample], piece: Piece, wanted: Mapping[str, Iterable[Any]], *expressions: str) -> Row:
    """Each aggregate by a query of its own within one: for MIN and MAX together SQLite would read the whole piece."""
    condition, values = stretch_of(model, wanted)
    queries = (f"(SELECT {expression} FROM {table(model)} WHERE {condition})" for expression in expressions)  # noqa: S608
    return fetch(f"SELECT {', '.join(queries)}", [*piece, *values] * len(expressions))[0]


def rolled_up_to(host: int) -> int:
    """The newest moment of the present of which the roll-ups know."""
    rows = fetch(f"SELECT newest FROM {table(RollUpState)} WHERE host_id = %s AND newest IS NOT NULL", [host])  # noqa: S608
    return min(int(rows[0][0]), last_present_moment()) if rows else FIRST_MOMENT


def _cover(host: int, candidates: Sequence[Layer], start: int, end: int, until: int) -> list[Piece]:
    """Cover a stretch with the last, coarsest candidate, and with the others what it cannot tell."""
    if not candidates or start > end:
        return []
    *finer, layer = candidates
    if not finer:
        return [Piece(host, layer.tier, max(start, layer.oldest), end)] if layer.oldest <= end else []
    first, last = _told_whole(layer, min(other.first for other in finer), start, end, until)
    if first > last:
        return _cover(host, finer, start, end, until)
    before = _cover(host, finer, start, first - 1, until)
    after = _cover(host, finer, last + 1, end, until)
    return [*before, Piece(host, layer.tier, first, last), *after]


def _told_whole(layer: Layer, finer_first: int, start: int, end: int, until: int) -> tuple[int, int]:
    """The buckets of a layer that lie in the stretch whole. One that is cut by an end of the stretch, or that is not
    finished, counts as well where a part of it is left in nothing finer."""
    width = layer.width
    first, after = -(-start // width) * width, min(end + 1, until) // width * width
    if first > start and finer_first > first - width:
        first -= width
    if after <= end and finer_first > after:
        after += width
    return max(first, layer.oldest), after - 1
