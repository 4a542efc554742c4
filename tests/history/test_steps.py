"""Steps against a computation by hand, over random samples with gaps and nulls."""

from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.history.series import SeriesQuery, read_series
from metrics.history.steps import ROUND_STEPS, WEEK, smallest_step
from metrics.models import CpuSample, DeviceSample, DiskSample, Host, PartitionSample
from tests.conftest import FIRST_TICK

PERCENT = st.none() | st.integers(0, 10_000).map(lambda hundredths: hundredths / 100)
SAMPLE = st.fixed_dictionaries(
    {
        "gap": st.sampled_from([1, 1, 1, 2, 7, 61]),
        "resolution": st.sampled_from([1, 2, 5]),
        "percent": PERCENT,
        "user_percent": PERCENT,
        "per_core": st.none()
        | st.lists(st.none() | st.integers(0, 1000).map(lambda v: v / 10), min_size=1, max_size=3),
    }
)
# Ticks at multiples of five seconds, but for one now and then that came at another interval.
TICK = st.builds(
    lambda sample, gap, resolution: {**sample, "gap": gap, "resolution": resolution},
    *(SAMPLE, st.sampled_from([5, 5, 5, 5, 10, 20, 3]), st.sampled_from([5, 5, 5, 1])),
)


@pytest.fixture
def host(db):
    return Host.objects.create(name="test-host")


def store(host, samples):
    CpuSample.objects.all().delete()
    moment, rows = FIRST_TICK, []
    for sample in samples:
        moment += sample["gap"]
        rows.append({**sample, "timestamp": moment})
    CpuSample.objects.bulk_create(
        CpuSample(host=host, **{name: value for name, value in row.items() if name != "gap"}) for row in rows
    )
    return rows


def mean(rows, name):
    known = [(row["resolution"], row[name]) for row in rows if row[name] is not None]
    return sum(w * v for w, v in known) / sum(w for w, _v in known) if known else None


def list_mean(rows):
    """Element by element, over the rows that have one; as long as the newest list."""
    known = [row for row in rows if row["per_core"] is not None]
    length = len(known[-1]["per_core"]) if known else 0
    means, maxima = [], []
    for place in range(length):
        element = [
            {"resolution": row["resolution"], "v": row["per_core"][place]}
            for row in known
            if place < len(row["per_core"])
        ]
        means.append(mean(element, "v"))
        maxima.append(max((e["v"] for e in element if e["v"] is not None), default=None))
    return (means, maxima) if known else (None, None)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    samples=st.lists(SAMPLE, min_size=1, max_size=25),
    step=st.sampled_from([5, 7, 30, 60, 3600]),
    window=st.tuples(st.integers(0, 80), st.integers(0, 80)),
)
def test_steps_equal_a_computation_by_hand(host, samples, step, window):
    are_by_hand(host, samples, step, window)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(samples=st.lists(TICK, min_size=1, max_size=12), window=st.tuples(st.integers(0, 90), st.integers(0, 90)))
def test_ticks_that_are_steps_by_themselves_equal_it_too(host, samples, window):
    are_by_hand(host, samples, 5, window)


def are_by_hand(host, samples, step, window):
    rows = store(host, samples)
    start, end = FIRST_TICK + min(window), FIRST_TICK + max(window)
    rows = [row for row in rows if start <= row["timestamp"] <= end]
    width = -(-step // max((row["resolution"] for row in rows), default=1)) * max(
        (row["resolution"] for row in rows), default=1
    )
    buckets = defaultdict(list)
    for row in rows:
        buckets[row["timestamp"] // width * width].append(row)
    series = read_series(SeriesQuery(host, "cpu", start=start, end=end, step=step, limit=1000))
    assert [point["timestamp"] for point in series.points] == sorted(buckets)
    for point in series.points:
        bucket = buckets[point["timestamp"]]
        assert point["resolution"] == width
        for name in ("percent", "user_percent"):
            assert point[name] == pytest.approx(mean(bucket, name), abs=6e-4)
            assert point[f"{name}_max"] == max((r[name] for r in bucket if r[name] is not None), default=None)
        means, maxima = list_mean(bucket)
        assert point["per_core"] == (None if means is None else pytest.approx(means, abs=6e-3))
        assert point["per_core_max"] == maxima


@given(
    first=st.integers(1_600_000_000, 1_800_000_000),
    length=st.integers(0, 400_000_000),
    limit=st.integers(1, 1000),
    resolution=st.sampled_from([1, 2, 5, 7, 10, 30, 60, 900, 86_400]),
)
def test_auto_is_the_smallest_round_step_that_fits(first, length, limit, resolution):
    last = first + length

    def fits(width):
        return last // width - first // width + 1 <= limit

    found = smallest_step(first, last, limit, resolution)
    assert found % resolution == 0
    assert fits(found)
    rounded = [-(-step // resolution) * resolution for step in ROUND_STEPS]
    smaller = [width for width in (*rounded, *range(WEEK, found, WEEK)) if width < found]
    assert not any(map(fits, smaller))
    assert found in rounded or found % WEEK == 0 or found % (7 * resolution) == 0


def test_the_round_steps_are_those_that_people_like():
    minutes, hours, days = (1, 2, 5, 10, 15, 30), (1, 2, 3, 6, 12), (1, 2, 7)
    of_hours = [*(60 * m for m in minutes), *(3600 * h for h in hours), *(86_400 * d for d in days)]
    assert list(ROUND_STEPS) == [*minutes, *of_hours]


def test_auto_is_found_at_once_for_centuries():
    assert smallest_step(0, 10**11, 1, 1) > 10**11
    assert smallest_step(1_000_000_000, 1_800_000_001, 1, 60) % WEEK == 0


def test_a_step_keeps_the_last_value_of_what_is_neither_gauge_nor_rate(host):
    for number, fstype in enumerate(("ext4", "xfs")):
        PartitionSample.objects.create(
            host=host,
            timestamp=FIRST_TICK + number,
            resolution=1,
            device="sda",
            mountpoint="/",
            fstype=fstype,
            total_bytes=100 + number,
            used_bytes=10 + number,
        )
        DiskSample.objects.create(host=host, timestamp=FIRST_TICK + number, resolution=1)
    [point] = read_series(SeriesQuery(host, "disk", step=60)).points
    [partition] = point["partitions"]
    assert (partition["fstype"], partition["total_bytes"], partition["used_bytes_max"]) == ("xfs", 101, 11)
    assert "total_bytes_max" not in partition


def test_a_thing_that_went_away_stays_in_its_step(host):
    for number in range(2):
        DiskSample.objects.create(host=host, timestamp=FIRST_TICK + number, resolution=1)
    DeviceSample.objects.create(host=host, timestamp=FIRST_TICK, resolution=1, device="sdb", busy_percent=7)
    [point] = read_series(SeriesQuery(host, "disk", step=60)).points
    assert [(device["device"], device["busy_percent"]) for device in point["devices"]] == [("sdb", 7.0)]


def test_bytes_beyond_64_bits_in_a_sum_do_not_overflow(host):
    for number in range(4):
        DiskSample.objects.create(host=host, timestamp=FIRST_TICK + number, resolution=60)
        PartitionSample.objects.create(
            host=host,
            timestamp=FIRST_TICK + number,
            resolution=60,
            device="a",
            mountpoint="/",
            fstype="zfs",
            used_bytes=2**62,
        )
    [point] = read_series(SeriesQuery(host, "disk", step=3600)).points
    assert point["partitions"][0]["used_bytes"] == pytest.approx(2**62)


def test_a_roll_up_of_lists_without_their_maxima_has_its_means_for_them(host):
    for number, highest in enumerate((None, [30.0, 5.0])):
        CpuSample.objects.create(
            host=host,
            tier=60,
            timestamp=FIRST_TICK - FIRST_TICK % 3600 + 60 * number,
            resolution=60,
            covered_seconds=60,
            per_core=[10.0, 20.0],
            per_core_max=highest,
        )
    [point] = read_series(SeriesQuery(host, "cpu", step=3600)).points
    assert (point["per_core"], point["per_core_max"]) == ([10.0, 20.0], [30.0, 20.0])
