"""Moments as people type them: what is understood, and what is refused and not guessed."""

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.formatting.local_moments import next_time, parse_local_moment

SEOUL = ZoneInfo("Asia/Seoul")
# A Friday, a quarter past two in the night.
NOW = datetime(2026, 11, 27, 2, 14, 30, tzinfo=SEOUL).timestamp()
ZONES = [ZoneInfo(name) for name in ("UTC", "Asia/Seoul", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe")]


def read(text, now=NOW, zone=SEOUL, **options):
    return datetime.fromtimestamp(parse_local_moment(text, now, zone, **options), zone).strftime("%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "11-27 02:14:30"),
        ("02:14", "11-27 02:14:00"),
        ("2:14:30", "11-27 02:14:30"),
        # Still to come today, so yesterday's is meant.
        ("02:15", "11-26 02:15:00"),
        ("03:12", "11-26 03:12:00"),
        (" 3AM ", "11-26 03:00:00"),
        ("3:12 pm", "11-26 15:12:00"),
        ("12am", "11-27 00:00:00"),
        ("12pm", "11-26 12:00:00"),
        ("noon", "11-26 12:00:00"),
        ("midnight", "11-27 00:00:00"),
        ("today", "11-27 00:00:00"),
        ("today 1am", "11-27 01:00:00"),
        ("today 23:00", "11-27 23:00:00"),
        ("yesterday", "11-26 00:00:00"),
        ("Yesterday  03:12", "11-26 03:12:00"),
        ("yesterday at noon", "11-26 12:00:00"),
        ("03:12 yesterday", "11-26 03:12:00"),
        ("monday 14:00", "11-23 14:00:00"),
        ("tuesday at 03:12", "11-24 03:12:00"),
        ("tues 3:12", "11-24 03:12:00"),
        ("wed", "11-25 00:00:00"),
        ("last monday", "11-23 00:00:00"),
        # Today is a Friday: two in the night was, three is still to come.
        ("friday 2am", "11-27 02:00:00"),
        ("friday 3am", "11-20 03:00:00"),
        ("last friday 2am", "11-20 02:00:00"),
        ("friday", "11-27 00:00:00"),
        ("2026-11-20 3pm", "11-20 15:00:00"),
        ("2026-11-20 03:12", "11-20 03:12:00"),
        ("2026-11-20T03:12Z", "11-20 12:12:00"),
        ("2 hours ago", "11-27 00:14:30"),
        ("2h ago", "11-27 00:14:30"),
        ("an hour ago", "11-27 01:14:30"),
        ("1 hour 30 minutes ago", "11-27 00:44:30"),
        ("3 days ago", "11-24 02:14:30"),
        ("a week ago", "11-20 02:14:30"),
        ("-90m", "11-27 00:44:30"),
        ("1795369200", "11-23 02:40:00"),
    ],
)
def test_what_people_type(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        # What parsers that guess make a month, a day or a year of.
        *("12", "1", "a", "no", "may", "2026", "10:", "11-12", "1/2", "1/2/2026", "27.11.", "1:2", "m", "su"),
        # The future, which was not recorded.
        *("tomorrow", "tomorrow 12:00", "in 2 hours", "next monday", "+2h", "2 hours from now"),
        *("24:00", "12:60", "25:00", "13pm", "0am", "3 am 20", "yesterday 25:00", "2026-13-01 3pm", "2026-02-30"),
        *("2 hours", "ago", "hours ago", "two hours ago", "1.5 hours ago", "-2 hours", "2 fortnights ago", "2hago"),
        *("noonish", "yesterdays", "someday 12:00", "last today", "last yesterday", "yesterday ago", "monday monday"),
        *("\uff11\uff12:00", "1\u00b2:00", "12:00\x00", "yesterday; ls", "9" * 5000),
    ],
)
def test_what_is_refused(text):
    with pytest.raises((ValueError, OverflowError)):
        read(text)


@given(st.text(max_size=30) | st.text("0123456789:apm -hdago", max_size=20))
def test_any_other_text_is_refused_and_nothing_worse(text):
    with contextlib.suppress(ValueError, OverflowError):
        assert isinstance(parse_local_moment(text, NOW, SEOUL), float)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)), st.times(), st.sampled_from(ZONES))
def test_a_time_alone_is_the_last_time_that_clocks_showed_it(moment, clock, zone):
    now = moment.replace(tzinfo=UTC).timestamp()
    found = parse_local_moment(clock.strftime("%H:%M:%S"), now, zone)
    shown = datetime.fromtimestamp(found, zone)
    assert shown.time() == clock.replace(microsecond=0)
    assert found <= now
    between = (datetime.fromtimestamp(now - seconds, zone) for seconds in range(0, int(now - found), 900))
    later = {(at.date(), at.utcoffset()) for at in between}
    for day, offset in later:
        again = datetime.combine(day, shown.time(), zone)
        assert not (found < again.timestamp() <= now and again.utcoffset() == offset)


def test_a_time_that_clocks_leave_out_is_that_of_the_day_before():
    berlin = ZoneInfo("Europe/Berlin")
    noon = datetime(2026, 3, 29, 12, tzinfo=berlin).timestamp()
    assert read("02:30", noon, berlin) == "03-28 02:30:00"


def test_a_time_that_comes_twice_is_the_second_once_it_is_over():
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 2, 30, tzinfo=berlin)
    second = first.replace(fold=1).timestamp()
    assert parse_local_moment("02:30", second + 60, berlin) == second
    assert parse_local_moment("02:30", second - 60, berlin) == first.timestamp()


def test_a_day_alone_has_an_end():
    assert read("yesterday", ends_day=True) == "11-26 23:59:59"
    assert read("monday", ends_day=True) == "11-23 23:59:59"
    assert read("yesterday 12:00", ends_day=True) == "11-26 12:00:00"


def test_the_next_time_is_after_a_start():
    start = parse_local_moment("23:00", NOW, SEOUL)
    assert datetime.fromtimestamp(next_time("03:00", start, SEOUL), SEOUL) == datetime(2026, 11, 27, 3, tzinfo=SEOUL)
    assert next_time("23:00", start, SEOUL) == start
    assert next_time("22:59", start, SEOUL) == start + timedelta(hours=24, minutes=-1).total_seconds()


@pytest.mark.parametrize("text", ["yesterday", "yesterday 03:00", "-2h", "2026-11-22"])
def test_only_a_time_alone_has_a_next_time(text):
    assert next_time(text, NOW, SEOUL) is None
