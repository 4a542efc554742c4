"""What became of the file of the database, remembered beside it: also while the database itself cannot be read.

A text file of JSON, which outlives a restart, a damaged database and one that was removed.
"""

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

import orjson
from filelock import FileLock

from metrics.models.events import NewEvent

DAY_SECONDS = 86_400
MAX_INCIDENTS = 50


class Kind(StrEnum):
    """What happened to the file."""

    DAMAGE = "damage"
    REPLACED = "file_replaced"


@dataclass
class Incident:
    """What happened at a moment, and what was done about it.

    `kept_as` is the name of the file that was set aside, empty where there is none, `saved_rows` how many rows of
    users, settings and states the new one began with. `left` says up to which row each table of the history still has
    to be brought over; `history_rows` and `unreadable_rows` count what was.
    """

    kind: Kind
    at: float
    reason: str
    kept_as: str = ""
    saved_rows: int = 0
    history_rows: int = 0
    unreadable_rows: int = 0
    left: dict[str, int] = field(default_factory=dict)
    # How many rows `left` began with, and when nothing was left any more.
    total_rows: int = 0
    finished_at: float | None = None


def incidents(database: Path) -> list[Incident]:
    """All that are remembered, the oldest first; none where they cannot be read."""
    try:
        return [Incident(**{**kept, "kind": Kind(kept["kind"])}) for kept in orjson.loads(_file(database).read_bytes())]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def recent_incidents(database: Path, kind: Kind | None = None) -> list[Incident]:
    """Those of the last day."""
    since = time.time() - DAY_SECONDS
    return [found for found in incidents(database) if found.at >= since and kind in {None, found.kind}]


def events_of(incidents: Iterable[Incident]) -> list[NewEvent]:
    """Each as an event of the history, under a key by which it is stored once."""
    return [
        NewEvent(
            str(incident.kind),
            str(round(incident.at * 1000)),
            incident.at,
            incident.reason,
            details={"kept_as": incident.kept_as or None, "saved_rows": incident.saved_rows},
        )
        for incident in incidents
    ]


def remember(database: Path, incident: Incident) -> None:
    """Add an incident, or write down how far it has come: it is known by its time."""
    with _changing(database):
        known = {found.at: found for found in incidents(database)} | {incident.at: incident}
        newest = sorted(known.values(), key=lambda found: found.at)[-MAX_INCIDENTS:]
        draft = _file(database).with_suffix(".part")
        draft.write_bytes(orjson.dumps([asdict(found) for found in newest], option=orjson.OPT_INDENT_2))
        os.replace(draft, _file(database))


@contextlib.contextmanager
def _changing(database: Path) -> Iterator[None]:
    with FileLock(f"{database}.incidents.lock", mode=0o600, timeout=10):
        yield


def _file(database: Path) -> Path:
    return Path(f"{database}.incidents.json")
