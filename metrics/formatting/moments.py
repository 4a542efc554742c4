"""Moments as text: ISO 8601 in UTC out; ISO 8601 in any offset, or a time of today or yesterday, in."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

# A blank stands for the + of an offset that was not escaped in the address.
ISO_8601 = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d|\d{8}|\d{4}-W\d\d-\d|\d{4}W\d{3})"
    r"(?:[T ](?P<time>\d\d(?::\d\d(?::\d\d(?:[.,]\d+)?)?|\d\d(?:\d\d(?:[.,]\d+)?)?)?)"
    r"(?P<offset>Z|[-+ ]\d\d(?::?\d\d)?)?)?",
    re.ASCII | re.IGNORECASE,
)
TIME_OF_DAY = re.compile(r"(?P<day>yesterday +)?(?P<time>\d\d?:\d\d(?::\d\d)?)", re.ASCII | re.IGNORECASE)

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


def parse_moment(text: str, *, ends_day: bool = False, zone: tzinfo = UTC) -> float:
    """Seconds since the epoch of an ISO 8601 text; without an offset it is a time in `zone`. A date alone is its
    midnight there, or with `ends_day` its last millisecond. Raises ValueError for anything else."""
    parts = ISO_8601.fullmatch(text)
    if parts is None:
        raise ValueError("not ISO 8601")
    day = parts["date"].upper()
    if parts["time"] is None:
        return datetime.combine(datetime.fromisoformat(day), END_OF_DAY if ends_day else time.min, zone).timestamp()
    offset = (parts["offset"] or "").upper().replace(" ", "+")
    moment = datetime.fromisoformat(f"{day}T{parts['time']}{offset}")
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()


def parse_time_here(text: str, today: date, zone: tzinfo, *, ends_day: bool = False) -> float:
    """As parse_moment, and also `14:05` for today, `yesterday 14:05` for the day before."""
    parts = TIME_OF_DAY.fullmatch(text.strip())
    if parts is None:
        return parse_moment(text.strip(), ends_day=ends_day, zone=zone)
    day = today - timedelta(days=1) if parts["day"] else today
    hours, _colon, rest = parts["time"].partition(":")
    return datetime.combine(day, time.fromisoformat(f"{hours:0>2}:{rest}"), zone).timestamp()
