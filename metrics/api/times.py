"""Moments as the API writes and reads them: ISO 8601 in UTC out, ISO 8601 in any offset in."""

import re
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache

# A blank stands for the + of an offset that was not escaped in the address.
ISO_8601 = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d|\d{8}|\d{4}-W\d\d-\d|\d{4}W\d{3})"
    r"(?:[T ](?P<time>\d\d(?::\d\d(?::\d\d(?:[.,]\d+)?)?|\d\d(?:\d\d(?:[.,]\d+)?)?)?)"
    r"(?P<offset>Z|[-+ ]\d\d(?::?\d\d)?)?)?",
    re.ASCII | re.IGNORECASE,
)

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


def parse_moment(text: str, *, ends_day: bool = False) -> float:
    """Seconds since the epoch of an ISO 8601 text; without an offset it is UTC. A date alone is its midnight, or with
    `ends_day` its last millisecond. Raises ValueError for anything else."""
    parts = ISO_8601.fullmatch(text)
    if parts is None:
        raise ValueError("not ISO 8601")
    date = parts["date"].upper()
    if parts["time"] is None:
        day = datetime.fromisoformat(date)
        return datetime.combine(day, END_OF_DAY if ends_day else time.min, UTC).timestamp()
    offset = (parts["offset"] or "Z").upper().replace(" ", "+")
    return datetime.fromisoformat(f"{date}T{parts['time']}{offset}").timestamp()
