"""Which tier tells of which stretch of time: all tiers of a family as one history.

Without a step the finest tier that still has a stretch tells of it. A step may be made from anything that divides it,
and is read from the coarsest such tier, which has the fewest rows; what that tier does not say (the newest minutes, the
ends of a range that lie within its width) is read from a finer one. The pieces never overlap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from metrics.history.columns import STRETCH, fetch, table
from metrics.models import RollUpState, Sample
from metrics.tiers import RAW, tiers

# Seconds since the epoch that no moment reaches, for a range that is open at one end.
FIRST_MOMENT, LAST_MOMENT = -(2**50), 2**50


class Piece(NamedTuple):
    """A stretch of time, both ends included, and the tier to read it from: the values of columns.STRETCH."""

    host: int
    tier: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Layer:
    """A tier of one table and host, and the time of the oldest thing that it has; `width` is 1 for the raw tier."""

    tier: int
    width: int
    oldest: int


def layers(model: type[Sample], host: int) -> list[Layer]:
    """The tiers in which a table has anything of a host, finest first."""
    known = (RAW, *(tier.width_seconds for tier in tiers()))
    oldest = f"SELECT %s AS tier, MIN(timestamp) AS oldest FROM {table(model)} WHERE host_id = %s AND tier = %s"  # noqa: S608
    rows = fetch(" UNION ALL ".join([oldest] * len(known)), [value for tier in known for value in (tier, host, tier)])
    return [Layer(tier, tier or 1, oldest) for tier, oldest in sorted(rows) if oldest is not None]


def finest_pieces(model: type[Sample], host: int, start: int, end: int) -> list[Piece]:
    """The range from the finest tiers that have it, newest piece first."""
    pieces: list[Piece] = []
    known = layers(model, host)
    for place, layer in enumerate(known):
        coarser = known[place + 1] if place + 1 < len(known) else None
        first = _first_moment(model, host, layer, coarser) if coarser else layer.oldest
        if first <= end:
            pieces.append(Piece(host, layer.tier, max(start, first), end))
        end = min(end, first - 1)
        if end < start:
            break
    return [piece for piece in pieces if piece.start <= piece.end]


def _first_moment(model: type[Sample], host: int, layer: Layer, coarser: Layer) -> int:
    """From where on the finer layer tells: a bucket of which it has lost a part is told of by the coarser one."""
    bucket = layer.oldest - layer.oldest % coarser.width
    if bucket == layer.oldest:
        return bucket
    whole = Piece(host, coarser.tier, bucket, bucket)
    part = Piece(host, layer.tier, bucket, bucket + coarser.width - 1)
    return bucket + coarser.width if _points(model, whole) > _points(model, part) else layer.oldest


def _points(model: type[Sample], piece: Piece) -> int:
    """How many raw points a piece was made from, counting a moment once however many things it has."""
    moments = f"SELECT MAX(points) AS points FROM {table(model)} WHERE {STRETCH} GROUP BY timestamp"  # noqa: S608
    [(points,)] = fetch(f"SELECT SUM(points) FROM ({moments}) moments", piece)  # noqa: S608
    return int(points or 0)


def pieces_for_step(model: type[Sample], host: int, start: int, end: int, step: int) -> list[Piece]:
    """The range from the coarsest tiers that divide the step, in no order."""
    candidates = [layer for layer in layers(model, host) if step % layer.width == 0]
    state = RollUpState.objects.filter(host_id=host).first()
    rolled_up_to = int(state.newest.timestamp()) if state and state.newest else FIRST_MOMENT
    return [piece for piece in _cover(host, candidates, start, end, rolled_up_to) if piece.start <= piece.end]


def _cover(host: int, candidates: Sequence[Layer], start: int, end: int, rolled_up_to: int) -> list[Piece]:
    """Cover a stretch with the last, coarsest candidate, and with the others what it cannot tell."""
    if not candidates or start > end:
        return []
    *finer, layer = candidates
    if not finer:
        return [Piece(host, layer.tier, start, end)]
    first, last = _whole_buckets(layer, min(other.oldest for other in finer), start, end, rolled_up_to)
    if first > last:
        return _cover(host, finer, start, end, rolled_up_to)
    before = _cover(host, finer, start, first - 1, rolled_up_to)
    after = _cover(host, finer, last + 1, end, rolled_up_to)
    return [*before, Piece(host, layer.tier, first, last), *after]


def _whole_buckets(layer: Layer, finer_oldest: int, start: int, end: int, rolled_up_to: int) -> tuple[int, int]:
    """The buckets of a layer that lie in the stretch whole. One that is cut by an end of the stretch counts as well
    where nothing finer is left of it."""
    width = layer.width
    first, after = -(-start // width) * width, (end + 1) // width * width
    if first > start and finer_oldest >= first:
        first -= width
    if after <= end < finer_oldest:
        after += width
    return max(first, layer.oldest), min(after, rolled_up_to // width * width) - 1
