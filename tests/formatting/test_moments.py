"""ISO 8601 in and out; seconds since the epoch, and moments relative to now, in."""

import contextlib
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.formatting.moments import is_relative, iso, parse_duration, parse_moment

MOMENTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30))
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.integers(-62_135_596_800, 253_402_300_799))
def test_what_is_written_is_read_again(seconds):
    text = iso(seconds)
    assert len(text) == len("2026-11-22T17:40:00.000Z")
    assert parse_moment(text) == seconds


@given(st.floats(0, 4e9))
def test_milliseconds_are_rounded(seconds):
    assert abs(parse_moment(iso(seconds)) - seconds) <= 0.00051


@given(MOMENTS, OFFSETS)
def test_any_offset_is_understood(moment, offset):
    aware = moment.replace(tzinfo=offset)
    assert parse_moment(aware.isoformat()) == pytest.approx(aware.timestamp(), abs=1e-4)


@given(MOMENTS, OFFSETS)
def test_a_blank_where_an_unescaped_plus_stood_is_understood(moment, offset):
    text = moment.replace(tzinfo=offset).isoformat()
    assert parse_moment(text.replace("+", " ")) == parse_moment(text)


@given(MOMENTS)
def test_no_offset_means_utc(moment):
    expected = moment.replace(tzinfo=UTC).timestamp()
    assert parse_moment(moment.isoformat()) == pytest.approx(expected, abs=1e-4)
    assert parse_moment(moment.isoformat(sep=" ")) == pytest.approx(expected, abs=1e-4)


@given(st.dates())
def test_a_date_alone_is_its_midnight_or_the_end_of_that_day(day):
    assert parse_moment(day.isoformat()) == datetime.combine(day, time.min, UTC).timestamp()
    end = parse_moment(day.isoformat(), ends_day=True)
    assert 86_399 < end - parse_moment(day.isoformat()) < 86_400


@given(st.text(max_size=40))
def test_any_other_text_is_a_value_error_and_nothing_else(text):
    with contextlib.suppress(ValueError):
        assert isinstance(parse_moment(text), float)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T17:40:00Z",
        "2026-11-22t17:40:00z",
        "2026-11-22 17:40",
        "2026-11-22T17:40",
        "20261122T174000Z",
        "2026-11-22T17:40:00.000000000Z",
        "2026-11-22T17:40:00,0Z",
        "2026-11-23T02:40:00+09:00",
        "2026-11-23T02:40:00 09:00",
        "2026-11-23T02:40:00+0900",
        "2026-11-23T02:40+09",
        "2026-11-22T12:10:00-05:30",
        "2026-W47-7T17:40",
    ],
)
def test_these_are_all_the_same_moment(text):
    assert parse_moment(text) == 1_795_369_200


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nowish",
        "now+2h",
        "+2h",
        "2h",
        "-2",
        "-2y",
        "-1.5h",
        "- 2h",
        "-2h-30m",
        "-999999999w",
        "-" + "9" * 400 + "d",
        "1795369200000",
        "1795369200s",
        "17953692e2",
        "12345",
        "-1795369200",
        "-1",
        "2026",
        "2026-11",
        "2026-02-30",
        "2026-13-01",
        "0000-01-01",
        "10000-01-01",
        "-0001-01-01",
        "2026-11-22T24:00:00Z",
        "2026-11-22T17:60",
        "2026-11-22T17:40:60Z",
        "2026-11-22T17:40:00+25:00",
        "2026-11-22T17:40:00Z\n",
        "2026-11-22T17:40:00Z\x00",
        "\uff12\uff10\uff12\uff16-11-22",
        "2026-11-22T17:40:0" + "0" * 10_000 + "x",
        "9" * 10_000,
        "2026-11-22T17:40:00  09:00",
        "2026-11-22T17:40:00++09:00",
    ],
)
def test_these_are_no_moments(text):
    with pytest.raises(ValueError):
        parse_moment(text)


def test_the_last_and_the_first_moment_of_all_fit():
    assert parse_moment("9999-12-31T23:59:59.999999-14:00") > parse_moment("9999-12-31")
    assert parse_moment("0001-01-01T00:00:00+14:00") < parse_moment(date(1, 1, 1).isoformat())


SEOUL = ZoneInfo("Asia/Seoul")


def test_without_an_offset_it_is_a_time_in_the_zone_that_is_given():
    assert parse_moment("2026-11-23T02:40", zone=SEOUL) == 1_795_369_200
    assert parse_moment("2026-11-22T17:40Z", zone=SEOUL) == 1_795_369_200
    assert parse_moment("2026-11-23", zone=SEOUL) == parse_moment("2026-11-22T15:00Z")


NOW = 1_795_369_200.5


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("now", 0),
        ("-0s", 0),
        ("-2h", 7200),
        ("-90m", 5400),
        ("-7d", 7 * 86_400),
        ("-2w", 14 * 86_400),
        ("-1h30m", 5400),
        ("-1d12h", 36 * 3600),
        ("now-15m", 900),
    ],
)
def test_relative_to_now(text, seconds):
    assert parse_moment(text, now=NOW) == NOW - seconds
    assert is_relative(text)
    assert is_relative(f" {text} ")


@pytest.mark.parametrize("text", ["2026-11-22", "1795369200", "0", "2h", "+2h", "nowhere", ""])
def test_what_is_always_the_same_moment_is_not_relative(text):
    assert not is_relative(text)


@given(st.integers(100_000_000, 99_999_999_999), st.integers(0, 999))
def test_seconds_since_the_epoch(seconds, thousandths):
    assert parse_moment(str(seconds)) == seconds
    assert parse_moment(f"{seconds}.{thousandths:03}") == pytest.approx(seconds + thousandths / 1000)
    assert parse_moment("0") == 0


def test_eight_digits_are_a_date():
    assert parse_moment("20261122") == parse_moment("2026-11-22")


@pytest.mark.parametrize(("text", "seconds"), [("90m", 5400), ("1h30m", 5400), ("7d", 604_800), ("45s", 45)])
def test_a_length_of_time(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "h", "-2h", "2 h", "1.5h", "2y", "\uff12h", "1h-30m", "9" * 10 + "s"])
def test_these_are_no_lengths_of_time(text):
    with pytest.raises(ValueError):
        parse_duration(text)
