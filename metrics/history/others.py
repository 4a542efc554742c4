"""Steps of a list of which some ticks kept the busiest things only, and the sum of the others."""

from collections.abc import Sequence

from metrics.models import Sample
from metrics.models.others import NAMES
from metrics.models.sql import WEIGHT, TierRange, fetch, nested, select, select_range, start_of, union


def seconds_with_others(model: type[Sample], ranges: Sequence[TierRange], step: int) -> dict[int, int] | None:
    """Return how many seconds of each step were recorded, by its start; None where no row is a sum of others.

    A thing that was in such a sum for a part of a step counts for nothing in that part: what it did is in the sum.
    """
    if not model.busiest or not _has_others(model, ranges):
        return None
    columns = (f"{start_of(step)} AS start", "timestamp", f"{WEIGHT} AS seconds")
    rows, values = union(select_range(model, of, columns) for of in ranges)
    moments = nested(rows, "moments")
    ticks = select(["start", "MAX(seconds) AS seconds"], moments, group_by=["start", "timestamp"])
    return dict(fetch(select(["start", "SUM(seconds)"], nested(ticks, "ticks"), group_by=["start"]), values))


def _has_others(model: type[Sample], ranges: Sequence[TierRange]) -> bool:
    found, values = union(select_range(model, of, ["1"], {model.named_by: NAMES}) for of in ranges)
    return bool(fetch(select(["1"], nested(found, "found"), limit=True), [*values, 1]))
