"""The machine's time zone by a name that Django takes, though the machine may have none for it.

A container has somebody else's /etc/localtime mounted over its own, or a copy in place of the link; TZ may be a rule
such as `KST-9`. What then counts is what the C library makes of it: the zone is the one that has the same offsets.
"""

import os
import sys
import time
import zoneinfo
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import tzlocal

LOCALTIME = Path("/etc/localtime")
# Often enough to meet each summer time, and long enough to tell zones apart that have had the same time lately.
STEP_SECONDS, PAST_STEPS, COMING_STEPS = 15 * 86_400, 250, 25


def machine_time_zone() -> str:
    """Return the zone's name; UTC, with a line on stderr, where no zone has the machine's offsets."""
    moments = _moments()
    offsets = [time.localtime(moment).tm_gmtoff for moment in moments]
    overlaid = _overlaid_file()
    with suppress(zoneinfo.ZoneInfoNotFoundError, OSError, ValueError):
        # The name is one of several that the machine may give, and of a link.
        name = tzlocal.get_localzone_name()
        if name and not _is_file_of(name, overlaid) and has_offsets(name, moments, offsets):
            return name
    others = (name for name in zoneinfo.available_timezones() if not _is_file_of(name, overlaid))
    found = [name for name in others if has_offsets(name, moments, offsets)]
    if found:
        return min(found, key=lambda name: _preference(name, moments[PAST_STEPS]))
    zone = os.environ.get("TZ") or LOCALTIME
    print(f"sysmon: no time zone's name has the time of {zone}: times are UTC; set SYSMON_TIME_ZONE", file=sys.stderr)
    return "UTC"


def has_offsets(name: str, moments: Iterable[float], offsets: Iterable[int]) -> bool:
    """Whether a zone has these offsets from UTC in seconds, each at its moment."""
    try:
        zone = zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return all(
        datetime.fromtimestamp(moment, UTC).astimezone(zone).utcoffset().total_seconds() == offset  # type: ignore[union-attr]
        for moment, offset in zip(moments, offsets, strict=True)
    )


def _overlaid_file() -> Path | None:
    """The zone's file that something is mounted over, since a mount follows the link: its content is not its own."""
    try:
        file = LOCALTIME.resolve()
        mounts = Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines()
    except (OSError, RuntimeError):
        return None
    return file if any(line.split(" ")[4:5] == [str(file)] for line in mounts) else None


def _is_file_of(name: str, overlaid: Path | None) -> bool:
    return overlaid is not None and any((Path(directory) / name).resolve() == overlaid for directory in zoneinfo.TZPATH)


def _moments() -> list[float]:
    now = time.time()
    return [now + STEP_SECONDS * step for step in range(-PAST_STEPS, COMING_STEPS + 1)]


def _preference(name: str, now: float) -> tuple[bool, bool, bool, str]:
    """The zone whose file is the machine's, then one with its abbreviation, then a place, by its name."""
    there = datetime.fromtimestamp(now, UTC).astimezone(zoneinfo.ZoneInfo(name)).tzname()
    is_a_place = "/" in name and not name.startswith("Etc/")
    return not _is_localtime(name), there != time.localtime(now).tm_zone, not is_a_place, name


def _is_localtime(name: str) -> bool:
    if os.environ.get("TZ"):
        return False
    try:
        content = LOCALTIME.read_bytes()
    except OSError:
        return False
    files = (Path(directory) / name for directory in zoneinfo.TZPATH)
    return any(file.is_file() and file.read_bytes() == content for file in files)
