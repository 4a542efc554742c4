"""The table of tiers: what may be set, and what is refused in words."""

import pytest

from metrics.tiers import DEFAULT_TIERS, name_of, parse_tiers, summaries, tiers

DAY = 86_400


def test_by_default_there_are_minutes_for_two_weeks_and_quarters_for_a_year():
    found = [(tier.width_seconds, tier.source_seconds, tier.kept_seconds // DAY) for tier in parse_tiers(DEFAULT_TIERS)]
    assert found == [(60, 0, 14), (900, 60, 400)]


def test_each_tier_is_made_from_the_one_before():
    assert [tier.source_seconds for tier in parse_tiers("1m=1d, 5m=7d, 1h=365d")] == [0, 60, 300]


def test_a_setting_takes_the_place_of_the_default(settings):
    settings.SYSMON_TIERS = "1m=1d"
    assert [tier.kept_seconds for tier in tiers()] == [DAY]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1m", "not a width and a span"),
        ("1m=", "not a number of"),
        ("1x=14d", "not a number of"),
        ("0m=14d", "not a number of"),
        ("-1m=14d", "not a number of"),
        ("\u0661m=14d", "not a number of"),
        ("30s=14d", "multiple"),
        ("7m=14d", "divides a day"),
        ("5m=14d,1m=400d", "multiple"),
        ("1m=14d,1m=400d", "multiple"),
        ("2m=1d,5m=14d", "multiple"),
        ("15m=20m", "two of its widths"),
        ("", "not a width and a span"),
    ],
)
def test_another_table_is_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_tiers(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1m=14d,15m=400d", [(300, 60), (5400, 900), (32_400, 900)]),
        ("1m=14d,2m=400d", [(720, 120), (4320, 120)]),
        ("1m=14d,1h=400d", [(600, 60), (21_600, 3600)]),
        ("1h=1d", [(21_600, 3600)]),
        ("1m=10m", []),
    ],
)
def test_summaries_lie_between_two_tiers_and_beyond_the_coarsest(settings, text, expected):
    settings.SYSMON_TIERS = text
    assert [(tier.width_seconds, tier.source_seconds) for tier in summaries()] == expected
    assert all(tier.width_seconds % tier.source_seconds == 0 for tier in summaries())


@pytest.mark.parametrize("name", ["1m", "5m", "15m", "90m", "1h", "6h", "1d"])
def test_a_tier_is_called_as_in_the_settings(name):
    assert name_of(parse_tiers(f"{name}=14d")[0].width_seconds) == name


def test_the_raw_samples_are_a_tier_with_a_name_too():
    assert name_of(0) == "raw"
