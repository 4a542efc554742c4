"""Roll-ups and steps of a list of which each tick kept the busiest only: totals are those of all ticks."""

import random
from collections import defaultdict

import pytest

from metrics.history.series import SeriesQuery, read_series
from metrics.models import DeviceSample, InterfaceSample, PartitionSample, RollUpState
from metrics.models.others import MAX_NAMED, NAMES
from metrics.recording.busiest import sums_of
from metrics.recording.samples import DraftSample
from metrics.retention.rollup import roll_up
from metrics.tiers import RAW, tiers
from tests.conftest import FIRST_TICK

MINUTE = FIRST_TICK - FIRST_TICK % 900
RECEIVED = "received_bytes_per_second"
WIDTHS = [tier.width_seconds for tier in tiers() if tier.width_seconds <= 900]
# Rates are stored in tenths, and rounded once a row and tier.
TOLERANCE = 0.1 * len(WIDTHS)


def interface(name, rate, is_counted=True):
    return {"interface": name, RECEIVED: rate, "is_counted": is_counted}


def with_others(rows, named):
    """The rows of a tick of which those in `named` are kept by name."""
    full = {field.name: None for field in InterfaceSample.measures()}
    others = [DraftSample({**full, **row}, {}) for row in rows if row["interface"] not in named]
    return [row for row in rows if row["interface"] in named] + [d.values for d in sums_of(InterfaceSample, others)]


def totals(width):
    """Of each bucket the mean rate of all that is counted."""
    found = defaultdict(float)
    for row in InterfaceSample.objects.filter(tier=width, is_counted=True).values("timestamp", RECEIVED):
        found[int(row["timestamp"].timestamp())] += row[RECEIVED] or 0
    return dict(found)


@pytest.fixture
def flipping(recorded):
    """Half an hour of ticks of ten interfaces and lo, at each of which another few are kept by name."""
    chance = random.Random(3)
    for number in range(180):
        rows = [interface(f"tap{n}", chance.randrange(10**6) / 10) for n in range(10)] + [interface("lo", 7.0, False)]
        named = {"eth0", *(f"tap{n}" for n in chance.sample(range(10), 3))}
        rows.append(interface("eth0", 1000.0 + number))
        recorded.tick(MINUTE + 10 * number, 10, cpu={}, interface=with_others(rows, named))
    roll_up(recorded.host)
    return recorded


@pytest.mark.parametrize("width", WIDTHS)
def test_the_total_of_a_bucket_is_the_mean_of_the_totals_of_its_ticks(flipping, width):
    expected = defaultdict(list)
    for moment, rate in totals(RAW).items():
        expected[moment - moment % width].append(rate)
    found = totals(width)
    assert found.keys() == expected.keys()
    for start, total in found.items():
        assert total == pytest.approx(sum(expected[start]) / len(expected[start]), abs=TOLERANCE * 13)


@pytest.mark.parametrize("step", [30, 60, 300, 900])
def test_the_total_of_a_step_is_the_mean_of_the_totals_of_its_ticks(flipping, step):
    expected = defaultdict(list)
    for moment, rate in totals(RAW).items():
        expected[moment - moment % step].append(rate)
    series = read_series(SeriesQuery(flipping.host, "network", MINUTE, MINUTE + 1800, 1000, step))
    assert {point["timestamp"] for point in series.points} == expected.keys()
    for point in series.points:
        total = sum(one[RECEIVED] or 0 for one in point["interfaces"] if one["is_counted"])
        rates = expected[point["timestamp"]]
        assert total == pytest.approx(sum(rates) / len(rates), abs=TOLERANCE * 13)


def test_one_that_was_kept_throughout_has_its_own_mean(flipping):
    row = InterfaceSample.objects.filter(tier=60, interface="eth0").order_by("timestamp").first()
    assert (row.received_bytes_per_second, row.received_bytes_per_second_max) == (1002.5, 1005.0)


def test_rolling_up_again_changes_nothing(flipping):
    names = [field.name for field in InterfaceSample._meta.concrete_fields if field.name != "id"]
    before = sorted(InterfaceSample.objects.exclude(tier=RAW).values_list(*names), key=str)
    RollUpState.objects.update(last_tick=0)
    roll_up(flipping.host)
    assert sorted(InterfaceSample.objects.exclude(tier=RAW).values_list(*names), key=str) == before


def test_a_bucket_has_no_more_rows_than_a_tick(recorded):
    """Whatever was among the busiest for a tick each: two hundred took turns."""
    for number in range(12):
        rows = [interface(f"tap{n}", 100.0 + n) for n in range(200)]
        named = {f"tap{(n + number * 17) % 200}" for n in range(MAX_NAMED)}
        recorded.tick(MINUTE + 5 * number, 5, interface=with_others(rows, named))
    roll_up(recorded.host)
    for width in [tier.width_seconds for tier in tiers()]:
        rows = InterfaceSample.objects.filter(tier=width)
        assert rows.exclude(interface__in=NAMES).count() == MAX_NAMED
        assert totals(width)[MINUTE - MINUTE % width] == pytest.approx(
            sum(100.0 + n for n in range(200)), abs=TOLERANCE * 200
        )


def test_without_a_sum_a_thing_that_came_later_has_the_mean_of_its_own_time(recorded):
    recorded.tick(MINUTE, 5, interface=[interface("eth0", 10.0)])
    recorded.tick(MINUTE + 5, 5, interface=[interface("eth0", 10.0), interface("usb0", 30.0)])
    roll_up(recorded.host)
    assert totals(60)[MINUTE] == 40.0
    [point] = read_series(SeriesQuery(recorded.host, "network", step=60)).points
    assert [one[RECEIVED] for one in point["interfaces"]] == [10.0, 30.0]


def test_how_full_a_mount_is_stays_the_mean_of_when_it_was_named(recorded):
    def mount(point, used):
        return {"device": "", "mountpoint": point, "used_bytes": used}

    recorded.tick(MINUTE, 5, disk={}, partition=[mount("/a", 100), mount("others/all", 1000)])
    recorded.tick(MINUTE + 5, 5, disk={}, partition=[mount("others/all", 1100)])
    roll_up(recorded.host)
    found = dict(PartitionSample.objects.filter(tier=60).values_list("mountpoint", "used_bytes"))
    assert found == {"/a": 100, "others/all": 1050}


def test_disks_are_rolled_up_the_same_way(recorded):
    def disk(name, rate):
        return {"device": name, "name": "", "read_bytes_per_second": rate, "is_counted": True}

    recorded.tick(MINUTE, 5, disk={}, device=[disk("sda", 100.0), disk("others/counted", 20.0)])
    recorded.tick(MINUTE + 5, 5, disk={}, device=[disk("others/counted", 80.0)])
    roll_up(recorded.host)
    found = dict(DeviceSample.objects.filter(tier=60).values_list("device", "read_bytes_per_second"))
    assert found == {"sda": 50.0, "others/counted": 50.0}
