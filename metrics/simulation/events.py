"""What happens to the machine: bursts and hogs with a culprit, gaps in the recording, reboots.

Each hour has one thing at the most, which is over before the hour is, so that any quarter can be told without the
others. Only a long gap is drawn by the day.
"""

from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import NamedTuple

from metrics.simulation.machine import Machine

HOUR, DAY = 3600, 86_400
MIB = 2**20


class Culprit(NamedTuple):
    """A program that makes a burst: the cores that it and its children keep busy, and bytes a second."""

    name: str
    username: str
    command: str
    cores: float
    read: int
    write: int
    network: int
    rss_bytes: int
    threads: int
    # Of the CPU time that of its children, which do not live from one tick to the next.
    children_percent: int = 0


CULPRITS = (
    Culprit("ffmpeg", "media", "ffmpeg -i holiday.mov -c:v libx265 holiday.mkv", 3.0, 6 * MIB, MIB, 0, 900 * MIB, 17),
    Culprit("make", "jin", "make -j4 parser", 2.4, 2 * MIB, 3 * MIB, 0, 90 * MIB, 1, children_percent=95),
    Culprit("python3", "jin", "python3 train.py --epochs 20", 2.8, 4 * MIB, 0, 0, 4200 * MIB, 9),
    Culprit("pg_dump", "postgres", "pg_dump --format=custom shop", 0.6, 90 * MIB, 40 * MIB, 0, 60 * MIB, 1),
    Culprit("rsync", "backup", "rsync -a /srv/data backup.example:/srv/", 0.4, 70 * MIB, 0, 60 * MIB, 30 * MIB, 1),
    Culprit("updatedb", "root", "updatedb.plocate", 0.3, 25 * MIB, 2 * MIB, 0, 20 * MIB, 1),
    Culprit("clamscan", "clamav", "clamscan --recursive /home", 1.0, 30 * MIB, 0, 0, 1300 * MIB, 1),
)
BACKUP = Culprit("restic", "root", "restic backup /home /srv/data", 1.2, 80 * MIB, 0, 35 * MIB, 600 * MIB, 14)
BACKUP_HOUR = 2


@dataclass(frozen=True, slots=True)
class Event:
    """A culprit at work from `start` up to but not including `end`; both are ticks."""

    culprit: Culprit
    pid: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is recorded from `start` up to but not including `end`; with `reboot` the machine is down meanwhile."""

    start: int
    end: int
    reboot: bool = False


@dataclass(frozen=True, slots=True)
class Hour:
    """What happens in an hour."""

    event: Event | None = None
    pause: Pause | None = None


def event_in(machine: Machine, start: int, end: int) -> Event | None:
    """The event that touches a stretch within an hour."""
    event = hour_of(machine, start // HOUR).event
    return event if event and event.start < end and event.end > start else None


def pauses_in(machine: Machine, start: int, end: int) -> list[Pause]:
    """The pauses that touch a stretch within an hour, or end right before it."""
    hours = {(start - 1) // HOUR, start // HOUR}
    days = {(start - 1) // DAY, start // DAY}
    found = [hour_of(machine, hour).pause for hour in hours] + [_long_gap(machine, day) for day in days]
    return [pause for pause in found if pause and pause.start < end and pause.end >= start]


@lru_cache(maxsize=64)
def hour_of(machine: Machine, number: int) -> Hour:
    """What happens in an hour, which is counted since the epoch."""
    chance = Random(f"{machine.story} hour {number}")  # noqa: S311 (a story, no secret)
    start, interval, often = number * HOUR, machine.interval_seconds, machine.often
    dice = chance.random()
    for likely, happening in (
        (often.reboot, _reboot),
        (often.gap, _gap),
        (often.hog, _hog),
        (often.burst, _burst),
    ):
        if dice < likely:
            return happening(chance, start, interval)
        dice -= likely
    is_backup = number % 24 == BACKUP_HOUR
    return Hour(_event(chance, BACKUP, start + 300, chance.randrange(900, 2000), interval)) if is_backup else Hour()


def _burst(chance: Random, start: int, interval: int) -> Hour:
    length = round(chance.triangular(60, 2400, 400))
    return Hour(_event(chance, chance.choice(CULPRITS), start + chance.randrange(60, 1000), length, interval, 60))


def _hog(chance: Random, start: int, interval: int) -> Hour:
    """So short that nobody would see it in `top`."""
    first = start + chance.randrange(120, 3300)
    return Hour(_event(chance, chance.choice(CULPRITS), first, chance.randrange(5, 50), interval))


def _event(chance: Random, culprit: Culprit, first: int, length: int, interval: int, step: int = 0) -> Event:
    """An event cut to ticks, or to `step` seconds."""
    unit = max(step, interval)
    first -= first % unit
    return Event(culprit, chance.randrange(1_000_000, 4_000_000), first, first + max(unit, length - length % unit))


def _gap(chance: Random, start: int, interval: int) -> Hour:
    return Hour(pause=_pause(start + chance.randrange(0, 1800), chance.randrange(30, 1700), interval))


def _reboot(chance: Random, start: int, interval: int) -> Hour:
    pause = _pause(start + chance.randrange(600, 3000), chance.randrange(60, 300), interval)
    return Hour(pause=Pause(pause.start, pause.end, reboot=True))


def _pause(first: int, length: int, interval: int) -> Pause:
    first -= first % interval
    return Pause(first, first + max(1, length // interval) * interval)


@lru_cache(maxsize=8)
def _long_gap(machine: Machine, day: int) -> Pause | None:
    chance = Random(f"{machine.story} day {day}")  # noqa: S311 (a story, no secret)
    if chance.random() >= machine.often.long_gap:
        return None
    first = day * DAY + chance.randrange(0, DAY // 2)
    return _pause(first, chance.randrange(2 * HOUR, DAY // 2 - HOUR), machine.interval_seconds)
