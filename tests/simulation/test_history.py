"""The short way gives what the recorder and the roll-ups give for the same ticks."""

import time

import pytest

from metrics.models import (
    DeviceSample,
    Host,
    InterfaceSample,
    MemorySample,
    PartitionSample,
    Process,
    ProcessSample,
    Tick,
)
from metrics.models.packing import unpacked
from metrics.models.samples import sample_models
from metrics.models.worst_ticks import WorstTick
from metrics.retention.pruning import apply_retention
from metrics.simulation.events import HOUR, hour_of
from metrics.simulation.history import History
from metrics.simulation.machine import Machine, Often
from metrics.simulation.quarters import QuarterPlan

END = 1_795_367_415
OFTEN = Often(burst=0.35, hog=0.35, gap=0.15, reboot=0.15, long_gap=0.0)


@pytest.fixture
def now(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: float(END))


def machine(interval=60, **more):
    return Machine("test-host", interval_seconds=interval, processes=45, often=OFTEN, **more)


def write(story, seconds, **more):
    for _start in History(story, END - seconds, END, **more).write():
        pass
    apply_retention()


def stored():
    """Every row of every table, with the identities of processes instead of their ids."""
    identities = {
        pk: identity for pk, *identity in Process.objects.values_list("pk", "pid", "started_at", "name", "command")
    }
    rows = {"tick": sorted(Tick.objects.values_list("timestamp", "resolution"))}
    for model in sample_models():
        rows[model.__name__] = sorted((_row(row, identities) for row in model.objects.values()), key=repr)
    rows["process"] = sorted(identities.values(), key=repr)
    return rows


def _row(row, identities):
    shown = {name: value for name, value in row.items() if name not in {"id", "host_id", "process_id"}}
    if "cpu_by_process" in shown:
        used = unpacked(shown["cpu_by_process"])
        shown["cpu_by_process"] = sorted([(identities[pk], cpu) for pk, cpu in used], key=repr)
        for order in ProcessSample.orders:
            tick = WorstTick.unpacked(shown[f"worst_{order}"])
            used = tick and [(identities[pk], value) for pk, value in tick.processes]
            shown[f"worst_{order}"] = tick and (tick.timestamp, tick.total, used)
    return (shown["tier"], shown["timestamp"], identities.get(row.get("process_id"), ()), shown)


def both_ways(story, seconds):
    write(story, seconds, every_tick=True)
    recorded = stored()
    for model in sample_models():
        model.objects.all().delete()
    Host.objects.all().delete()
    write(story, seconds)
    return recorded, stored()


@pytest.mark.django_db
@pytest.mark.parametrize(("interval", "seed", "hours"), [(20, "21", 4), (60, "3", 6)])
def test_computed_rows_are_those_of_the_recorder_and_the_roll_ups(now, settings, interval, seed, hours):
    settings.SYSMON_MAX_POINTS = 30
    story = machine(interval, seed=seed)
    happened = [hour_of(story, END // HOUR - number) for number in range(1, hours)]
    assert any(hour.event for hour in happened)
    assert any(hour.pause and hour.pause.reboot for hour in happened)
    recorded, computed = both_ways(story, hours * HOUR)
    for table, rows in recorded.items():
        assert computed[table] == rows, table


@pytest.mark.django_db
def test_families_that_the_story_knows_nothing_of_are_filled_too(now, settings, monkeypatch):
    """As a new one is: by both ways alike, with values that can be."""
    settings.SYSMON_MAX_POINTS = 30
    told = QuarterPlan.told
    new = {MemorySample, PartitionSample, DeviceSample, InterfaceSample}
    known = lambda plan, *busy: {model: things for model, things in told(plan, *busy).items() if model not in new}  # noqa: E731
    monkeypatch.setattr(QuarterPlan, "told", known)
    recorded, computed = both_ways(machine(60, seed="3"), 3 * HOUR)
    for model in new:
        assert computed[model.__name__] == recorded[model.__name__]
        assert {tier for tier, *_row in computed[model.__name__]} >= {0, 60, 900}
        rows = [row for tier, _time, _identity, row in computed[model.__name__] if tier]
        names = {field.name for field in model.measures() if not field.over}
        assert {name for name in names if all(row[name] is None for row in rows)} == set(), model
