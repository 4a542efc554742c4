"""The worst tick of a bucket: the one at which the machine used most of something, and who did."""

from typing import Any, NamedTuple

from metrics.models.packing import packed_pairs, unpacked
from metrics.models.processes import ProcessSample, ProcessTotals
from metrics.models.samples import CpuSample, MemorySample, Sample

# What the machine uses of all that an order of processes ranks by; where that is several fields, their sum. Of disks it
# is what all processes together ask of them: a volume's traffic is also that of the disk below it.
MACHINE: dict[str, tuple[type[Sample], tuple[str, ...]]] = {
    "cpu": (CpuSample, ("percent",)),
    "memory": (MemorySample, ("percent",)),
    "io": (ProcessTotals, ProcessSample.orders["io"]),
}
# So many processes of it are kept.
CULPRITS = 3


def worst_column(order: str) -> str:
    """The column of ProcessTotals that keeps the worst tick by an order."""
    return f"worst_{order}"


class WorstTick(NamedTuple):
    """When it was, how much the machine used, and the ids of the highest processes with what each used, as stored."""

    timestamp: int
    total: int
    processes: tuple[tuple[int, int], ...]

    def packed(self) -> bytes:
        """As it is kept: pairs, the first of the time and the total."""
        return packed_pairs([(self.timestamp, self.total), *self.processes])

    @classmethod
    def unpacked(cls, data: bytes | memoryview | None) -> "WorstTick | None":
        """None where none is known."""
        (at, total), *processes = unpacked(data) if data else [(0, 0)]
        return cls(at, total, tuple(processes)) if data else None


def worse(one: WorstTick | None, other: WorstTick | None) -> WorstTick | None:
    """The worse of two, the earlier one where they are even."""
    known = [tick for tick in (one, other) if tick]
    return max(known, key=lambda tick: (tick.total, -tick.timestamp), default=None)


def highest(used: list[tuple[int, Any]]) -> tuple[tuple[int, int], ...]:
    """The highest of processes, given with what they used, of those that used anything."""
    ranked = sorted(((pk, value) for pk, value in used if value), key=lambda pair: (-pair[1], pair[0]))
    return tuple(ranked[:CULPRITS])
