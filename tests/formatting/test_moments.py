"""ISO 8601 in and out."""

import contextlib
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.formatting.moments import iso, parse_moment, parse_time_here

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
        "now",
        "1795369200",
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
TODAY = date(2026, 11, 23)


def test_without_an_offset_it_is_a_time_in_the_zone_that_is_given():
    assert parse_moment("2026-11-23T02:40", zone=SEOUL) == 1_795_369_200
    assert parse_moment("2026-11-22T17:40Z", zone=SEOUL) == 1_795_369_200
    assert parse_moment("2026-11-23", zone=SEOUL) == parse_moment("2026-11-22T15:00Z")


@pytest.mark.parametrize("text", ["02:40", "2:40", "02:40:00", " 02:40 ", "2026-11-23 02:40", "2026-11-22T17:40Z"])
def test_a_time_of_day_is_that_of_today(text):
    assert parse_time_here(text, TODAY, SEOUL) == 1_795_369_200


@pytest.mark.parametrize("text", ["yesterday 02:40", "Yesterday  2:40:00"])
def test_yesterday_is_the_day_before(text):
    assert parse_time_here(text, TODAY, SEOUL) == 1_795_369_200 - 86_400


@pytest.mark.parametrize("text", ["", "24:00", "12:60", "12", "1:2", "yesterday", "tomorrow 12:00", "\uff11\uff12:00"])
def test_these_are_no_times_of_a_day(text):
    with pytest.raises(ValueError):
        parse_time_here(text, TODAY, SEOUL)
