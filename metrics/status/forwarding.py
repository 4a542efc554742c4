"""How far forwarding has come."""

import time
from typing import Any

from metrics import conf
from metrics.models import ForwardCursor, Host, Tick
from metrics.models.present import last_present_moment, not_ahead

OK, FAILED, UNKNOWN = "ok", "failed", "unknown"


def read_forwarding(host: Host) -> list[dict[str, Any]]:
    """The state of each destination that is set, in the order of the setting; unknown before the first attempt."""
    names = [destination.name for destination in conf.forward_destinations()]
    if not names:
        return []
    cursors = {cursor.destination: cursor for cursor in ForwardCursor.objects.filter(host=host)}
    return [_state(host, cursors.get(name) or ForwardCursor(host=host, destination=name)) for name in names]


def _state(host: Host, cursor: ForwardCursor) -> dict[str, Any]:
    is_working = cursor.succeeded_at is not None and not cursor.failures_in_a_row
    return {
        "destination": cursor.destination,
        "status": FAILED if cursor.failures_in_a_row else OK if is_working else UNKNOWN,
        "is_working": is_working,
        "message": cursor.message,
        "lag_seconds": _lag_seconds(host, cursor),
        "newest_tick": _newest(cursor),
        "points": cursor.points,
        "errors": cursor.errors,
        "refused_ticks": cursor.refused_ticks,
    }


def _newest(cursor: ForwardCursor) -> int | None:
    """The newest tick that was taken; None where that was sent by a clock that was ahead, until another one follows."""
    newest = None if cursor.newest is None else int(cursor.newest.timestamp())
    return None if newest is None or newest > last_present_moment() else newest


def _lag_seconds(host: Host, cursor: ForwardCursor) -> float:
    """The age of the tick that has waited longest, 0 where none waits."""
    waiting = not_ahead(Tick.objects.filter(host=host, pk__gt=cursor.last_tick)).order_by("pk").first()
    return 0.0 if waiting is None else round(max(0.0, time.time() - waiting.timestamp.timestamp()), 3)
