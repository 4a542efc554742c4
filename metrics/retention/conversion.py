"""Makes the tiers of today from what an older version has stored, a day at a time, while recording goes on.

Older versions had other widths between and beyond their tiers, without single processes. Each bucket of today's tiers
that is not there, or knows no processes, is made from the finer one that has most of its points; nothing is made again
from less. The newest day comes first, so that "from the oldest on" always says what there is. What no tier is made of
any more goes last.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from django.db import models

from metrics.models import Host, ProcessSample, ProcessTotals, RollUpState, Sample
from metrics.models.samples import sample_models
from metrics.models.sql import LAST_MOMENT, TierRange, fetch, nested, select, select_range, table, union
from metrics.retention.buckets import Buckets
from metrics.retention.pruning import BATCH_ROWS, delete_batch
from metrics.retention.rollup import MAX_BUCKETS, roll_up_buckets
from metrics.tiers import RAW, WIDTHS, Tier, tiers

DAY = 86_400
# What a run takes of a worker that has other things to do in this minute: a year is done within the hour.
MAX_SECONDS = 2.0
# By start of a bucket: from how many points it was made, or could be.
Points = Mapping[int, int]


def convert(host: Host, max_seconds: float = MAX_SECONDS) -> bool:
    """Go on where it stopped; whether all is done."""
    ends_at = time.monotonic() + max_seconds
    state = RollUpState.objects.filter(host=host, converted_from__isnull=False).first()
    if state is None:
        return True
    # Those of today are made meanwhile.
    stored = sorted({*_stored_widths(host), *WIDTHS})
    while (day := _day_before(host, stored, int(state.converted_from.timestamp()))) is not None:
        _convert_day(_Day(host, day, stored))
        RollUpState.objects.filter(pk=state.pk).update(converted_from=day)
        if time.monotonic() > ends_at:
            return False
        state.refresh_from_db()
    if not _drop_leftovers(host, stored, ends_at):
        return False
    RollUpState.objects.filter(pk=state.pk).update(converted_from=None)
    return True


def _stored_widths(host: Host) -> list[int]:
    """The widths of which anything is stored, those of older versions too; each found by one step in the index."""
    found: set[int] = set()
    for model in _lead_tables():
        width: int | None = RAW
        while width is not None:
            statement = select(["MIN(tier)"], table(model), "host_id = %s AND tier > %s")
            [(width,)] = fetch(statement, [host.pk, width])
            found |= {width} if width is not None else set()
    return sorted(found)


def _lead_tables() -> list[type[Sample]]:
    """The tables with one row a moment."""
    return [model for model in sample_models() if not model.collection]


def _day_before(host: Host, stored: list[int], moment: int) -> int | None:
    """The start of the newest day before a moment of which anything is stored."""
    newest = "host_id = %s AND tier = %s AND timestamp < %s"
    parts = [
        (select(["MAX(timestamp) AS at"], table(model), newest), [host.pk, width, moment])
        for model in _lead_tables()
        for width in stored
    ]
    if not parts:
        return None
    rows, values = union(parts)
    [(last,)] = fetch(select(["MAX(at)"], nested(rows, "found")), values)
    return None if last is None else int(last) // DAY * DAY


@dataclass(frozen=True, slots=True)
class _Day:
    """A day of a host, and the widths of which it may have anything."""

    host: Host
    start: int
    stored: list[int]

    def points(self, width: int, tier: Tier) -> Points:
        """How many points of each of a tier's buckets the rows of a width stand for."""
        of = TierRange(self.host.pk, width, self.start, self.start + DAY - 1)
        columns = [f"timestamp - timestamp %% {tier.width_seconds} AS start", "points"]
        rows, values = union(select_range(model, of, columns) for model in _lead_tables())
        found = fetch(select(["start", "SUM(points)"], nested(rows, "r"), group_by=["start"]), values)
        return {start: int(points) for start, points in found}

    def without_processes(self, tier: Tier) -> set[int]:
        """The buckets of a tier in which processes were counted and none is known, not even all others."""
        of = TierRange(self.host.pk, tier.width_seconds, self.start, self.start + DAY - 1)
        counted, known = (
            {at for (at,) in fetch(*select_range(model, of, ["DISTINCT timestamp"]))}
            for model in (ProcessTotals, ProcessSample)
        )
        return counted - known


def _convert_day(day: _Day) -> None:
    for tier in tiers():
        if tier.source_seconds != RAW:
            for buckets in _to_make(day, tier):
                roll_up_buckets(buckets)


def _to_make(day: _Day, tier: Tier) -> list[Buckets]:
    """The buckets of a tier that are missing or know too little, neighbours of one source joined, newest first."""
    sources = _sources(day, tier)
    joined: list[Buckets] = []
    for start in sorted(sources, reverse=True):
        source = replace(tier, source_seconds=sources[start])
        last = joined[-1] if joined else None
        follows = last and last.start == start + tier.width_seconds and last.tier == source
        if last and follows and (last.end - start) // tier.width_seconds <= MAX_BUCKETS:
            joined[-1] = replace(last, start=start)
        else:
            joined.append(Buckets(day.host, source, start, start + tier.width_seconds))
    return joined


def _sources(day: _Day, tier: Tier) -> dict[int, int]:
    """By start of the bucket: the width that it is to be made from."""
    finer = [w for w in day.stored if w < tier.width_seconds and tier.width_seconds % w == 0]
    # Where two have as much, that which the tier is always made from, and then the wider one.
    finer.sort(key=lambda width: (width == tier.source_seconds, width))
    best: dict[int, tuple[int, int]] = {}
    for width in finer:
        for start, points in day.points(width, tier).items():
            if points >= best.get(start, (0, 0))[0]:
                best[start] = points, width
    there, poor = day.points(tier.width_seconds, tier), day.without_processes(tier)
    kept_from = time.time() - tier.kept_seconds
    return {
        start: width
        for start, (points, width) in best.items()
        if start >= kept_from and (points > there.get(start, 0) or (start in poor and points == there[start]))
    }


def _drop_leftovers(host: Host, stored: list[int], ends_at: float) -> bool:
    """Delete what belongs to no tier, and buckets that know no processes; whether all are gone."""
    for rows in _leftovers(host, stored):
        while delete_batch(rows) == BATCH_ROWS:
            if time.monotonic() > ends_at:
                return False
    return True


def _leftovers(host: Host, stored: list[int]) -> Iterator[models.QuerySet[Sample]]:
    for width in stored:
        first = LAST_MOMENT if width not in WIDTHS else _first_with_processes(host, width)
        for model in sample_models() if first is not None else ():
            yield model._default_manager.filter(host=host, tier=width, timestamp__lt=first)


def _first_with_processes(host: Host, width: int) -> int | None:
    """From where on the buckets of a width know processes; None where that is from the first on."""
    oldest = [
        fetch(select(["MIN(timestamp)"], table(model), "host_id = %s AND tier = %s"), [host.pk, width])[0][0]
        for model in (ProcessTotals, ProcessSample)
    ]
    counted, known = oldest
    if counted is None or (known is not None and known <= counted):
        return None
    return LAST_MOMENT if known is None else int(known)
