"""What a cluster says of itself in Redis, as JSON: django-q2's own is a pickle, which a reader has to load."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django_q.signing import SignedPackage
from django_q.status import Stat

from metrics.formatting.units import visible

_NUMBERS = ("pid", "sentinel", "monitor", "pusher", "reincarnations", "done_q_size", "task_q_size")
_TEXTS = ("host", "status")


def json_of(package: str) -> str:
    """The text for a status that this process has packed a moment ago."""
    status: Any = SignedPackage.loads(package)
    fields = {name: getattr(status, name) for name in _NUMBERS} | {name: str(getattr(status, name)) for name in _TEXTS}
    times = {name: getattr(status, name).isoformat() for name in ("tob", "timestamp")}
    return json.dumps({**fields, **times, "cluster_id": str(status.cluster_id), "workers": status.workers})


def package_of_status(text: bytes | None) -> str | None:
    """What django-q2 reads, of a text that anybody may have written; None where it is no status."""
    try:
        said = json.loads(text or b"null")
        fields = _fields(said) if isinstance(said, dict) else None
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    if fields is None:
        return None
    status = Stat.__new__(Stat)
    status.__dict__.update(fields)
    return SignedPackage.dumps(status, compressed=True)


def _fields(said: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: int(said[name]) for name in _NUMBERS},
        **{name: visible(str(said[name])) for name in _TEXTS},
        **{name: datetime.fromisoformat(said[name]) for name in ("tob", "timestamp")},
        "cluster_id": UUID(str(said["cluster_id"])),
        "workers": [int(pid) for pid in said["workers"]],
        # Left out by Stat when it is packed.
        "broker": None,
    }
