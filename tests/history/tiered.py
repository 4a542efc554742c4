"""A random history over all tiers, and a model of it that is told point by point in Python."""

import random
from collections import defaultdict
from dataclasses import dataclass, field

from metrics.models import CpuSample, Host, ProcessSample, ProcessTotals, Tick
from metrics.models.samples import sample_models
from metrics.retention.rollup import roll_up
from metrics.tiers import WIDTHS
from tests.conftest import RecordedHost

# A quarter of an hour begins here.
FIRST = 1_795_367_700


@dataclass
class Raw:
    """What was recorded at one tick."""

    timestamp: int
    resolution: int
    percent: float
    per_core: list[float]
    processes: dict[int, float]


@dataclass
class History:
    """A host, what was recorded of it, and how far each tier was pruned: from there on it has everything."""

    host: Host
    raw: list[Raw]
    kept_from: dict[int, int] = field(default_factory=dict)

    def bucket(self, start: int, width: int) -> list[Raw]:
        """The ticks of a bucket; of the raw tier, the one tick."""
        return [tick for tick in self.raw if start <= tick.timestamp < start + width]

    def finest(self) -> dict[int, tuple[int, int]]:
        """What a reader without a step is to find: timestamp -> (resolution, tier)."""
        tells_from = {tier: self.tells_from(tier) for tier in (0, *WIDTHS)}
        found: dict[int, tuple[int, int]] = {}
        for tick in self.raw:
            for tier in (0, *WIDTHS):
                if tick.timestamp >= tells_from[tier]:
                    start = tick.timestamp - tick.timestamp % (tier or 1)
                    found[start] = (tier or tick.resolution, tier)
                    break
        return found

    def tells_from(self, tier: int) -> int:
        """From where on a tier has every tick of the buckets of the next tier that has those which this one lost."""
        kept = self.kept_from.get(tier, 0)
        gone = [self.start_of(tick, tier) for tick in self.raw if self.start_of(tick, tier) < kept]
        if not gone:
            return 0
        for width in (width for width in WIDTHS if width > tier):
            bucket = max(gone) - max(gone) % width
            if bucket >= max(self.kept_from.get(width, 0), self.tells_from(width)):
                return bucket + width
        return kept

    def is_known(self, tick: Raw) -> bool:
        """Whether any tier still has the tick."""
        return any(self.start_of(tick, tier) >= self.kept_from.get(tier, 0) for tier in (0, *WIDTHS))

    @staticmethod
    def start_of(tick: Raw, tier: int) -> int:
        """The timestamp under which a tier has the tick."""
        return tick.timestamp - tick.timestamp % (tier or 1)


def mean(ticks: list[Raw], value) -> float:
    """The mean weighted by what each tick stands for."""
    return sum(tick.resolution * value(tick) for tick in ticks) / sum(tick.resolution for tick in ticks)


def record(recorded: RecordedHost, seed: int, most: int = 80) -> History:
    """Ticks with gaps, other intervals, restarts and late ones, rolled up now and then."""
    chance = random.Random(seed)
    ticks = _ticks(chance, chance.randrange(3, most))
    late = chance.sample(ticks, k=chance.randrange(min(4, len(ticks))))
    for tick in [tick for tick in ticks if tick not in late] + late:
        _store(recorded, tick)
        if chance.random() < 0.05:
            roll_up(recorded.host)
    roll_up(recorded.host)
    return History(recorded.host, ticks)


def _ticks(chance: random.Random, count: int) -> list[Raw]:
    interval, timestamp, ticks = chance.choice([5, 10, 30]), FIRST + chance.randrange(1200), []
    for _ in range(count):
        if chance.random() < 0.05:
            interval = chance.choice([5, 10, 30, 60])
        gap = chance.choice([60, 300, 1000, 4000]) if chance.random() < 0.06 else 0
        timestamp = (timestamp + gap) // interval * interval + interval
        uses = {pid: round(chance.uniform(0.1, 300), 2) for pid in chance.sample(range(1, 6), k=chance.randrange(5))}
        percent = round(chance.uniform(0, 100), 2)
        ticks.append(Raw(timestamp, interval, percent, [round(chance.uniform(0, 100), 1) for _ in range(2)], uses))
    return ticks


def _store(recorded: RecordedHost, tick: Raw) -> None:
    processes = [
        {"pid": pid, "name": f"p{pid}", "cpu_percent": cpu, "rss_bytes": pid * 1024}
        for pid, cpu in tick.processes.items()
    ]
    recorded.tick(
        tick.timestamp,
        tick.resolution,
        cpu={"percent": tick.percent, "per_core": tick.per_core},
        processes={"total": 10 + len(processes), "cpu_percent": sum(tick.processes.values())},
        process=processes,
    )


def prune(history: History, tier: int, before: int) -> None:
    """As retention does: the oldest part of a tier goes, from every table."""
    for model in sample_models():
        model.objects.filter(host=history.host, tier=tier, timestamp__lt=before).delete()
    if tier == 0:
        Tick.objects.filter(host=history.host, timestamp__lt=before).delete()
    history.kept_from[tier] = before


def prune_some(history: History, chance: random.Random) -> None:
    """Raw and the finer tiers lose a part at random; the minutes keep more than raw does, most of the time."""
    moments = [tick.timestamp for tick in history.raw]
    prune(history, 0, chance.choice([0, chance.choice(moments), moments[-1]]))
    for width in (60, 300, 900):
        moment = chance.choice(moments)
        prune(history, width, chance.choice([0, 0, moment - moment % width]))


def rows_left(history: History) -> dict[int, set[int]]:
    """Tier -> the timestamps that are stored, to be sure that the model of pruning is what was done."""
    left: dict[int, set[int]] = defaultdict(set)
    for model in (CpuSample, ProcessTotals):
        for tier, moment in model.objects.filter(host=history.host).values_list("tier", "timestamp"):
            left[tier].add(int(moment.timestamp()))
    assert ProcessSample.objects.filter(host=history.host).count() > 0
    return left
