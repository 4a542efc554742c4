"""A host with one tick that holds everything an exporter can show, and what a scrape of it says."""

import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from metrics.collectors.diskstats import DiskLines, diskstats_row
from metrics.collectors.linux import parse_meminfo, parse_netdev, parse_vmstat, rare_counters
from metrics.collectors.sockets import sockets_row
from metrics.models import Host
from metrics.recording.recording import Recording
from tests.collectors.test_linux import DISKSTATS, MEMINFO, NETDEV
from tests.recording.fakes import Clock, ScriptedRunner, cpu_row, process_row, processes_reading

TICK = 1_795_367_400
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]

CORE = {"core": 0, "user_seconds": 7.5, "idle_seconds": 90.0, "iowait_seconds": None, "guest_seconds": 1.0}
CORE_CLOCK = {"core": 0, "frequency_hertz": 1200000000, "lowest_hertz": 408000000, "highest_hertz": 1800000000}
UNAME = {
    "sysname": "Linux", "release": "6.1.0", "version": "#1 SMP", "machine": "x86_64", "nodename": "web-1",
    "domainname": "(none)",
}  # fmt: skip
STATE = {
    "interface": "eth0", "operstate": "up", "is_operational": True, "address": "02:fc:00:00:00:01",
    "broadcast": "ff:ff:ff:ff:ff:ff", "ifalias": "", "duplex": "full", "mtu": 1500, "tx_queue_len": 1000,
    "carrier": 1, "carrier_changes": 2,
}  # fmt: skip
INTERFACE = {
    "interface": "eth0", "is_up": True, "speed_mbps": 1000, "sent_bytes": 10, "received_bytes": 20,
    "sent_packets": 1, "received_packets": 2, "errors": 3, "drops": 0,
    "errors_in": 2, "errors_out": 1, "drops_in": 0, "drops_out": 0, "lower": "", "is_counted": True,
}  # fmt: skip
MEMORY = {
    "total_bytes": 25276518400, "available_bytes": 20000000000, "used_bytes": 5000000000, "free_bytes": 18000000000,
    "percent": 20.9, "buffers_bytes": 100, "cached_bytes": 200, "swap_total_bytes": 0, "swap_used_bytes": 0,
    "swap_percent": 0.0, "swap_in_bytes": 4096, "swap_out_bytes": 8192, "pressure_some_seconds": 1.5,
    "pressure_full_seconds": 0.5,
}  # fmt: skip
DEVICE = {
    "device": "vda", "read_bytes": 4096, "write_bytes": 8192, "reads": 10, "writes": 20, "read_seconds": 1.5,
    "write_seconds": 2.5, "busy_seconds": 3.0, "lower": "", "is_counted": True,
}  # fmt: skip

SOCKETS_COUNTS = {"Tcp_CurrEstab": 7, "Tcp_RetransSegs": 9, "Tcp_OutSegs": 900, "Udp_InErrors": 6, "Udp6_InErrors": 1}
SOCKETS_STATES = {"sockets_used": 225, "TCP_tw": 128, "TCP_mem_bytes": 172032, "UDP_inuse": 3, "UDP6_inuse": 4}


def a_reading(mountpoint: str = "/") -> dict[str, dict[str, list[dict[str, Any]]]]:
    """A reading of every family, as Linux gives it."""
    place = {"device": "/dev/sda1", "mountpoint": mountpoint, "fstype": "ext4"}
    usage = {"total_bytes": 100, "used_bytes": 40, "free_bytes": 60, "percent": 40.0, "inodes_percent": 1.0}
    numbers = {"size_bytes": 100, "free_bytes": 65, "available_bytes": 60, "files": 50, "files_free": 49}
    reading = {
        "cpu": {
            "cpu": [cpu_row(5, 100, pressure_some_seconds=2.25)], "core": [CORE], "core_clock": [CORE_CLOCK],
            "uname": [UNAME],
            "stat": [{"forks": 11, "procs_running": 2, "procs_blocked": 1}],
            "file_handles": [{"allocated": 1313, "maximum": 2466190}],
        },
        "disk": {
            "disk": [{"pressure_some_seconds": 3.0, "pressure_full_seconds": 2.0}],
            "device": [DEVICE], "diskstats": [diskstats_row("vda", DiskLines(DISKSTATS).stat("vda"))],
            "partition": [{**place, **usage}],
            "filesystem": [{**place, "is_read_only": False, "has_error": False, **numbers}],
        },
        "memory": {
            "memory": [MEMORY], "meminfo": [parse_meminfo(MEMINFO)], "vmstat": [parse_vmstat("pswpin 7\npgfault 9\n")],
        },
        "sockets": {
            "sockets": [sockets_row(SOCKETS_COUNTS, SOCKETS_STATES)], "netstat": [SOCKETS_COUNTS],
            "sockstat": [SOCKETS_STATES],
        },
        "network": {"interface": [INTERFACE], "link": [{**STATE, **rare_counters(parse_netdev(NETDEV)["eth0"])}]},
        "processes": processes_reading(process_row(1, name="secret-name"), process_row(2)),
    }  # fmt: skip
    return deepcopy(reading)


@pytest.fixture
def record(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Host]:
    """Records one tick of a reading under the name of this machine; it is that time still."""
    monkeypatch.setattr(time, "time", lambda: TICK + 0.25)

    def one_tick(**families: Any) -> Host:
        host = Host.objects.create(
            name="test-host", boot_id="b", booted_at=TICK - 1000, kernel="6.1.0", architecture="x86_64",
            os_name="Debian GNU/Linux 12 (bookworm)",
        )  # fmt: skip
        host.refresh_from_db()
        clock = Clock(100.0)
        runners = [ScriptedRunner(family, [reading], clock) for family, reading in families.items()]
        Recording(host, 5, runners).tick(TICK)
        return host

    return one_tick


@pytest.fixture
def scrape(api: Client) -> Callable[[], Series]:
    """What `/metrics` says: (name, labels) -> value."""

    def scraped() -> Series:
        answer = api.get("/metrics")
        assert answer.status_code == 200
        families = text_string_to_metric_families(answer.content.decode())
        return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}

    return scraped
