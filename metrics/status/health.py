"""Whether sysmon does its work: the database answers, ticks arrive, a recorder lives, each family delivers."""

import time
from typing import Any

import orjson
from django.db import DatabaseError

from metrics import conf
from metrics.history.newest import Moment, find_host, last_stored_tick, newest_tick
from metrics.models import CollectorState, Host, Recorder, Tick
from metrics.models.others import LeftOut
from metrics.models.present import last_present_moment
from metrics.recording.heartbeat import attached
from metrics.status.forwarding import FAILED, OK, read_forwarding
from metrics.storage.damage import database_file
from metrics.storage.incidents import Incident, recent_incidents

RUNNING = "running"
Check = dict[str, Any]
# So long a jump of the clock is told of: whoever looks on Monday is told about Sunday.
JUMP_SHOWN_SECONDS = 7 * 86_400

# Two recorders of one name notice each other at each of their hand-overs, every 60 to 90 s.
CONTESTED_SECONDS = 300
REMEDY = "set SYSMON_HOSTNAME on one of the machines"


def read_health() -> dict[str, Any]:
    """The state of this host's recording. `is_healthy` is false where ticks are overdue or the database is silent."""
    now = time.time()
    try:
        host = find_host()
        checks = {"database": {"status": OK}, **_checks(host, now)}
    except DatabaseError as error:
        checks = {"database": {"status": FAILED, "message": str(error)}}
    checks |= {"storing": _storing(), **_file(), **_access()}
    is_healthy = all(checks.get(name, {}).get("status") == OK for name in ("database", "sampling"))
    return {
        "is_healthy": is_healthy,
        "warnings": [*_warnings(checks.get("families", {})), *_contested(checks)],
        "host": conf.host_name(),
        "timestamp": now,
        "checks": checks,
    }


def read_warnings(host: Host) -> list[Check]:
    """What keeps the newest readings of a host from being whole, by family, as health names it: what failed, what is
    seen of which whole."""
    return _warnings(_families(host, time.time()))


def _warnings(families: dict[str, Check]) -> list[Check]:
    """The families that failed at the newest tick, and those of which a part had to wait; they degrade nothing."""
    return [
        {"family": family, "status": check["status"], "message": check["message"]}
        for family, check in families.items()
        if check["status"] == CollectorState.Outcome.FAILED or (check["status"] == OK and check["message"])
    ]


def _contested(checks: dict[str, Check]) -> list[Check]:
    """That two recorders use one name; it degrades nothing, since each tick is stored once."""
    recorder = checks.get("recorder", {})
    is_contested = recorder.get("status") == FAILED and "pid" in recorder
    return [{"check": "recorder", "status": FAILED, "message": recorder["message"]}] if is_contested else []


def _checks(host: Host | None, now: float) -> dict[str, Check]:
    if host is None:
        return {"sampling": {"status": FAILED, "message": "no sample yet"}}
    checks = {"sampling": _sampling(host, now), "recorder": _recorder(host, now), "families": _families(host, now)}
    found = {"clock": _clock(host, now), "forwarding": _forwarding(host)}
    return {**checks, **{name: check for name, check in found.items() if check}}


def _sampling(host: Host, now: float) -> Check:
    newest, last = newest_tick(host), last_stored_tick(host)
    if newest is None:
        return {"status": FAILED, "message": _ahead(last, now) if last else "no sample yet"}
    age_seconds = now - newest.timestamp
    allowed_seconds = conf.stale_after_seconds(newest.resolution)
    check = {
        "status": OK,
        "newest_tick": newest.timestamp,
        "age_seconds": round(age_seconds, 3),
        "allowed_age_seconds": allowed_seconds,
        "interval_seconds": newest.resolution,
        **(
            Tick.objects.filter(host=host, timestamp=newest.timestamp)
            .values("lag_milliseconds", "duration_milliseconds")
            .get()
        ),
    }
    if age_seconds > allowed_seconds:
        return check | {"status": FAILED, "message": f"the newest tick is {age_seconds:.0f} s old"}
    if last and last.timestamp - now > last.resolution:
        return check | {"status": FAILED, "message": _ahead(last, now)}
    return check


def _ahead(last: Moment, now: float) -> str:
    """Nothing has been stored since: each time that comes was recorded before the clock was set back."""
    return f"the newest tick is {last.timestamp - now:.0f} s ahead: the clock was set"


def _clock(host: Host, now: float) -> Check:
    """That the clock jumped by more than a day within the last week, and what lies ahead; nothing else to say is {}."""
    jumped_at, jump = _clock_jump(host, now)
    ahead = Tick.objects.filter(host=host, timestamp__gt=last_present_moment()).count()
    said = []
    if jump:
        said.append(f"the clock jumped {'forward' if jump > 0 else 'back'} by {abs(jump) / 86_400:.1f} days")
    if ahead:
        said.append(f"ticks that lie ahead of now, which are no newest ones and go first: {ahead}")
    check = {"jumped_at": jumped_at, "jump_seconds": jump, "ticks_ahead": ahead}
    return {"status": FAILED, "message": "; ".join(said), **check} if said else {}


def _clock_jump(host: Host, now: float) -> tuple[int | None, int | None]:
    """The first tick after it, and by how much; None where there was none lately."""
    at, jump = Host.objects.filter(pk=host.pk).values_list("clock_jumped_at", "clock_jump_seconds").get()
    is_recent = at is not None and 0 <= now - at.timestamp() < JUMP_SHOWN_SECONDS
    return (int(at.timestamp()), jump) if at is not None and is_recent else (None, None)


def _recorder(host: Host, now: float) -> Check:
    recorder = Recorder.objects.filter(host=host).first()
    if recorder is None or recorder.released_at is not None:
        return {"status": FAILED, "message": "nobody records"}
    seconds = now - recorder.taken_over_at.timestamp()
    check = {"status": OK, "pid": recorder.pid, "window_age_seconds": round(seconds, 1)}
    if host.contested_at and now - host.contested_at.timestamp() < CONTESTED_SECONDS:
        return check | {"status": FAILED, "message": f"another recorder stores ticks of {host.name} too: {REMEDY}"}
    return check


def _storing() -> Check:
    """Whether ticks wait in memory; known where the recorder is one of this server's own supervisor."""
    pending = attached().pending()
    if pending.reason:
        return {"status": FAILED, "pending_ticks": pending.ticks, "message": pending.reason}
    return {"status": OK, "pending_ticks": 0}


def _file() -> dict[str, Check]:
    """What became of the database's file within the last day, which degrades nothing by itself; else nothing."""
    database = database_file()
    recent = recent_incidents(database) if database else []
    if not recent:
        return {}
    newest = recent[-1]
    return {
        "file": {
            "status": FAILED,
            "message": newest.reason,
            "kind": str(newest.kind),
            "happened_at": newest.at,
            "times_within_a_day": len(recent),
            "kept_as": newest.kept_as or None,
            "saved_rows": newest.saved_rows,
            "history": _saved_history(newest),
        }
    }


def _saved_history(incident: Incident) -> Check | None:
    """How far the history of a file that was set aside has been brought over; None where nothing is."""
    if not incident.total_rows:
        return None
    done = 1 - sum(incident.left.values()) / incident.total_rows
    return {
        "status": OK if incident.finished_at is not None else RUNNING,
        "done_percent": round(100 * done, 1),
        "saved_rows": incident.history_rows,
        "unreadable_rows": incident.unreadable_rows,
    }


def _access() -> dict[str, Check]:
    """That a proxy was noticed, which ends public access until the next start and degrades nothing; else nothing."""
    if not attached().has_proxy():
        return {}
    message = "a browser came through a proxy: reading takes a sign-in; set SYSMON_API_ACCESS=authenticated"
    return {"access": {"status": FAILED, "message": message}}


def _forwarding(host: Host) -> dict[str, Check]:
    """A check for each destination. One that does not work degrades nothing: this machine records all the same."""
    return {state.pop("destination"): state for state in read_forwarding(host)}


def _families(host: Host, now: float) -> dict[str, Check]:
    return {state.family: _family(state, now) for state in CollectorState.objects.filter(host=host).order_by("family")}


def _family(state: CollectorState, now: float) -> Check:
    succeeded = state.succeeded_at
    return {
        "status": str(state.outcome),
        "message": state.message,
        "age_seconds": None if succeeded is None else round(now - succeeded.timestamp(), 3),
        "duration_milliseconds": state.duration_milliseconds,
        "runs": state.runs,
        "failures": state.failures,
        **({"left_out": left_out} if (left_out := _left_out(state)) else {}),
    }


def read_left_out(host: Host) -> list[LeftOut]:
    """What of a host's newest tick is not kept by its own name: it is excluded by a setting, or in a sum only."""
    states = CollectorState.objects.filter(host=host).order_by("family").only("left_out")
    return [left for state in states for left in _left_out(state)]


def _left_out(state: CollectorState) -> list[LeftOut]:
    """Nothing where the row was written by another hand and says nothing of the kind."""
    try:
        found = orjson.loads(state.left_out or "[]")
    except ValueError:
        return []
    return found if isinstance(found, list) else []
