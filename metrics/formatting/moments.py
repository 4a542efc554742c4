"""Moments as text: ISO 8601 in UTC out; ISO 8601 in any offset, seconds, or relative to now, in."""

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from time import time as wall_clock

# A blank stands for the + of an offset that was not escaped in the address.
ISO_8601 = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d|\d{8}|\d{4}-W\d\d-\d|\d{4}W\d{3})"
    r"(?:[T ](?P<time>\d\d(?::\d\d(?::\d\d(?:[.,]\d+)?)?|\d\d(?:\d\d(?:[.,]\d+)?)?)?)"
    r"(?P<offset>Z|[-+ ]\d\d(?::?\d\d)?)?)?",
    re.ASCII | re.IGNORECASE,
)
# Eight digits are a date, four look like a year; a thousand times as many seconds are JavaScript's milliseconds.
EPOCH_SECONDS = re.compile(r"0|\d{9,11}(?:\.\d{1,12})?", re.ASCII)
# As long as a life of machines at the most, so that every moment that fits is one in every calendar.
DURATION = "(?:[0-9]{1,8}[sm]|[0-9]{1,6}h|[0-9]{1,4}[dw]){1,4}"
RELATIVE = re.compile(f"now|(?:now)?-(?P<ago>{DURATION})")
SECONDS_OF_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

EPOCH = datetime(1970, 1, 1)
# Not its last microsecond: in some centuries a float cannot tell that from midnight.
END_OF_DAY = time(23, 59, 59, 999_000)


def iso(seconds: float) -> str:
    """Seconds since the epoch as `2026-11-22T17:40:00.000Z`."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    minute, second = divmod(whole, 60)
    return f"{_minute(minute)}:{second:02}.{milliseconds:03}Z"


@lru_cache(maxsize=4096)
def _minute(minutes: int) -> str:
    return (EPOCH + timedelta(minutes=minutes)).isoformat(timespec="minutes")


def parse_moment(text: str, *, ends_day: bool = False, zone: tzinfo = UTC, now: float | None = None) -> float:
    """Return the seconds since the epoch of a moment as text: ISO 8601, `now`, `-2h` (so long ago), or such seconds.

    Without an offset it is a time in `zone`. A date alone is its midnight there, or with `ends_day` its last
    millisecond. Raises ValueError or OverflowError for anything else.
    """
    if EPOCH_SECONDS.fullmatch(text):
        return float(text)
    if relative := RELATIVE.fullmatch(text):
        return (wall_clock() if now is None else now) - parse_duration(relative["ago"] or "0s")
    parts = ISO_8601.fullmatch(text)
    if parts is None:
        raise ValueError("not ISO 8601")
    day = parts["date"].upper()
    if parts["time"] is None:
        return datetime.combine(datetime.fromisoformat(day), END_OF_DAY if ends_day else time.min, zone).timestamp()
    offset = (parts["offset"] or "").upper().replace(" ", "+")
    written = datetime.fromisoformat(f"{day}T{parts['time']}{offset}")
    return (written if written.tzinfo else written.replace(tzinfo=zone)).timestamp()


def is_relative(text: str) -> bool:
    """Return whether it is another moment each time that it is read, as `now` and `-2h` are."""
    return RELATIVE.fullmatch(text.strip()) is not None


def parse_duration(text: str) -> int:
    """Return the seconds of `90m` or `1h30m`. Raises ValueError for anything else."""
    if not re.fullmatch(DURATION, text):
        raise ValueError("not a duration")
    return sum(int(part[:-1]) * SECONDS_OF_UNIT[part[-1]] for part in re.findall("[0-9]+[a-z]", text))
