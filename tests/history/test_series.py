"""Stored points: against the rows themselves, with every way to narrow them down."""

import pytest

from metrics.history.metadata import families, field_names, label_names, output_names, series_families, tables
from metrics.history.series import SeriesQuery, read_moment, read_series
from metrics.models import CpuSample, DeviceSample, InterfaceSample, PartitionSample
from metrics.models.samples import sample_models
from tests.conftest import FIRST_TICK


def query(recorded, family="cpu", **options):
    return read_series(SeriesQuery(recorded.host, family, **options))


def percents(series):
    return [point["percent"] for point in series.points]


def test_the_newest_points_come_and_say_whether_there_are_older_ones(recorded):
    times = recorded.ticks(5)
    series = query(recorded, limit=3)
    assert (percents(series), series.oldest, series.has_older) == ([2.0, 3.0, 4.0], times[2], True)
    assert query(recorded, limit=5).has_older is False


def test_a_range_is_inclusive_to_the_fraction(recorded):
    recorded.ticks(3)
    assert percents(query(recorded, start=FIRST_TICK + 4.5, end=FIRST_TICK + 10)) == [1.0, 2.0]
    assert percents(query(recorded, start=FIRST_TICK + 5.1, end=FIRST_TICK + 9.9)) == []


def test_nothing_recorded_is_an_empty_series(recorded):
    for step in (None, 60, "auto"):
        series = query(recorded, step=step)
        assert (series.points, series.oldest, series.has_older) == ([], None, False)


def test_another_host_is_not_mixed_in(recorded, other_host):
    recorded.ticks(1)
    other_host.ticks(2)
    assert len(query(recorded).points) == 1
    assert len(query(recorded, step=60).points) == 1


def test_another_tier_is_not_mixed_in(recorded):
    recorded.ticks(1)
    CpuSample.objects.create(host=recorded.host, timestamp=FIRST_TICK, resolution=60, tier=60, percent=99)
    assert percents(query(recorded)) == [0.0]


def test_every_value_is_what_the_model_reads(recorded):
    recorded.tick(
        cpu={"percent": 57.14, "load_1": 0.07, "frequency_mhz": 2400.1, "per_core": [1.0]},
        memory={"total_bytes": 2**53 + 1, "percent": 0.01},
    )
    for family, model in (("cpu", CpuSample), ("memory", tables("memory")[0])):
        sample = model.objects.get()
        [point] = query(recorded, family).points
        for field in model.measures():
            assert point[field.name] == getattr(sample, field.name)
            assert type(point[field.name]) is type(getattr(sample, field.name))


def test_only_filters_each_table_by_the_labels_that_it_has(recorded):
    recorded.tick(
        disk={},
        partition=[{"device": "a", "mountpoint": "/"}, {"device": "b", "mountpoint": "/b"}],
        device=[{"device": "a"}, {"device": "b"}],
    )
    [point] = query(recorded, "disk", only={"device": ("a",), "mountpoint": ("/", "/b")}).points
    assert [len(point["partitions"]), len(point["devices"])] == [1, 1]


def test_fields_may_name_a_maximum_alone(recorded):
    recorded.ticks(2)
    [point] = query(recorded, fields=("percent_max",), step=60).points
    assert list(point) == ["timestamp", "resolution", "percent_max"]
    assert list(query(recorded, fields=("percent_max",)).points[0]) == ["timestamp", "resolution"]


def test_fields_may_be_the_time_alone(recorded):
    recorded.ticks(1)
    assert query(recorded, fields=("timestamp",)).points == [{"timestamp": FIRST_TICK, "resolution": 5}]
    assert query(recorded, fields=("timestamp",), step=60).points == [{"timestamp": FIRST_TICK, "resolution": 60}]


def test_a_moment_without_a_sample_is_none(recorded):
    recorded.ticks(1)
    assert read_moment(recorded.host, "cpu", FIRST_TICK)["percent"] == 0.0
    assert read_moment(recorded.host, "cpu", FIRST_TICK + 1) is None
    assert read_moment(recorded.host, "network", FIRST_TICK) is None


def test_the_families_come_from_the_models():
    assert set(families()) == {model.family for model in sample_models()} >= {"cpu", "memory", "disk", "network"}
    assert set(families()) - set(series_families()) == {"processes"}


def test_the_table_with_a_row_a_tick_comes_first():
    assert [model.kind for model in tables("disk")] == ["disk", "partition", "device"]


def test_labels_are_what_tells_things_apart():
    found = {family: label_names(family) for family in series_families()}
    keys = {family: {name for model in tables(family) for name in model.key} for family in found}
    assert {family: set(names) for family, names in found.items()} == keys
    assert (found["cpu"], found["disk"], found["network"]) == ([], ["device", "mountpoint", "name"], ["interface"])


def test_field_names_include_lists_and_what_is_in_them():
    assert {"timestamp", "partitions", "devices", "busy_percent", "busy_percent_max"} <= set(field_names("disk"))
    assert "total_bytes_max" not in field_names("memory")


@pytest.mark.parametrize(
    ("model", "wanted", "expected"),
    [
        (PartitionSample, {"percent"}, ["device", "mountpoint", "percent", "percent_max"]),
        (DeviceSample, {"percent"}, []),
        (DeviceSample, {"device"}, ["device", "name"]),
        (CpuSample, {"percent_max"}, ["percent_max"]),
        (CpuSample, {"percent"}, ["percent", "percent_max"]),
        (InterfaceSample, {"is_up", "sent_bytes"}, ["interface", "is_up", "sent_bytes"]),
    ],
)
def test_a_table_shows_what_was_asked_for_with_its_labels(model, wanted, expected):
    assert output_names(model, wanted, maxima=True) == expected
