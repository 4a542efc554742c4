"""Values that cannot be are null and named."""

import pytest

from metrics.models import CollectorState, CpuSample, InterfaceSample, MemorySample, NewestReading, ProcessSample
from metrics.models.fields import NumberField
from metrics.models.samples import sample_models
from metrics.recording.plausibility import bound, drop_impossible
from metrics.recording.recording import Recording
from metrics.recording.samples import DraftSample
from tests.recording.fakes import Clock, ScriptedRunner

GIB = 2**30
MEMORY = {
    "total_bytes": 8 * GIB, "available_bytes": 6 * GIB, "used_bytes": 2 * GIB, "free_bytes": 1 * GIB, "percent": 25.0,
    "buffers_bytes": 1, "cached_bytes": 2, "zfs_arc_bytes": None, "swap_total_bytes": GIB, "swap_used_bytes": 0,
    "swap_percent": 0.0, "swap_in_bytes": 0, "swap_out_bytes": 0, "pressure_some_seconds": 0.0,
    "pressure_full_seconds": 0.0,
}  # fmt: skip


def draft(model, **values):
    """A sample with these values, and the row that they came from."""
    known = {field.name: values.get(field.name) for field in model.measures()}
    return DraftSample(known, {field.source: values.get(field.name) for field in model.measures()} | values)


@pytest.mark.parametrize(
    ("model", "values", "impossible"),
    [
        (MemorySample, {"total_bytes": 8, "used_bytes": 9}, {"used_bytes"}),
        (MemorySample, {"total_bytes": 8, "available_bytes": 9, "used_bytes": -1}, {"available_bytes", "used_bytes"}),
        (MemorySample, {"total_bytes": 8, "cached_bytes": 9, "free_bytes": 8}, {"cached_bytes"}),
        (MemorySample, {"swap_total_bytes": 8, "swap_used_bytes": -4}, {"swap_used_bytes"}),
        (MemorySample, {"swap_total_bytes": 8, "swap_used_bytes": 9, "swap_percent": 112.5},
         {"swap_used_bytes", "swap_percent"}),
        (MemorySample, {"total_bytes": -8, "used_bytes": 4}, {"total_bytes", "used_bytes"}),
        (MemorySample, {"percent": -340.0}, {"percent"}),
        (MemorySample, {"total_bytes": 8, "used_bytes": 8, "percent": 100.0, "free_bytes": 0}, set()),
        (MemorySample, {"used_bytes": 9}, set()),
        (CpuSample, {"load_1": -0.5, "load_5": 0.0}, {"load_1"}),
        (CpuSample, {"frequency_mhz": -1.0}, {"frequency_mhz"}),
        (InterfaceSample, {"speed_mbps": 1000, "sent_bytes_per_second": 1.26e9}, {"sent_bytes_per_second"}),
        (InterfaceSample, {"speed_mbps": 1000, "sent_bytes_per_second": 1.2e9}, set()),
        (InterfaceSample, {"speed_mbps": 10, "received_bytes_per_second": 5e9}, set()),
        (InterfaceSample, {"received_bytes_per_second": 3.7e18}, {"received_bytes_per_second"}),
        (InterfaceSample, {"received_bytes_per_second": 1e11}, set()),
        (InterfaceSample, {"speed_mbps": -1}, {"speed_mbps"}),
        (ProcessSample, {"rss_bytes": -4096}, {"rss_bytes"}),
    ],
)  # fmt: skip
def test_what_cannot_be_is_null_and_named(model, values, impossible):
    sample = draft(model, **values)
    before = dict(sample.values)
    said = drop_impossible({model: [sample]})
    assert {name for name in before if before[name] is not None and sample.values[name] is None} == impossible
    names = said.removeprefix("left out as impossible: ").split(", ") if said else []
    assert set(names) == {f"{model.kind} {name}" for name in impossible}


def test_many_of_a_kind_are_counted():
    samples = [draft(InterfaceSample, sent_bytes=-1) for _number in range(3)]
    assert drop_impossible({InterfaceSample: samples}) == "left out as impossible: interface sent_bytes (3)"


def test_every_bound_that_is_named_is_a_value_of_the_same_reading():
    """A bound with a slip in its name would let everything pass."""
    for model in sample_models():
        sources = {field.source for field in model.measures()}
        named = {field.at_most for field in model.measures() if isinstance(field.at_most, str)}
        assert named <= sources


def test_every_percentage_of_the_memory_and_every_part_of_it_has_a_bound():
    free = [
        field.name
        for field in MemorySample.measures()
        if isinstance(field, NumberField) and not field.rate and field.kind != "total" and field.at_most is None
    ]
    assert free == []


def test_a_bound_that_is_not_known_bounds_nothing():
    assert bound("total_bytes", {}) is bound("total_bytes", {"total_bytes": "x"}) is None
    assert bound(100, {}) == 100


def test_neither_samples_nor_metrics_have_it_and_health_names_it(host):
    wrong = {**MEMORY, "swap_used_bytes": -5, "available_bytes": 9 * GIB, "used_bytes": -GIB, "percent": -12.5}
    readings = [{"memory": [dict(wrong)]}, {"memory": [dict(MEMORY)]}]
    recording = Recording(host, 5, [ScriptedRunner("memory", readings, Clock(100.0))])
    recording.tick(1_700_000_000)
    sample = MemorySample.objects.get()
    assert (sample.swap_used_bytes, sample.available_bytes, sample.used_bytes, sample.percent) == (None,) * 4
    assert sample.total_bytes == 8 * GIB
    assert '"swap_used_bytes":null' in NewestReading.objects.get().rows
    state = CollectorState.objects.get()
    assert (state.outcome, state.failures) == ("ok", 0)
    assert state.message.startswith("left out as impossible: memory available_bytes, memory used_bytes")
    recording.tick(1_700_000_005)
    assert CollectorState.objects.get().message == ""


def test_a_collector_goes_on_from_what_was_stored_of_this_boot(host, monkeypatch):
    monkeypatch.setattr("metrics.recording.recording.uptime_seconds", lambda: 200.0)
    Recording(host, 5, [ScriptedRunner("memory", [{"memory": [dict(MEMORY)]}], Clock(100.0))]).tick(1_700_000_000)
    heir = ScriptedRunner("memory", [], Clock(105.0))
    Recording(host, 5, [heir])
    assert heir.resumed == {"memory": [MEMORY]}
    host.boot_id = "another"
    stranger = ScriptedRunner("memory", [], Clock(105.0))
    Recording(host, 5, [stranger])
    assert not hasattr(stranger, "resumed")
