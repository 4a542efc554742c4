"""The newest tick of a host, and the hosts there are."""

import time
from dataclasses import dataclass
from math import ceil, floor

from django.db import connection

from metrics import conf
from metrics.history.metadata import series_families
from metrics.history.points import Point
from metrics.history.processes import ProcessQuery, read_processes, read_totals
from metrics.history.series import read_moment
from metrics.models import Host, ProcessSample, ProcessTotals, Tick
from metrics.models.present import MAX_AHEAD_SECONDS, last_present_moment
from metrics.models.sql import FIRST_MOMENT, LAST_MOMENT, TierRange, fetch, select, select_range, table
from metrics.tiers import RAW, WIDTHS


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
    rows = fetch(select(columns, table(Host), "name = %s"), [name or conf.host_name()])
    return Host.from_db(connection.alias, columns, rows[0]) if rows else None


def newest_tick(host: Host) -> Moment | None:
    """The newest tick of a host, None before the first; one that lies ahead, by a clock that was wrong, is none."""
    return _first_tick(host, "timestamp <= %s", last_present_moment())


def last_stored_tick(host: Host) -> Moment | None:
    """The tick that was stored last, whatever the clock said then; None before the first."""
    return _first_tick(host, "id > %s", 0)


def _first_tick(host: Host, which: str, value: int) -> Moment | None:
    """The last one, in the order of a column, of those whose value lies within a limit."""
    where, order = f"host_id = %s AND {which}", f"{which.split()[0]} DESC"
    statement = select(("timestamp", "resolution"), table(Tick), where, order_by=order, limit=True)
    rows = fetch(statement, [host.pk, value, 1])
    return Moment(*rows[0]) if rows else None


def is_fresh(newest: Moment) -> bool:
    """Whether a newest tick says that recording goes on: it is neither too old nor in the future."""
    age_seconds = time.time() - newest.timestamp
    return -MAX_AHEAD_SECONDS <= age_seconds <= conf.stale_after_seconds(newest.resolution)


def nearest_moment(host: Host, moment: float) -> Moment | None:
    """The moment nearest to a time at which processes were recorded, in any tier; None where there never was one."""
    found: list[Moment] = []
    for tier in (RAW, *WIDTHS):
        before = TierRange(host.pk, tier, FIRST_MOMENT, floor(moment)), "DESC"
        after = TierRange(host.pk, tier, ceil(moment), LAST_MOMENT), "ASC"
        found += (nearest for of, order in (before, after) if (nearest := _first_moment(of, order)))
    return min(found, key=lambda candidate: abs(candidate.timestamp - moment), default=None)


def _first_moment(of: TierRange, order: str) -> Moment | None:
    columns = ("timestamp", "resolution")
    statement, values = select_range(ProcessTotals, of, columns, order_by=f"timestamp {order}", limit=True)
    rows = fetch(statement, [*values, 1])
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
