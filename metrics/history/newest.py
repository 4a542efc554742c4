"""The newest tick of a host, and the hosts there are."""

import time
from dataclasses import dataclass
from math import ceil, floor

from django.db import connection

from metrics import conf
from metrics.history.columns import STRETCH, Point, fetch, table
from metrics.history.metadata import series_families
from metrics.history.pieces import FIRST_MOMENT, LAST_MOMENT, Piece
from metrics.history.processes import ProcessQuery, read_processes, read_totals
from metrics.history.series import read_moment
from metrics.models import Host, ProcessSample, ProcessTotals, Tick
from metrics.models.present import MAX_AHEAD_SECONDS, last_present_moment
from metrics.tiers import RAW, tiers


@dataclass(frozen=True, slots=True)
class Moment:
    """A tick: its nominal time, and the interval then in force."""

    timestamp: int
    resolution: int


def find_host(name: str | None = None) -> Host | None:
    """The host of that name; this machine without a name. None where nothing was ever recorded for it.

    What else is known of it is loaded when somebody looks: nearly all that is asked for needs its id and no more.
    """
    columns = ("id", "name")
    rows = fetch(f"SELECT {', '.join(columns)} FROM {table(Host)} WHERE name = %s", (name or conf.host_name(),))  # noqa: S608
    return Host.from_db(connection.alias, columns, rows[0]) if rows else None


def newest_tick(host: Host) -> Moment | None:
    """The newest tick of a host, None before the first; one that lies ahead, by a clock that was wrong, is none."""
    return _first_tick(host, "timestamp <= %s ORDER BY timestamp", last_present_moment())


def last_stored_tick(host: Host) -> Moment | None:
    """The tick that was stored last, whatever the clock said then; None before the first."""
    return _first_tick(host, "id > %s ORDER BY id", 0)


def _first_tick(host: Host, which: str, value: int) -> Moment | None:
    statement = f"SELECT timestamp, resolution FROM {table(Tick)} WHERE host_id = %s AND {which} DESC LIMIT 1"  # noqa: S608
    rows = fetch(statement, (host.pk, value))
    return Moment(*rows[0]) if rows else None


def is_fresh(newest: Moment) -> bool:
    """Whether a newest tick says that recording goes on: it is neither too old nor in the future."""
    age_seconds = time.time() - newest.timestamp
    return -MAX_AHEAD_SECONDS <= age_seconds <= conf.stale_after_seconds(newest.resolution)


def nearest_moment(host: Host, moment: float) -> Moment | None:
    """The moment nearest to a time at which processes were recorded, in any tier; None where there never was one."""
    found: list[Moment] = []
    for tier in (RAW, *(tier.width_seconds for tier in tiers())):
        before = Piece(host.pk, tier, FIRST_MOMENT, floor(moment)), "DESC"
        after = Piece(host.pk, tier, ceil(moment), LAST_MOMENT), "ASC"
        found += (nearest for piece, order in (before, after) if (nearest := _first_moment(piece, order)))
    return min(found, key=lambda candidate: abs(candidate.timestamp - moment), default=None)


def _first_moment(piece: Piece, order: str) -> Moment | None:
    statement = (
        f"SELECT timestamp, resolution FROM {table(ProcessTotals)} WHERE {STRETCH}"  # noqa: S608
        f" ORDER BY timestamp {order} LIMIT 1"
    )
    rows = fetch(statement, piece)
    return Moment(*rows[0]) if rows else None


def read_tick(host: Host, moment: Moment, top: int = 10) -> dict[str, Point | None]:
    """Every family's point of one tick; None for a family that has none. Of the processes the `top` ones by CPU."""
    points = {family: read_moment(host, family, moment.timestamp) for family in series_families()}
    return {**points, ProcessSample.family: _processes(host, moment, top)}


def _processes(host: Host, moment: Moment, top: int) -> Point | None:
    totals = read_totals(host, moment.timestamp)
    if totals is None:
        return None
    ranked = read_processes(ProcessQuery(host, at=moment.timestamp, limit=top))
    return {**totals, "sort_by": ranked.sort_by, "count": len(ranked.results), "results": ranked.results}
