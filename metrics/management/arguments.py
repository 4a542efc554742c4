"""Arguments of commands that are moments and stretches of time, as people type them."""

import time
from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Sequence
from datetime import UTC, datetime

from django.core.management.base import BaseCommand, DjangoHelpFormatter
from django.utils import timezone

from metrics.formatting.local_moments import next_time, parse_local_moment
from metrics.formatting.moments import is_relative, parse_duration

TIME_HELP = """\
TIME is local: 03:12 or 3am (the last time it was that), yesterday 03:12, monday 14:00, a day (2026-11-22),
-2h or "2 hours ago", now, ISO 8601 (2026-11-22T14:05:30, 2026-11-22T14:05Z), or seconds since the epoch."""


class RawHelpFormatter(RawDescriptionHelpFormatter, DjangoHelpFormatter):
    """Leaves the lines of examples alone."""


class TimeCommand(BaseCommand):
    """A command with arguments that are moments: `--at -2h` works as well as `--at=-2h`."""

    def run_from_argv(self, argv: list[str]) -> None:
        super().run_from_argv(_joined(argv))


def moment(text: str, *, ends_day: bool = False) -> float:
    """Return seconds since the epoch, for argparse; a day alone is its midnight, or with `ends_day` its end."""
    try:
        found = parse_local_moment(text, time.time(), timezone.get_default_timezone(), ends_day=ends_day)
        # A moment in the first or the last hours that there are may not be one in every zone.
        timezone.localtime(datetime.fromtimestamp(found, UTC))
    except (ValueError, OverflowError, OSError):
        raise ArgumentTypeError(
            "must be a time such as 03:12, yesterday 3am, monday 14:00, -2h or 2026-11-22T14:05"
        ) from None
    return found


class LastMoment(float):
    """The end of a stretch of time, with the words that were typed."""

    words: str

    def from_start(self, start: float | None) -> float:
        """Return it as it is meant with a start: `--from 23:00 --to 03:00` is one night; an end may be later today."""
        if start is None or start <= self:
            return self
        zone, now = timezone.get_default_timezone(), time.time()
        following = next_time(self.words, start, zone)
        today = datetime.fromtimestamp(now, zone).date()
        if following is None or datetime.fromtimestamp(following, zone).date() > today:
            return self
        return following


def last_moment(text: str) -> LastMoment:
    """As `moment`; a day alone is its end."""
    made = LastMoment(moment(text, ends_day=True))
    made.words = text
    return made


def duration_seconds(text: str) -> int:
    """Return the seconds of 90m, 2h or 1h30m, for argparse."""
    try:
        seconds = parse_duration(text)
    except ValueError:
        raise ArgumentTypeError("must be a length of time such as 90m, 2h, 1h30m or 7d") from None
    if not seconds:
        raise ArgumentTypeError("must be longer than nothing")
    return seconds


def _joined(argv: Sequence[str]) -> list[str]:
    """`--at -2h` as one argument: alone argparse would take the moment for an option."""
    joined: list[str] = []
    for argument in argv:
        follows_option = joined and joined[-1].startswith("--") and "=" not in joined[-1]
        if follows_option and argument.startswith("-") and is_relative(argument):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined
