"""The machine of the story: what it has, which programs run on it, and how its days go."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from math import cos, pi
from typing import NamedTuple

GIB = 2**30


class Partition(NamedTuple):
    """A file system; `filling_days` is how long it takes to fill up before somebody clears it, 0 for never."""

    device: str
    mountpoint: str
    fstype: str
    total_bytes: int
    filling_days: int


class Disk(NamedTuple):
    """A disk, and its share of the machine's traffic in percent. Each has hardware of its own."""

    device: str
    share: int


class Interface(NamedTuple):
    """A network interface, and its share of the machine's traffic in percent; loopback alone has no speed."""

    interface: str
    speed_mbps: int | None
    share: int


PARTITIONS = (
    Partition("/dev/nvme0n1p2", "/", "ext4", 120 * GIB, 0),
    Partition("/dev/nvme0n1p1", "/boot/efi", "vfat", GIB // 2, 0),
    Partition("/dev/nvme0n1p3", "/home", "ext4", 340 * GIB, 200),
    Partition("/dev/sda1", "/srv/data", "xfs", 1800 * GIB, 90),
)
DISKS = (Disk("nvme0n1", 70), Disk("sda", 25), Disk("sdb", 5))
INTERFACES = (Interface("eth0", 1000, 75), Interface("lo", None, 20), Interface("wlan0", 300, 5))


class Often(NamedTuple):
    """How likely something is in an hour; `long_gap` in a day."""

    burst: float = 0.08
    hog: float = 0.05
    gap: float = 0.0015
    reboot: float = 0.0007
    long_gap: float = 0.015


OFTEN = Often()


@dataclass(frozen=True)
class Machine:
    """A machine. The same seed and name have the same history at the same time."""

    name: str
    seed: str = "1"
    interval_seconds: int = 5
    cores: int = 8
    memory_bytes: int = 32 * GIB
    swap_bytes: int = 8 * GIB
    processes: int = 300
    partitions: tuple[Partition, ...] = PARTITIONS
    disks: tuple[Disk, ...] = DISKS
    interfaces: tuple[Interface, ...] = INTERFACES
    often: Often = OFTEN
    zone: tzinfo = field(default=UTC, compare=False)

    @property
    def story(self) -> str:
        """What every chance of this machine is drawn from."""
        return f"{self.seed} {self.name}"

    @property
    def facts(self) -> Mapping[str, object]:
        """What its row among the hosts says, without what changes with a boot."""
        return {
            "os_name": "Simulated GNU/Linux",
            "kernel": "6.1.0-sim",
            "architecture": "x86_64",
            "cpu_model": f"simulated, {self.cores} cores",
            "logical_cores": self.cores,
            "physical_cores": self.cores // 2,
            "memory_bytes": self.memory_bytes,
        }

    def activity(self, timestamp: int) -> float:
        """How busy people keep the machine: 0 in the dead of night, 1 at three in the afternoon of a working day."""
        moment = datetime.fromtimestamp(timestamp, self.zone)
        hour = moment.hour + moment.minute / 60
        day = (1 + cos((hour - 15) / 12 * pi)) / 2
        return day * (0.35 if moment.weekday() >= 5 else 1.0)
