"""The table of tiers: what may be set, and what is refused in words."""

from itertools import pairwise

import pytest

from metrics.tiers import DEFAULT_TIERS, WIDTHS, name_of, parse_tiers, tiers

DAY = 86_400


@pytest.fixture(autouse=True)
def parsed_anew():
    parse_tiers.cache_clear()


def spans(text):
    return {name_of(tier.width_seconds): tier.kept_seconds / DAY for tier in parse_tiers(text)}


def test_the_default_names_every_width():
    assert spans(DEFAULT_TIERS) == {"1m": 14, "5m": 14, "15m": 400, "1h": 400, "6h": 400, "1d": 3650}


def test_each_tier_is_made_from_the_one_before_and_divides_every_wider_one():
    found = [(tier.width_seconds, tier.source_seconds) for tier in tiers()]
    assert found == list(zip(WIDTHS, (0, *WIDTHS), strict=False))
    assert all(wider % width == 0 for width, wider in pairwise(WIDTHS))


def test_a_span_that_is_not_named_stays_that_of_the_default(settings):
    settings.SYSMON_TIERS = "1m=1d, 1d=2y"
    assert [tier.kept_seconds // DAY for tier in tiers()] == [1, 14, 400, 400, 400, 730]


@pytest.mark.parametrize(
    ("text", "nearest"),
    [("2m=3d", "1m"), ("10m=3d", "15m"), ("30m=3d", "15m"), ("2h=3d", "1h"), ("12h=3d", "6h"), ("4m=3d", "5m")],
)
def test_a_width_of_an_older_setting_is_taken_for_the_nearest_with_one_line(caplog, text, nearest):
    assert spans(text) == spans(f"{nearest}=3d")
    [record] = caplog.records
    assert f"{text.partition('=')[0]} is taken for {nearest}" in record.message
    parse_tiers(text)
    assert len(caplog.records) == 1


def test_the_longest_of_the_spans_that_meet_in_a_width_counts():
    assert spans("1m=14d,2m=30d")["1m"] == 30
    assert spans("2m=30d,1m=14d")["1m"] == 30


def test_nothing_is_said_of_a_setting_of_today(caplog):
    parse_tiers("1m=1d,60m=30d,24h=1y")
    assert not caplog.records


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1m", "not a width and a span"),
        ("1m=", "not a number of"),
        ("1x=14d", "not a number of"),
        ("0m=14d", "not a number of"),
        ("-1m=14d", "not a number of"),
        ("\u0661m=14d", "not a number of"),
        ("1m=14d,60s=15d", "twice"),
        ("1m=9m", "1m is kept for 10m at the least"),
        ("15m=1h", "15m is kept for 2h at the least"),
        ("1d=1d", "1d is kept for 2d at the least"),
        ("", "not a width and a span"),
    ],
)
def test_another_table_is_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_tiers(text)


@pytest.mark.parametrize("name", ["1m", "5m", "15m", "90m", "1h", "6h", "1d", "raw"])
def test_a_tier_is_called_as_in_the_settings(name):
    widths = {"90m": 5400, "raw": 0, **{name_of(width): width for width in WIDTHS}}
    assert name_of(widths[name]) == name
