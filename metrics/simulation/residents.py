"""The processes of the machine that are always there, and how its work is shared among them."""

from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import NamedTuple

from metrics.simulation.lines import QUARTER_SECONDS
from metrics.simulation.machine import Machine

MIB = 2**20
# Name, user, command and resident memory of what a server runs; the rest are kernel threads.
PROGRAMS = (
    ("java", "search", "java -Xmx4g -jar search.jar", 4600 * MIB),
    ("postgres", "postgres", "postgres: shop app 10.0.0.7 idle", 900 * MIB),
    ("node", "web", "node server.js", 420 * MIB),
    ("python3", "web", "python3 -m gunicorn shop.wsgi", 260 * MIB),
    ("dockerd", "root", "dockerd -H fd://", 180 * MIB),
    ("redis-server", "redis", "redis-server 127.0.0.1:6379", 150 * MIB),
    ("nginx", "www-data", "nginx: worker process", 48 * MIB),
    ("prometheus", "monitor", "prometheus --config.file=prometheus.yml", 310 * MIB),
    ("containerd-shim", "root", "containerd-shim-runc-v2 -namespace moby", 14 * MIB),
    ("systemd-journald", "root", "systemd-journald", 42 * MIB),
    ("sshd", "root", "sshd: jin [priv]", 9 * MIB),
    ("celery", "web", "celery -A shop worker", 190 * MIB),
    ("firefox", "jin", "firefox", 1500 * MIB),
    ("gnome-shell", "jin", "gnome-shell", 380 * MIB),
    ("code", "jin", "code --unity-launch", 620 * MIB),
    ("bash", "jin", "-bash", 5 * MIB),
)
KERNEL_SHARE = 3  # every third process is a kernel thread
# How many of them keep the CPU busy, twitch a little, or use a disk, in any one quarter of an hour.
BUSY, TWITCHING, READING = 10, 20, 9
LARGE = 24
RESTARTED_SHARE = 8  # every eighth process is a worker that is restarted each day
DAY_QUARTERS = 96
# CPU in hundredths of a percent of one core. The least of the busy ones stays above those that twitch and below the
# next one whatever the ripple does, so that the ten highest are the same at every tick of a quarter.
LEAST_BUSY, SECOND_LEAST_BUSY, MAX_TWITCHING = 64, 170, 30
# A line swings by a fortieth of its base for each unit of the ripple (lines.REACH: by less than half).
SWING_SHARE = 40


class Boot(NamedTuple):
    """The machine from one start to the next."""

    number: int
    booted_at: int


@dataclass(frozen=True, slots=True)
class Resident:
    """A process that is always there; `place` is its place in the list."""

    place: int
    pid: int
    start_seconds: float
    name: str
    username: str
    command: str
    rss_kib: int
    threads: int


@dataclass(frozen=True, slots=True)
class Work:
    """What some residents do in a quarter, by their places: CPU in hundredths of a percent, bytes a second (read,
    written)."""

    cpu: dict[int, int]
    io: dict[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class People:
    """All residents of a day, and what they have together. `large` are the places of those with much memory."""

    residents: tuple[Resident, ...]
    large: frozenset[int]
    rss_kib: int
    threads: int


@lru_cache(maxsize=4)
def people_of(machine: Machine, boot: Boot, day: int) -> People:
    """The residents of a day, which is counted since the epoch."""
    people = tuple(_resident(machine, boot, place, day) for place in range(machine.processes))
    ranked = sorted(people, key=lambda resident: resident.rss_kib, reverse=True)
    large = frozenset(resident.place for resident in ranked[:LARGE])
    return People(people, large, sum(one.rss_kib for one in people), sum(one.threads for one in people))


def _resident(machine: Machine, boot: Boot, place: int, day: int) -> Resident:
    chance = Random(f"{machine.story} resident {place}")  # noqa: S311 (a story, no secret)
    is_kernel = place % KERNEL_SHARE == 2
    name, username, command, rss = PROGRAMS[place // 2 % len(PROGRAMS)] if not is_kernel else _kernel_thread(place)
    start, generation = 1.0 + place * 0.02, 0
    if place % RESTARTED_SHARE == 5 and (born := day * DAY_QUARTERS * QUARTER_SECONDS) > boot.booted_at:
        # Half an interval before the first tick of the day.
        start, generation = born - boot.booted_at - machine.interval_seconds / 2, day % 500
    rss_kib = 0 if is_kernel else round(rss * chance.uniform(0.3, 1.0) / 1024) + place
    threads = 1 if is_kernel else chance.choice((1, 1, 2, 4, 9, 24))
    return Resident(place, 100 + place + generation * 1000, start, name, username, command, rss_kib, threads)


def _kernel_thread(place: int) -> tuple[str, str, str, int]:
    return f"kworker/{place % 8}:{place // 8}", "root", "", 0


def work_of(machine: Machine, chance: Random, cpu_of_all: int, bytes_of_all: int) -> Work:
    """Share the CPU time and the disk traffic of a quarter among some residents."""
    order = chance.sample(range(machine.processes), min(machine.processes, BUSY + TWITCHING + READING))
    twitching = {place: 8 + number for number, place in enumerate(order[:TWITCHING])}
    busy = _busy(chance, order[TWITCHING : TWITCHING + BUSY], cpu_of_all - sum(twitching.values()))
    io = _traffic(chance, order[-READING:], bytes_of_all)
    return Work({**twitching, **busy}, io)


def _busy(chance: Random, places: list[int], total: int) -> dict[int, int]:
    """Some shares that no two processes have, the last the least by far."""
    weights = sorted((chance.paretovariate(1.1) for _ in places), reverse=True)
    whole = sum(weights)
    shares = [max(SECOND_LEAST_BUSY + 3 * n, round(total * weight / whole)) for n, weight in enumerate(weights)]
    return dict(zip(places, [*shares[:-1], LEAST_BUSY], strict=True))


def _traffic(chance: Random, places: list[int], total: int) -> dict[int, tuple[int, int]]:
    weights = [chance.paretovariate(1.0) for _ in places]
    shares = [max(400 + 40 * n, round(total * weight / sum(weights))) for n, weight in enumerate(weights)]
    return {place: (share // 3, share - share // 3) for place, share in zip(places, shares, strict=True)}
