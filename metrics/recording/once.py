"""One look at this machine that stores nothing and needs no database."""

import time
from collections.abc import Callable
from typing import Any

from metrics import conf
from metrics.models import ProcessSample, Sample
from metrics.models.others import LeftOut
from metrics.recording.busiest import Busiest
from metrics.recording.left_out import left_out as not_kept
from metrics.recording.plausibility import drop_impossible
from metrics.recording.runner import Outcome, Run, runners
from metrics.recording.samples import Drafts, DraftSample, TakenReading, drafts_of, total

# Two readings this far apart: long enough for a rate, short enough to wait for.
PAUSE_SECONDS = 1.0
TIMEOUT_SECONDS = 5.0
SHOWN_PROCESSES = 10


def look_once(sleep: Callable[[float], None] = time.sleep) -> dict[str, Any]:
    """What the newest tick would say now: host, timestamp (seconds since the epoch), and a point for each family;
    None for a family that has nothing here or failed. `left_out` lists what is not kept by its own name."""
    before = {run.family: run for run in _runs()}
    sleep(PAUSE_SECONDS)
    after = _runs()
    left_out: list[LeftOut] = []
    return {
        "host": conf.host_name(),
        "timestamp": int(time.time()),
        **{run.family: _point(run, before.get(run.family), left_out) for run in after},
        "left_out": left_out,
    }


def _runs() -> list[Run]:
    return [runner.run(TIMEOUT_SECONDS) for runner in runners()]


def _point(run: Run, before: Run | None, left_out: list[LeftOut]) -> dict[str, Any] | None:
    if run.outcome != Outcome.OK:
        left_out.extend(not_kept(run.excluded, {}))
        return None
    new, old = _taken(run), _taken(before) if before else None
    drafts = drafts_of(run.family, new, old, resolution=1) if new else {}
    drop_impossible(drafts)
    left_out.extend(not_kept(run.excluded, Busiest().choose(drafts, PAUSE_SECONDS)))
    point: dict[str, Any] = {}
    for model, rows in drafts.items():
        if model is ProcessSample:
            point[model.collection] = _highest(drafts)
        elif model.collection:
            point[model.collection] = [_as_stored(model, draft) for draft in rows]
        else:
            point |= _as_stored(model, rows[0]) if rows else {}
    return point


def _as_stored(model: type[Sample], draft: DraftSample) -> dict[str, Any]:
    """The values with as many digits as a stored sample has."""
    return {field.name: field.rounded(draft.values[field.name]) for field in model.measures()}


def _taken(run: Run) -> TakenReading | None:
    return None if run.reading is None else TakenReading(0, run.uptime_seconds, "", run.reading)


def _highest(drafts: Drafts) -> list[dict[str, Any]]:
    """The processes that used the most CPU, with what identifies them."""
    ranked = sorted(drafts[ProcessSample], key=lambda draft: -total(draft.values, ProcessSample.orders["cpu"]))
    return [
        {
            "pid": draft.row["pid"],
            **{name: draft.row[name] for name in ProcessSample.facts},
            **_as_stored(ProcessSample, draft),
        }
        for draft in ranked[:SHOWN_PROCESSES]
    ]
