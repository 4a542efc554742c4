"""Moments as people type them at a terminal: `03:12`, `yesterday 3am`, `monday 14:00`, `2 hours ago`."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from metrics.formatting.moments import END_OF_DAY, SECONDS_OF_UNIT, parse_moment

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CLOCKS = {"noon": time(12), "midnight": time(0)}
MIDDAY = 12
WEEK = 7

UNIT = r"(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)"
AGO = re.compile(rf"(?:(?:\d{{1,9}}|an?(?= )) ?{UNIT} ?)+(?<= )ago", re.ASCII)
PART = re.compile(rf"(?P<count>\d+|an?) ?(?P<unit>{UNIT})", re.ASCII)
CLOCK = r"(?:\d\d?:\d\d(?::\d\d)?(?: ?[ap]m)?|\d\d? ?[ap]m|noon|midnight)"
WEEKDAY = rf"(?:last )?(?:{'|'.join(name[:3] for name in WEEKDAYS)})[a-z]*"
DAY = rf"(?:today|yesterday|{WEEKDAY}|\d{{4}}-\d\d-\d\d)"
CLOCK_ALONE = re.compile(CLOCK, re.ASCII)
DAY_FIRST = re.compile(rf"(?P<day>{DAY})(?: (?:at )?(?P<clock>{CLOCK}))?", re.ASCII)
CLOCK_FIRST = re.compile(rf"(?P<clock>{CLOCK}) (?P<day>{DAY})", re.ASCII)


def parse_local_moment(text: str, now: float, zone: tzinfo, *, ends_day: bool = False) -> float:
    """Return the seconds since the epoch of a moment as people type it, or as `parse_moment` reads it, in `zone`.

    A time alone, or one of a weekday, is the last time that clocks showed it: `23:00` at noon is yesterday's. A day
    alone is its midnight, or with `ends_day` its last millisecond. Raises ValueError or OverflowError for anything
    else; nothing is guessed: `12`, `may` and `tomorrow` are refused.
    """
    words = " ".join(text.lower().split())
    if AGO.fullmatch(words):
        return now - sum(_seconds(part) for part in PART.finditer(words))
    if CLOCK_ALONE.fullmatch(words):
        # Where clocks are set forward, a time is left out on one day.
        return _newest(_clock(words), _days_around(now, zone), now, zone)
    parts = DAY_FIRST.fullmatch(words) or CLOCK_FIRST.fullmatch(words)
    if parts is None:
        return parse_moment(words, ends_day=ends_day, zone=zone, now=now)
    days = _days(parts["day"], datetime.fromtimestamp(now, zone).date())
    if parts["clock"] is None:
        return datetime.combine(days[0], END_OF_DAY if ends_day else time.min, zone).timestamp()
    clock = _clock(parts["clock"])
    if len(days) > 1:
        return _newest(clock, days, now, zone)
    return datetime.combine(days[0], clock, zone).timestamp()


def next_time(text: str, after: float, zone: tzinfo) -> float | None:
    """Return the first moment from `after` on at which clocks show a time; None where the text is not a time alone."""
    words = " ".join(text.lower().split())
    if not CLOCK_ALONE.fullmatch(words):
        return None
    return min(moment for moment in _shown(_clock(words), _days_around(after, zone), zone) if moment >= after)


def _seconds(part: re.Match[str]) -> int:
    count = 1 if part["count"].startswith("a") else int(part["count"])
    return count * SECONDS_OF_UNIT[part["unit"][0]]


def _clock(words: str) -> time:
    if words in CLOCKS:
        return CLOCKS[words]
    digits, half = re.fullmatch(r"([\d:]+) ?([ap]m)?", words, re.ASCII).groups()  # type: ignore[union-attr]
    hour, minute, second = (*map(int, digits.split(":")), 0, 0)[:3]
    if half:
        if not 1 <= hour <= MIDDAY:
            raise ValueError("no hour of half a day")
        hour = hour % MIDDAY + (MIDDAY if half == "pm" else 0)
    return time(hour, minute, second)


def _days(words: str, today: date) -> list[date]:
    """The days that are meant, the newest first: more than one where the time decides between them."""
    if words == "today":
        return [today]
    if words == "yesterday":
        return [today - timedelta(days=1)]
    if words[0].isdigit():
        return [date.fromisoformat(words)]
    name = words.removeprefix("last ")
    weekdays = [number for number, full in enumerate(WEEKDAYS) if full.startswith(name)]
    if not weekdays:
        raise ValueError("no day")
    newest = today - timedelta(days=(today.weekday() - weekdays[0]) % WEEK)
    weeks = [newest - timedelta(weeks=count) for count in range(3)]
    return weeks[1:] if name != words and newest == today else weeks


def _days_around(moment: float, zone: tzinfo) -> list[date]:
    here = datetime.fromtimestamp(moment, zone).date()
    return [here + timedelta(days=days) for days in range(-2, 3)]


def _newest(clock: time, days: Iterable[date], now: float, zone: tzinfo) -> float:
    """The last moment of these days, up to now, at which clocks showed this."""
    return max(moment for moment in _shown(clock, days, zone) if moment <= now)


def _shown(clock: time, days: Iterable[date], zone: tzinfo) -> list[float]:
    """Every moment of these days at which clocks showed this: twice a day where they are set back, or never."""
    moments = [datetime.combine(day, clock.replace(fold=fold), zone) for day in days for fold in (0, 1)]
    return [
        moment.timestamp()
        for moment in moments
        if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment.replace(tzinfo=None)
    ]
