"""A made-up machine with a past: a burst, a gap, a reboot, many cores, disks and names that want to do harm."""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from metrics.models import CollectorState, Host, Process, ProcessSample, ProcessTotals, RollUpState, Tick
from metrics.models.samples import CpuSample, MemorySample, Sample, sample_models
from metrics.retention.buckets import averaged_fields
from metrics.tiers import RAW

GIB = 1024**3
HOSTILE = "<img src=x onerror=alert(1)>"
PROCESSES = [
    # pid, name, user, command, CPU percent, memory in MiB
    (2377, "chrome", "jin", "/opt/google/chrome --type=renderer", 7.1, 744),
    (1450, "gunicorn", "www", "gunicorn: worker [shop.wsgi]", 4.3, 134),
    (2201, "node", "jin", "node server.js --port 3000", 3.4, 305),
    (812, "postgres", "postgres", "postgres: checkpointer", 2.4, 391),
    (901, HOSTILE, "jin", f"{HOSTILE} --quiet", 1.2, 82),
    (1033, "nginx", "www-data", "nginx: worker process", 0.4, 23),
    (1, "systemd", "root", "/sbin/init", 0.1, 12),
]
FFMPEG = (48213, "ffmpeg", "jin", "ffmpeg -i lecture.mkv -c:v libx265 -preset slow out.mkv", 0.0, 3400)
# What works all the time, what wrote for one tick and left, and a shell that uses next to nothing.
GNOME_SHELL = (1733, "gnome-shell", "jin", "/usr/bin/gnome-shell", 22.0, 410)
PG_DUMP = (60110, "pg_dump", "postgres", "pg_dump --file=/backup/shop.sql shop", 0.0, 60)
BASH = (9100, "bash", "jin", "-bash", 0.1, 6)
SPIKE_BYTES_PER_SECOND = 95e6


@dataclass
class Machine:
    """What it consists of, and what happened to it: moments are seconds before the end of its history."""

    name: str = "test-host"
    cores: int = 8
    disks: tuple[str, ...] = ("nvme0n1", "sda")
    interfaces: tuple[str, ...] = ("lo", "eth0", "wlan0")
    mountpoints: tuple[str, ...] = ("/", "/home", "/boot/efi")
    burst: tuple[int, int] | None = None
    # Single ticks, at which a dump writes as fast as the disk can.
    spikes: tuple[int, ...] = ()
    gaps: tuple[tuple[int, int], ...] = ()
    booted: int = 12 * 86_400 + 4 * 3600
    memory_bytes: int = 16 * GIB
    processes: list[Any] = field(default_factory=lambda: [*PROCESSES, FFMPEG])

    def record(self, seconds: int, interval: int = 10, end: int | None = None) -> Host:
        """Store a history of so many seconds that ends now, or at `end`."""
        self.end = self.newest = (int(time.time()) if end is None else end) // interval * interval
        self.interval = interval
        self.host = self._host()
        times = range(self.end - seconds + interval, self.end + 1, interval)
        self._store_ticks([at for at in times if not self._is_in_gap(at)])
        return self.host

    def _store_ticks(self, times: list[int]) -> None:
        self._store(Tick, [{"timestamp": at, "lag_milliseconds": 1, "duration_milliseconds": 9} for at in times])
        for model in sample_models():
            if model is not ProcessSample:
                make = getattr(self, f"_{model.kind}")
                self._store(model, [{"timestamp": at, **row} for at in times for row in _rows(make(at))])
        self._store_processes(times)

    def wait_for_tick(self) -> None:
        """Until the next multiple of the interval."""
        time.sleep(self.interval - time.time() % self.interval)

    def record_ticks(self) -> None:
        """What was due since the last one, where the machine is slow too. What happened stays where it was in time."""
        now = int(time.time()) // self.interval * self.interval
        self._store_ticks(list(range(self.newest + self.interval, now + 1, self.interval)))
        self.newest = now

    def roll_up(self, seconds: int, width: int = 900, every: int = 7200) -> Host:
        """Store so much past as points of a tier, one in each two hours, and the last minutes raw."""
        host = self.record(600)
        self.interval = width
        first = (self.end - seconds) // width * width
        for model in (CpuSample, MemorySample):
            make = getattr(self, f"_{model.kind}")
            rows = [{"timestamp": at, **_summed(model, make(at))} for at in range(first, self.end - 2 * width, every)]
            self._store(model, [{**row, "tier": width, "points": 180, "covered_seconds": width} for row in rows])
        RollUpState.objects.update_or_create(host=host, defaults={"newest": self.end})
        return host

    def _host(self) -> Host:
        facts = {
            "os_name": "Debian GNU/Linux 12", "kernel": "Linux 6.1.0", "architecture": "x86_64", "boot_id": "boot",
            "cpu_model": "A processor", "logical_cores": self.cores, "physical_cores": max(1, self.cores // 2),
            "memory_bytes": self.memory_bytes, "booted_at": self.end - self.booted, "first_seen_at": self.end - 86_400,
        }  # fmt: skip
        host, _made = Host.objects.update_or_create(name=self.name, defaults=facts)
        CollectorState.objects.filter(host=host).delete()
        return host

    def _store(self, model: Any, rows: Iterable[dict[str, Any]]) -> None:
        model.objects.bulk_create(
            [model(host=self.host, resolution=self.interval, **row) for row in rows], batch_size=2000
        )

    def _is_in_gap(self, at: int) -> bool:
        return any(self.end - start < at < self.end - stop for start, stop in self.gaps)

    def _spike(self, at: int) -> bool:
        return any(0 <= at - (self.end - moment) < self.interval for moment in self.spikes)

    def _strength(self, at: int) -> float:
        """How strong the burst is, from 0 to 1."""
        if self.burst is None:
            return 0.0
        start, stop = (self.end - moment for moment in self.burst)
        return math.sin(math.pi * (at - start) / (stop - start)) if start < at < stop else 0.0

    def _wave(self, at: int, period: int, shift: float = 0.0) -> float:
        slow = math.sin(2 * math.pi * at / period + shift)
        quick = math.sin(at * 12.9898 + shift * 78.233) * 43758.5453
        return 0.5 + 0.3 * slow + 0.2 * (2 * (quick - math.floor(quick)) - 1)

    def _cpu(self, at: int) -> dict[str, Any]:
        burst = self._strength(at)
        user, system = 8 + 14 * self._wave(at, 1500) + 66 * burst, 3 + 6 * self._wave(at, 900, 1) + 6 * burst
        iowait, steal = 2 * self._wave(at, 700, 2), 0.3 * self._wave(at, 500, 3)
        percent = min(100.0, user + system)
        cores = [min(100.0, percent * (0.6 + 0.8 * self._wave(at, 600, n))) for n in range(self.cores)]
        load = self.cores * percent / 100
        return {
            "percent": percent, "user_percent": user, "system_percent": system, "iowait_percent": iowait,
            "steal_percent": steal, "idle_percent": 100 - percent, "per_core": cores, "load_1": load,
            "load_5": load * 0.8 + 0.3, "load_15": load * 0.5 + 0.6, "frequency_mhz": 2400 + 600 * burst,
            "context_switches_per_second": 4000 + 9000 * burst, "interrupts_per_second": 1500.0,
            "pressure_some_percent": 1 + 20 * burst,
        }  # fmt: skip

    def _memory(self, at: int) -> dict[str, Any]:
        total, burst = self.memory_bytes, self._strength(at) or float(self._spike(at))
        used = int(total * (0.38 + 0.03 * self._wave(at, 4000) + 0.2 * burst))
        cached = int(total * (0.3 - 0.08 * burst))
        return {
            "total_bytes": total, "used_bytes": used, "available_bytes": total - used,
            "free_bytes": total - used - cached,
            "percent": 100 * used / total, "buffers_bytes": 358 * 1024**2, "cached_bytes": cached,
            "swap_total_bytes": 4 * GIB, "swap_used_bytes": int(0.4 * GIB * (1 + burst)),
            "swap_percent": 10 * (1 + burst),
            "swap_in_bytes_per_second": 0.0, "swap_out_bytes_per_second": 1e6 * burst,
            "pressure_some_percent": 4 * burst, "pressure_full_percent": burst,
        }  # fmt: skip

    def _disk(self, at: int) -> dict[str, Any]:
        return {"pressure_some_percent": 2 * self._wave(at, 800) + 70 * self._spike(at), "pressure_full_percent": 1.0}

    def _partition(self, at: int) -> list[dict[str, Any]]:
        return [
            {
                "device": f"/dev/{name}p{n + 1}", "mountpoint": mountpoint, "fstype": "ext4", "total_bytes": 500 * GIB,
                "used_bytes": int((40 + 53 * n % 57) * 5 * GIB), "free_bytes": 100 * GIB,
                "percent": float(40 + 53 * n % 57), "inodes_percent": 7.0,
            }
            for n, (mountpoint, name) in enumerate(zip(self.mountpoints, self.disks * 40))
        ]  # fmt: skip

    def _device(self, at: int) -> list[dict[str, Any]]:
        burst = self._strength(at)
        return [
            {
                "device": name, "lower": "", "is_counted": True,
                "read_bytes_per_second": 4e6 * self._wave(at, 700, n) / (n + 1),
                "write_bytes_per_second": (3e6 * self._wave(at, 1100, n) + 30e6 * burst) / (n + 1)
                + (SPIKE_BYTES_PER_SECOND if self._spike(at) and n == 0 else 0),
                "reads_per_second": 40.0, "writes_per_second": 90.0 + 200 * burst, "busy_percent": 4 + 30 * burst,
            }
            for n, name in enumerate(self.disks)
        ]  # fmt: skip

    def _sockets(self, at: int) -> dict[str, Any]:
        return {
            "used": 300.0, "tcp_established": 40 + 20 * self._wave(at, 900, 1), "tcp_time_wait": 12.0,
            "udp_in_use": 9.0,
            "tcp_retransmits_per_second": 2 * self._wave(at, 1300, 2), "tcp_errors_per_second": 0.0,
            "listen_drops_per_second": 0.0, "udp_errors_per_second": 0.0,
        }  # fmt: skip

    def _interface(self, at: int) -> list[dict[str, Any]]:
        burst = self._strength(at)
        return [
            {
                "interface": name, "is_up": True, "speed_mbps": 1000, "lower": "", "is_counted": name != "lo",
                "sent_bytes": at * 1000, "received_bytes": at * 9000,
                "sent_bytes_per_second": 400e3 * self._wave(at, 900, n) / (n + 1),
                "received_bytes_per_second": (1.2e6 * self._wave(at, 1300, n) + 9e6 * burst) / (n + 1)
                + 40e6 * self._spike(at),
                "sent_packets_per_second": 300.0, "received_packets_per_second": 900.0, "errors_per_second": 0.0,
                "drops_per_second": 0.0,
            }
            for n, name in enumerate(self.interfaces)
        ]  # fmt: skip

    def _processes(self, at: int) -> dict[str, Any]:
        return {"total": 212, "running": 2, "threads": 1480}

    def _store_processes(self, times: list[int]) -> None:
        born = self.end - self.booted + 60
        identities = [
            Process.objects.get_or_create(
                host=self.host, pid=pid, started_at=born, defaults={"name": name, "username": user, "command": command}
            )[0]
            for pid, name, user, command, _cpu, _memory in self.processes
        ]
        rows = [
            {"timestamp": at, "process": process, **values}
            for at in times
            for process, facts in zip(identities, self.processes, strict=True)
            if (values := self._process(at, facts))
        ]
        self._store(ProcessSample, rows)
        stored = ProcessSample._meta.get_field("cpu_percent").get_prep_value
        used: dict[int, dict[int, int]] = {at: {} for at in times}
        for row in rows:
            used[row["timestamp"]][row["process"].pk] = stored(row["cpu_percent"])
        ProcessTotals.keep_cpu_by_process(self.host.pk, RAW, used.items())

    def _process(self, at: int, facts: tuple[Any, ...]) -> dict[str, Any] | None:
        pid, _name, _user, _command, cpu, memory = facts
        if pid == PG_DUMP[0]:
            return self._dump(at, memory) if self._spike(at) else None
        burst = self._strength(at)
        if cpu == 0 and burst == 0:
            return None
        used = cpu * (0.5 + self._wave(at, 1000, pid)) if cpu else 66 * self.cores * burst
        return {
            "status": "running" if used > 100 else "sleeping", "cpu_percent": used, "rss_bytes": memory * 1024**2,
            "memory_percent": 100 * memory * 1024**2 / self.memory_bytes, "read_bytes_per_second": 0.0,
            "write_bytes_per_second": 0.0 if cpu else 30e6 * burst, "threads": 4,
        }  # fmt: skip

    def _dump(self, at: int, memory: int) -> dict[str, Any]:
        return {
            "status": "disk-sleep", "cpu_percent": 6.0, "rss_bytes": memory * 1024**2, "threads": 1,
            "memory_percent": 100 * memory * 1024**2 / self.memory_bytes, "read_bytes_per_second": 0.0,
            "write_bytes_per_second": SPIKE_BYTES_PER_SECOND,
        }  # fmt: skip


def _summed(model: type[Sample], values: dict[str, Any]) -> dict[str, Any]:
    """A roll-up's values: the means, and beside them the extremes."""
    numbers = [field for field in averaged_fields(model) if field.name in values]
    factors = {"min": 0.6, "max": 1.4}
    extremes = {
        f"{field.name}_{extreme}": _within(field, values[field.name] * factors[extreme])
        for field in numbers
        for extreme in field.extremes
    }
    lists = {f"{name}_max": value for name, value in values.items() if isinstance(value, list)}
    return {**values, **extremes, **lists}


def _within(field: Any, value: float) -> float:
    return min(value, 100.0) if field.unit == "percent" else value


def _rows(made: dict[str, Any] | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return made if isinstance(made, list) else [made]


__all__ = ["HOSTILE", "Machine"]
