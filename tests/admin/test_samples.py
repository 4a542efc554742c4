"""The tables of samples: columns, filters and search come from the model."""

from datetime import timedelta

import pytest
from django.db.models import BinaryField
from django.utils.html import escape
from django.utils.timezone import now

from metrics.admin import read_only
from metrics.models import CpuSample, DeviceSample, Host, InterfaceSample, PartitionSample, Tick
from metrics.models.samples import sample_models
from tests.admin.conftest import AT, ATTACK, detail_path, list_path, text_of
from tests.skips import only_on_sqlite

by_model = pytest.mark.parametrize("model", list(sample_models()), ids=lambda model: model._meta.model_name)


def rows_of(client, model, query=""):
    response = client.get(f"{list_path(model)}?{query}")
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


@by_model
def test_every_measure_is_a_column_with_its_help(model, make_sample, superuser_client):
    make_sample(model)
    text = text_of(superuser_client.get(list_path(model)))
    for field in model.measures():
        assert f'class="column-{field.name}"' in text
        assert escape(str(field.help_text)) in text


@by_model
def test_every_field_is_on_the_detail_page_with_its_help(model, make_sample, superuser_client):
    text = text_of(superuser_client.get(detail_path(make_sample(model))))
    for field in model._meta.concrete_fields:
        # What is packed is shown by the rows that it was packed from.
        assert field.primary_key or isinstance(field, BinaryField) or f"field-{field.name}" in text
    for field in model.measures():
        assert str(field.help_text) in text


def test_values_are_readable_in_a_list_and_exact_on_a_page(make_sample, superuser_client):
    sample = make_sample(DeviceSample, read_bytes_per_second=3_400_000, busy_percent=12.5, writes_per_second=None)
    listed = text_of(superuser_client.get(list_path(DeviceSample)))
    assert '<span class="number">3.4 MB/s</span>' in listed
    assert '<span class="number">12.5 %</span>' in listed
    assert '<span class="number">-</span>' in listed
    assert "3.4 MB/s (3,400,000 bytes per second)" in text_of(superuser_client.get(detail_path(sample)))


def test_a_sample_says_its_time_in_the_time_zone_of_the_program(make_sample, superuser_client, settings):
    settings.TIME_ZONE = "Asia/Seoul"
    sample = make_sample(CpuSample)
    assert "2026-11-23 02:40:05</a>" in text_of(superuser_client.get(list_path(CpuSample)))
    assert "2026-11-23 02:40:05+09:00" in text_of(superuser_client.get(detail_path(sample)))


def test_the_newest_tick_comes_first_and_in_it_the_highest(make_sample, superuser_client):
    later = AT + timedelta(seconds=5)
    make_sample(DeviceSample, device="old", busy_percent=100)
    for device, busy in (("idle", 0), ("busy", 90), ("unknown", None)):
        make_sample(DeviceSample, device=device, busy_percent=busy, timestamp=later)
    assert [row.device for row in rows_of(superuser_client, DeviceSample)] == ["busy", "idle", "unknown", "old"]


def test_this_host_and_raw_samples_are_chosen_where_nothing_is(make_sample, superuser_client):
    own = make_sample(CpuSample)
    make_sample(CpuSample, tier=60, resolution=60)
    make_sample(CpuSample, host=Host.objects.create(name="a-host"))
    assert rows_of(superuser_client, CpuSample) == [own]


def test_another_host_and_another_tier_can_be_chosen(make_sample, superuser_client):
    make_sample(CpuSample)
    other = Host.objects.create(name="web-2")
    rolled_up = make_sample(CpuSample, host=other, tier=60)
    assert rows_of(superuser_client, CpuSample, "host=web-2&tier=60") == [rolled_up]
    assert rows_of(superuser_client, CpuSample, "host=web-2&tier=1m") == [rolled_up]


@pytest.mark.parametrize(("width", "name"), [(0, "raw"), (60, "1m"), (900, "15m"), (3600, "1h"), (86_400, "1d")])
@pytest.mark.parametrize("by_name", [True, False])
def test_a_tier_has_the_name_that_the_settings_have_for_it(width, name, by_name, make_sample, superuser_client):
    make_sample(CpuSample)
    wanted = make_sample(CpuSample, tier=width, timestamp=AT + timedelta(days=1))
    response = superuser_client.get(f"{list_path(CpuSample)}?tier={name if by_name else width}")
    assert wanted in response.context["cl"].result_list
    assert {row.tier for row in response.context["cl"].result_list} == {width}
    [tier] = [spec for spec in response.context["cl"].filter_specs if spec.parameter_name == "tier"]
    chosen = [choice["display"] for choice in tier.choices(response.context["cl"]) if choice["selected"]]
    assert chosen == [name]
    assert f">{name}<" in text_of(superuser_client.get(detail_path(wanted)))


@pytest.mark.parametrize("query", ["", "q=sda", "last=week", f"from={AT:%Y-%m-%d}"])
def test_where_no_tier_is_chosen_it_is_the_finest_that_has_what_is_asked_for(query, make_sample, superuser_client):
    make_sample(DeviceSample, device="sda", tier=900, timestamp=now() - timedelta(hours=2))
    wanted = make_sample(DeviceSample, device="sda", tier=60, timestamp=now() - timedelta(hours=2))
    assert rows_of(superuser_client, DeviceSample, query) == [wanted]
    make_sample(DeviceSample, device="nvme0n1", timestamp=AT - timedelta(days=30))
    found = {"": "nvme0n1"}.get(query, "sda")
    assert [row.device for row in rows_of(superuser_client, DeviceSample, query)] == [found]


def test_the_first_host_is_chosen_where_this_one_recorded_nothing(make_sample, superuser_client, settings):
    settings.SYSMON_HOSTNAME = "elsewhere"
    assert rows_of(superuser_client, CpuSample) == []
    sample = make_sample(CpuSample)
    assert rows_of(superuser_client, CpuSample) == [sample]


@pytest.mark.parametrize(("last", "days", "found"), [("hour", 0, 1), ("day", 2, 0), ("week", 2, 1), ("week", 8, 0)])
def test_the_last_hour_day_or_week_can_be_chosen(last, days, found, make_sample, superuser_client):
    make_sample(CpuSample, timestamp=now() - timedelta(days=days, minutes=1))
    assert len(rows_of(superuser_client, CpuSample, f"last={last}")) == found


def test_a_chosen_tick_shows_its_samples_and_its_neighbours(make_sample, superuser_client):
    for seconds in (0, 5, 10):
        for device in ("sda", "sdb"):
            make_sample(DeviceSample, device=device, timestamp=AT + timedelta(seconds=seconds))
    epoch = int(AT.timestamp()) + 5
    response = superuser_client.get(f"{list_path(DeviceSample)}?tick={epoch}")
    assert [row.device for row in response.context["cl"].result_list] == ["sdb", "sda"]
    text = text_of(response)
    assert "← 2026-11-22 17:40:05" in text
    assert "→ 2026-11-22 17:40:15" in text
    assert f"tick={epoch - 5}" in text


def test_a_sample_leads_to_what_else_there_was_at_its_tick(make_sample, superuser_client, host):
    sample = make_sample(PartitionSample)
    tick = Tick.objects.create(host=host, timestamp=AT, resolution=5, lag_milliseconds=0, duration_milliseconds=1)
    link = f"host=test-host&amp;tier=0&amp;tick={int(AT.timestamp())}"
    assert link in text_of(superuser_client.get(list_path(PartitionSample)))
    page = text_of(superuser_client.get(detail_path(sample)))
    assert link in page
    assert detail_path(tick) in page


WITHIN = [
    ("from=2026-11-22T17:40:05", [5, 10]),
    ("from=2026-11-22T17:40:06", [10]),
    ("to=2026-11-22T17:40:05", [0, 5]),
    ("from=2026-11-22T17:40:05&to=2026-11-22T17:40:05", [5]),
    ("from=2026-11-22+17:40&to=2026-11-22+17:41", [0, 5, 10]),
    ("from=2026-11-22&to=2026-11-22", [0, 5, 10]),
    ("from=2026-11-23", []),
    ("from=&to=", [0, 5, 10]),
    ("from=2026-11-22T17:40:05Z&to=2026-11-22T17:40:05%2B00:00", [5]),
    ("from=2026-11-22T17:40:05&last=hour", []),
]


@pytest.mark.parametrize("model", [CpuSample, Tick])
@pytest.mark.parametrize(("query", "seconds"), WITHIN)
def test_a_period_can_be_chosen_by_its_two_ends(query, seconds, model, host, make_sample, superuser_client):
    start = AT - timedelta(seconds=5)
    for offset in (0, 5, 10):
        at = start + timedelta(seconds=offset)
        if model is Tick:
            Tick.objects.create(host=host, timestamp=at, resolution=5, lag_milliseconds=0, duration_milliseconds=1)
        else:
            make_sample(model, timestamp=at)
    # The ticks are at 17:40:00, :05 and :10.
    found = sorted(int((row.timestamp - start).total_seconds()) for row in rows_of(superuser_client, model, query))
    assert found == seconds


def test_a_period_is_in_the_zone_of_the_admin_and_stays_in_the_form(make_sample, superuser_client, settings):
    settings.TIME_ZONE = "Asia/Seoul"
    wanted = make_sample(CpuSample)
    make_sample(CpuSample, timestamp=AT + timedelta(hours=9))
    query = "from=2026-11-23T02:40:05&to=2026-11-23T02:40:05&host=test-host"
    assert rows_of(superuser_client, CpuSample, query) == [wanted]
    text = text_of(superuser_client.get(f"{list_path(CpuSample)}?{query}&p=1"))
    assert 'name="from" value="2026-11-23T02:40:05"' in text
    assert '<p class="help">Asia/Seoul</p>' in text
    assert '<input type="hidden" name="host" value="test-host">' in text


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("from=x", "“x” is not a time."),
        ("to=2026-13-01", "“2026-13-01” is not a time."),
        ("from=0001-01-01", "“0001-01-01” is not a time."),
        ("to=9999-12-31T23:59:59-12:00", "is not a time."),
        ("from=%00%1b[31m", "is not a time."),
        ("from=" + "9" * 5000, "is not a time."),
        ("from=2026-11-23&to=2026-11-22", "The end has to be after the start."),
    ],
)
def test_a_period_that_cannot_be_is_taken_back_with_a_reason(query, message, make_sample, superuser_client):
    make_sample(CpuSample)
    response = superuser_client.get(f"{list_path(CpuSample)}?{query}", follow=True)
    assert response.redirect_chain == [(f"{list_path(CpuSample)}?e=1", 302)]
    text = text_of(response)
    assert message in text
    assert "\x1b" not in text
    assert len(text) < 60_000


BAD = ["tier=abc", "tier=-1", "tier=99999", "tier=1e3", "tier=²", "host=nobody", "last=year", "tick=x"]


@pytest.mark.parametrize("query", [*BAD, "tick=-1", "tick=253402300800", f"tick={'9' * 99}", "host=%00"])
def test_a_filter_with_a_bad_value_is_taken_back(query, make_sample, superuser_client):
    make_sample(CpuSample)
    response = superuser_client.get(f"{list_path(CpuSample)}?{query}")
    assert (response.status_code, response.headers["Location"]) == (302, f"{list_path(CpuSample)}?e=1")
    assert superuser_client.get(response.headers["Location"]).status_code == 200


def test_a_tick_without_samples_is_an_empty_list(make_sample, superuser_client):
    make_sample(CpuSample)
    assert rows_of(superuser_client, CpuSample, "tick=5") == []


@pytest.mark.parametrize(
    ("model", "label"), [(DeviceSample, "device"), (InterfaceSample, "interface"), (PartitionSample, "mountpoint")]
)
def test_labels_of_the_key_are_searched(model, label, make_sample, superuser_client):
    wanted = make_sample(model, **{label: "/srv/Wanted"})
    make_sample(model, **{label: "other"})
    assert rows_of(superuser_client, model, "q=wanted") == [wanted]


def test_a_search_takes_percent_signs_and_underscores_literally(make_sample, superuser_client):
    make_sample(PartitionSample)
    odd = make_sample(PartitionSample, mountpoint="/100%_full")
    assert rows_of(superuser_client, PartitionSample, "q=%25_") == [odd]


@pytest.mark.parametrize("term", ["%00", "a%00b", "%22", "%27", "x" * 9000, "a+" * 3000, "%ED%A0%80", "+", "%5C"])
def test_an_odd_search_is_no_error(term, make_sample, superuser_client):
    make_sample(PartitionSample)
    text_of(superuser_client.get(f"{list_path(PartitionSample)}?q={term}"))


def test_a_search_looks_at_a_bounded_number_of_samples(make_sample, superuser_client, monkeypatch):
    monkeypatch.setattr(read_only, "SEARCHED_ROWS", 2)
    for seconds in range(4):
        make_sample(DeviceSample, device=f"sd{seconds}", timestamp=AT + timedelta(seconds=seconds))
    assert [row.device for row in rows_of(superuser_client, DeviceSample, "q=sd")] == ["sd3", "sd2"]


def test_a_table_without_labels_offers_no_search(make_sample, superuser_client):
    make_sample(CpuSample)
    assert 'id="searchbar"' not in text_of(superuser_client.get(list_path(CpuSample)))
    assert len(rows_of(superuser_client, CpuSample, "q=anything")) == 1


@only_on_sqlite("PostgreSQL stores no NUL")
def test_a_name_with_a_nul_is_written_out(make_sample, superuser_client):
    sample = make_sample(DeviceSample, device="a\x00b")
    for path in (list_path(DeviceSample), detail_path(sample)):
        assert "a\\x00b" in text_of(superuser_client.get(path))


@pytest.mark.parametrize("name", [ATTACK, "\x1b[31mred\x07", "\u202egpj.exe", "n" * 100_000])
def test_a_hostile_device_name_is_escaped_and_shortened(name, make_sample, superuser_client):
    sample = make_sample(DeviceSample, device=name)
    for path in (list_path(DeviceSample), detail_path(sample), f"{list_path(DeviceSample)}?q=n"):
        text = text_of(superuser_client.get(path))
        assert ATTACK not in text
        assert not any(character in text for character in "\x1b\x07\x00\u202e")
        assert len(text) < 60_000


def test_a_long_list_of_cores_is_short_in_a_list_and_whole_on_a_page(make_sample, superuser_client):
    sample = make_sample(CpuSample, per_core=[50.0] * 128)
    assert "50.0, 50.0, 50.0, 50.0 %, … (128)" in text_of(superuser_client.get(list_path(CpuSample)))
    assert "50.0 %" in text_of(superuser_client.get(detail_path(sample)))
    assert "(128)" not in text_of(superuser_client.get(detail_path(sample)))
