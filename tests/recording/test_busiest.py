"""Of a list without bounds the busiest are kept by name, and of the others the sum: nothing is lost of a total."""

import random
import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.models import CollectorState, DeviceSample, InterfaceSample, PartitionSample
from metrics.models.fields import Kind, Label
from metrics.models.others import ALL, GROUPS, MAX_NAMED, NAMES, PREFIX
from metrics.models.samples import sample_models
from metrics.recording.busiest import Busiest
from metrics.recording.recording import Recording
from metrics.recording.samples import DraftSample
from metrics.status.health import read_health
from tests.recording.fakes import ScriptedRunner

LISTS = [model for model in sample_models() if model.busiest]
RATES = [model for model in LISTS if model is not PartitionSample]


def draft(model, name, **values):
    empty = {f.name: "" if isinstance(f, Label) and not f.null else None for f in model.measures()}
    return DraftSample({**empty, model.named_by: name, **values}, {})


def chosen(busiest, model, drafts, interval=5):
    found = {model: list(drafts)}
    summed = busiest.choose(found, interval)
    return found[model], summed.get(model.plural, [])


def names_of(model, drafts):
    return [one.values[model.named_by] for one in drafts]


def busy(model, name, value, **values):
    return draft(model, name, **{model.busiest[0]: value}, **values)


def total(model, drafts, field, flag):
    wanted = [d for d in drafts if d.values.get("is_counted") is flag]
    return sum(d.values[field] or 0 for d in wanted)


NUMBERS = st.none() | st.integers(0, 10**12)
THINGS = st.lists(
    st.fixed_dictionaries(
        {"numbers": st.lists(NUMBERS, min_size=6, max_size=6), "flag": st.sampled_from([True, False, None])}
    ),
    max_size=3 * MAX_NAMED,
)


@pytest.mark.parametrize("model", LISTS)
@given(things=THINGS)
def test_sums_are_kept_and_rows_are_bounded(model, things):
    has_flag = model is not PartitionSample
    drafts = [
        draft(
            model,
            f"name{number}",
            **dict(zip(model.summed, thing["numbers"], strict=False)),
            **({"is_counted": thing["flag"]} if has_flag else {}),
        )
        for number, thing in enumerate(things)
    ]
    kept, summed = chosen(Busiest(), model, drafts)
    assert len(kept) <= MAX_NAMED + len(GROUPS)
    for flag in GROUPS if has_flag else [None]:
        for field in model.summed:
            assert total(model, kept, field, flag) == total(model, drafts, field, flag)
    named = [name for name in names_of(model, kept) if name not in NAMES]
    assert sorted(named + summed) == sorted(names_of(model, drafts))


@pytest.mark.parametrize("model", LISTS)
def test_as_many_as_are_kept_stay_as_they_are(model):
    drafts = [busy(model, f"name{n}", n) for n in range(MAX_NAMED)]
    assert chosen(Busiest(), model, drafts) == (drafts, [])


@pytest.mark.parametrize("model", LISTS)
def test_the_busiest_are_kept_in_their_order(model):
    values = random.Random(1).sample(range(1000), 3 * MAX_NAMED)
    drafts = [busy(model, f"name{n}", value) for n, value in enumerate(values)]
    kept, _summed = chosen(Busiest(), model, drafts)
    least = sorted(values, reverse=True)[MAX_NAMED - 1]
    assert names_of(model, kept)[:MAX_NAMED] == [f"name{n}" for n, value in enumerate(values) if value >= least]


@pytest.mark.parametrize("model", LISTS)
def test_what_is_not_known_of_a_sum_is_null_and_not_zero(model):
    drafts = [busy(model, f"name{n}", None) for n in range(MAX_NAMED + 5)]
    [others] = chosen(Busiest(), model, drafts)[0][MAX_NAMED:]
    known = {name for name, value in others.values.items() if value not in (None, "")}
    assert known == {model.named_by}
    assert others.values[model.named_by].startswith(PREFIX)


@pytest.mark.parametrize("model", LISTS)
def test_only_what_can_be_added_up_is_summed(model):
    fields = {field.name: field for field in model.measures()}
    assert all(fields[name].kind in {Kind.RATE, Kind.GAUGE} and fields[name].unit != "percent" for name in model.summed)


def test_a_list_without_bounds_says_all_that_its_sum_needs():
    assert {InterfaceSample, DeviceSample, PartitionSample} <= set(LISTS)
    for model in LISTS:
        assert {*model.busiest, *model.summed} <= {field.name for field in model.measures()}
        assert model.named_by in model.key


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_sum_is_none_that_the_kernel_gives(name):
    assert "/" in name
    assert not name.startswith("/")
    assert name.removeprefix(PREFIX) in {*GROUPS.values(), ALL}


@pytest.mark.parametrize("model", RATES)
def test_idle_things_that_take_turns_do_not_push_each_other_out(model):
    busiest, chance = Busiest(), random.Random(7)
    sets = []
    for _tick in range(120):
        drafts = [busy(model, f"name{n}", chance.choice([0, 0, 80, 160])) for n in range(200)]
        sets.append(frozenset(names_of(model, chosen(busiest, model, drafts)[0])))
    changes = sum(len(new - old) for old, new in pairwise(sets[20:]))
    assert changes / 100 < 1


@pytest.mark.parametrize("model", RATES)
def test_one_that_becomes_busy_is_kept_at_that_very_tick(model):
    busiest = Busiest()
    for tick in range(10):
        drafts = [busy(model, f"name{n}", 1000 if n < 80 else 0) for n in range(200)]
        if tick == 9:
            drafts[150] = busy(model, "name150", 10**9)
        kept = names_of(model, chosen(busiest, model, drafts)[0])
    assert "name150" in kept


def test_the_fullest_mount_is_kept_whatever_was_before():
    busiest = Busiest()
    chosen(busiest, PartitionSample, [draft(PartitionSample, f"/m{n}", percent=80.0) for n in range(MAX_NAMED + 9)])
    drafts = [draft(PartitionSample, f"/m{n}", percent=80.0) for n in range(MAX_NAMED + 8)]
    drafts.append(draft(PartitionSample, "/full", percent=99.0))
    assert "/full" in names_of(PartitionSample, chosen(busiest, PartitionSample, drafts)[0])


def interface(name, received):
    return {
        "interface": name, "is_up": True, "speed_mbps": None, "lower": "", "is_counted": name != "lo",
        "sent_bytes": 0, "received_bytes": received, "sent_packets": 0, "received_packets": 0, "errors": 0, "drops": 0,
    }  # fmt: skip


def reading(counters):
    return {"interface": [interface(name, value) for name, value in counters.items()], "link": []}


@pytest.fixture
def two_hundred(host, monkeypatch):
    """Three ticks of 200 interfaces: of the last, which was idle, a megabyte a second at the third tick."""
    names = ["lo", *(f"tap{n}" for n in range(199))]
    before = {name: 1000 * n for n, name in enumerate(names)}
    counters = [{name: value + tick * 50 * n for n, (name, value) in enumerate(before.items())} for tick in range(3)]
    counters[1]["tap0"], counters[2]["tap0"] = before["tap0"], before["tap0"] + 5_000_000
    uptimes = iter([100.0, 105.0, 110.0])
    monkeypatch.setattr("metrics.recording.recording.uptime_seconds", lambda: 110.0)
    runner = ScriptedRunner("network", [reading(one) for one in counters], lambda: next(uptimes))
    recording = Recording(host, 5, [runner])
    for tick in range(3):
        recording.tick(1_700_000_000 + 5 * tick)
    return counters


def stored(moment):
    return {row["interface"]: row for row in InterfaceSample.objects.filter(tier=0, timestamp=moment).values()}


def test_a_tick_stores_the_busiest_and_the_sums(two_hundred):
    rows = stored(1_700_000_010)
    assert len(rows) == MAX_NAMED + 2
    grown = {name: value - two_hundred[1][name] for name, value in two_hundred[2].items()}
    counted = sum(row["received_bytes_per_second"] for row in rows.values() if row["is_counted"])
    assert counted == pytest.approx(sum(value for name, value in grown.items() if name != "lo") / 5)
    assert rows["others/uncounted"]["received_bytes_per_second"] == grown["lo"] / 5
    assert rows["others/counted"]["received_bytes"] is None


def test_one_that_enters_has_the_right_rate_at_once(two_hundred):
    assert "tap0" not in stored(1_700_000_005)
    assert stored(1_700_000_010)["tap0"]["received_bytes_per_second"] == 1_000_000


def test_exporters_show_every_one_and_no_sum(two_hundred, api, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1_700_000_012.0)
    text = api.get("/metrics").content.decode()
    found = dict(re.findall(r'^node_network_receive_bytes_total\{device="([^"]+)"\} (\S+)$', text, re.MULTILINE))
    assert {name: float(value) for name, value in found.items()} == two_hundred[2]
    assert PREFIX not in text


def test_the_api_gives_a_sum_by_its_name(two_hundred, api):
    address, query = "/api/v1/metrics/network", {"start": 1_700_000_010, "end": 1_700_000_010}
    [point] = api.get(address, query).json()["results"]
    assert len(point["interfaces"]) == MAX_NAMED + 2
    [alone] = api.get(address, {**query, "interface": "others/uncounted"}).json()["results"]
    assert [one["interface"] for one in alone["interfaces"]] == ["others/uncounted"]
    assert "others/counted" in api.get(address, {**query, "format": "csv"}).content.decode()


def test_hosts_name_what_is_in_a_sum_only(two_hundred, api):
    [host] = api.get("/api/v1/hosts").json()["results"]
    assert [(one["what"], one["count"]) for one in host["left_out"]] == [("interfaces", 136)]


def test_health_names_what_is_in_a_sum_only(two_hundred):
    [left] = read_health()["checks"]["families"]["network"]["left_out"]
    assert (left["what"], left["reason"], left["setting"], left["count"]) == ("interfaces", "summed", "", 136)
    assert len(left["names"]) == 100
    assert set(left["names"]).isdisjoint(stored(1_700_000_010))


def test_nothing_is_said_where_nothing_is_left_out(host, monkeypatch):
    monkeypatch.setattr("metrics.recording.recording.uptime_seconds", lambda: 110.0)
    runner = ScriptedRunner("network", [reading({"eth0": 1})], lambda: 100.0)
    Recording(host, 5, [runner]).tick(1_700_000_000)
    assert CollectorState.objects.get().left_out == ""
