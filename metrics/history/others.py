"""Steps of a list of which some ticks kept the busiest things only, and the sum of the others."""

from collections.abc import Sequence

from metrics.history.columns import fetch
from metrics.history.sources import Source, union
from metrics.history.steps import WEIGHT, start_of
from metrics.models import Sample
from metrics.models.others import NAMES


def seconds_with_others(model: type[Sample], sources: Sequence[Source], step: int) -> dict[int, int] | None:
    """Return how many seconds of each step were recorded, by its start; None where no row is a sum of others.

    A thing that was in such a sum for a part of a step counts for nothing in that part: what it did is in the sum.
    """
    if not model.busiest or not _has_others(model, sources, step):
        return None
    rows, values = union(
        model, sources, step, {}, lambda _tier: f"{start_of(step)} AS start, timestamp, {WEIGHT} AS seconds"
    )
    ticks = f"SELECT start, MAX(seconds) AS seconds FROM ({rows}) rows GROUP BY start, timestamp"  # noqa: S608
    return dict(fetch(f"SELECT start, SUM(seconds) FROM ({ticks}) ticks GROUP BY start", values))  # noqa: S608


def _has_others(model: type[Sample], sources: Sequence[Source], step: int) -> bool:
    rows, values = union(model, sources, step, {model.named_by: NAMES}, lambda _tier: "1")
    return bool(fetch(f"SELECT 1 FROM ({rows}) rows LIMIT 1", values))  # noqa: S608
