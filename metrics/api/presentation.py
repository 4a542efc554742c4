"""What the history found, in the words of the API: moments as text, and everything around the results."""

from typing import Any

from rest_framework.response import Response

from metrics.formatting.moments import iso
from metrics.history.peaks import PeakQuery, headline, peak_fields
from metrics.history.points import Point
from metrics.history.process_history import Life
from metrics.history.processes import RankedProcesses
from metrics.models import Host

MOMENTS = ("timestamp", "started_at", "ended_at", "first_seen", "last_seen", "start", "end", "peak_at")


class TimelessResponse(Response):
    """An answer that follows from the request and from what is stored: the clock has no part in it.

    `identity` is what its body follows from, where that is shorter than the body.
    """

    def __init__(self, data: dict[str, Any], identity: bytes | None = None) -> None:
        super().__init__(data)
        self.identity = identity


def in_words(point: Point) -> Point:
    """The point with its moments as text."""
    return point | {name: iso(point[name]) for name in MOMENTS if point.get(name) is not None}


def ranking(host: Host, ranked: RankedProcesses) -> dict[str, Any]:
    """The processes at a moment or over a range."""
    return {
        "metric": "processes",
        "host": host.name,
        "timestamp": None if ranked.timestamp is None else iso(ranked.timestamp),
        "resolution": ranked.resolution,
        "sort_by": ranked.sort_by,
        "total": ranked.total,
        "count": len(ranked.results),
        "worst": ranked.worst and {order: tick and in_words(tick) for order, tick in ranked.worst.items()},
        "results": [in_words(process) for process in ranked.results],
    }


def peaks(query: PeakQuery, episodes: list[Point]) -> dict[str, Any]:
    """The highest episodes of a family."""
    field = query.field or headline(query.family)
    return {
        "metric": f"{query.family}/peaks",
        "host": query.host.name,
        "field": field,
        "unit": peak_fields(query.family)[field][1].unit,
        "count": len(episodes),
        "results": [
            in_words(episode)
            | {"worst": episode["worst"] and in_words(episode["worst"])}
            | {"processes": [in_words(process) for process in episode["processes"]]}
            for episode in episodes
        ],
    }


def life(process: Any, found: Life) -> dict[str, Any]:
    """Who a process is, and when it was seen."""
    return in_words(
        {
            "id": process.pk,
            "pid": process.pid,
            "name": process.name,
            "username": process.username,
            "command": process.command,
            "started_at": process.started_at.timestamp(),
            "host": process.host.name,
            "first_seen": found.first_seen,
            "last_seen": found.last_seen,
        }
    )
