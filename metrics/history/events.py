"""The events of a host, the newest of a range."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import NamedTuple

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from metrics.history.points import Point
from metrics.models import Event, Host
from metrics.models.events import KINDS, Culprit, Severity

KIND_NAMES, SEVERITY_NAMES = list(KINDS), list(Severity.values)
EVENT_FIELDS = ["id", "kind", "host", "started_at", "ended_at", "severity", "title", "details"]
CULPRIT_FIELDS = list(Culprit.__dataclass_fields__)
UNKNOWN = asdict(Culprit(None, ""))


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events: those that touch the range, of some kinds or of all. `before` is the id of an event at `end`: of
    the events that began in that moment only those with a lower id."""

    host: Host
    limit: int
    start: float | None = None
    end: float | None = None
    kinds: Collection[str] | None = None
    before: int | None = None
    descending: bool = False


class EventPage(NamedTuple):
    """The newest events of a query, with moments as seconds since the epoch; and the oldest of them where there are
    older ones."""

    events: list[Point]
    oldest: Point | None


def read_events(query: EventQuery) -> EventPage:
    """Those that touch the range, also such as began before it and ended in it."""
    rows = Event.objects.filter(host=query.host).order_by("-started_at", "-pk")
    if query.kinds is not None:
        rows = rows.filter(kind__in=query.kinds)
    if query.start is not None:
        rows = rows.annotate(until=Coalesce(F("ended_at"), F("started_at"))).filter(until__gte=query.start)
    if query.end is not None:
        rows = rows.filter(started_at__lte=query.end)
        if query.before is not None:
            rows = rows.exclude(Q(started_at=query.end) & Q(pk__gte=query.before))
    found = list(rows[: query.limit + 1])
    kept = [_point(query.host, event) for event in found[: query.limit]]
    oldest = kept[-1] if len(found) > query.limit else None
    return EventPage(kept if query.descending else kept[::-1], oldest)


def _point(host: Host, event: Event) -> Point:
    return {
        "id": event.pk,
        "kind": event.kind,
        "host": host.name,
        "started_at": event.started_at.timestamp(),
        "ended_at": None if event.ended_at is None else event.ended_at.timestamp(),
        "severity": event.severity,
        "title": event.title,
        "details": event.details,
        # One that a version stored which knew of less has null for the rest.
        "culprits": [UNKNOWN | culprit for culprit in event.culprits],
    }
