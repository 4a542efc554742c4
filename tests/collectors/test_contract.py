"""What every collector promises, whichever family it reads."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from metrics.collectors.base import Collector, NoData, Reading, Row, collectors

KEYS = {
    "cpu": """user_seconds system_seconds idle_seconds iowait_seconds steal_seconds busy_seconds total_seconds
        core_busy_seconds core_total_seconds load_1 load_5 load_15 frequency_mhz context_switches interrupts
        pressure_some_seconds cores""",
    "memory": """total_bytes available_bytes used_bytes free_bytes percent buffers_bytes cached_bytes zfs_arc_bytes
        swap_total_bytes swap_used_bytes swap_percent swap_in_bytes swap_out_bytes
        pressure_some_seconds pressure_full_seconds""",
    "disk": "pressure_some_seconds pressure_full_seconds",
    "partition": "device mountpoint fstype total_bytes used_bytes free_bytes percent inodes_percent",
    "device": """device name lower is_counted read_bytes write_bytes reads writes read_seconds write_seconds
        busy_seconds""",
    "interface": """interface is_up speed_mbps lower is_counted sent_bytes received_bytes sent_packets received_packets
        errors drops errors_in errors_out drops_in drops_out""",
    "sockets": """used tcp_established tcp_time_wait tcp_orphaned tcp_memory_bytes tcp_opened tcp_accepted tcp_failed
        tcp_segments_sent tcp_retransmits tcp_errors tcp_resets_sent listen_drops udp_in_use udp_received udp_sent
        udp_errors""",
    "processes": "total running threads",
    "process": """pid start_seconds name username command status parent_pid cpu_seconds children_cpu_seconds
        memory_percent rss_bytes threads read_bytes write_bytes""",
}
IDENTITIES = {
    "core": ("core",),
    "core_clock": ("core",),
    "partition": ("device", "mountpoint"),
    "device": ("device",),
    "interface": ("interface",),
    "process": ("pid", "start_seconds"),
}
# Idle and iowait are left out: the kernel itself takes some back now and then.
COUNTERS = {
    "cpu": "user_seconds system_seconds busy_seconds context_switches interrupts pressure_some_seconds",
    "memory": "swap_in_bytes swap_out_bytes pressure_some_seconds pressure_full_seconds",
    "disk": "pressure_some_seconds pressure_full_seconds",
    "device": "read_bytes write_bytes reads writes read_seconds write_seconds busy_seconds",
    "interface": "sent_bytes received_bytes sent_packets received_packets errors drops",
    "sockets": """tcp_opened tcp_accepted tcp_failed tcp_segments_sent tcp_retransmits tcp_errors tcp_resets_sent
        listen_drops udp_received udp_sent udp_errors""",
    "process": "cpu_seconds children_cpu_seconds read_bytes write_bytes",
}

Readings = tuple[Reading, Reading]


def read_twice(collector: type[Collector]) -> Readings:
    instance = collector()
    try:
        return instance.read(), instance.read()
    except NoData as reason:
        pytest.skip(f"this machine has no data for {collector.family}: {reason}")


@pytest.fixture(scope="module", params=sorted(collectors()))
def readings(request: pytest.FixtureRequest) -> Iterator[Readings]:
    return read_twice(collectors()[request.param])


def test_a_reading_is_json(readings: Readings) -> None:
    text = json.dumps(readings[0], allow_nan=False)
    assert json.loads(text) == readings[0]
    text.encode("utf-8")
    json.dumps(readings[0], ensure_ascii=False).encode("utf-8")


def test_every_row_of_a_kind_has_the_same_keys(readings: Readings) -> None:
    for reading in readings:
        for kind, rows in reading.items():
            assert {tuple(row) for row in rows} <= {tuple(row) for row in rows[:1]}, kind


def test_no_key_is_missing_and_none_is_unknown(readings: Readings) -> None:
    for kind, rows in readings[0].items():
        if kind in KEYS:
            assert all(set(row) == set(KEYS[kind].split()) for row in rows), kind


def test_values_are_flat(readings: Readings) -> None:
    for rows in readings[0].values():
        for row in rows:
            for name, value in row.items():
                assert value is None or isinstance(value, int | float | str | bool | list), name


def test_no_two_rows_of_a_kind_are_the_same_thing(readings: Readings) -> None:
    for kind, names in IDENTITIES.items():
        identities = [identity(row, names) for row in readings[0].get(kind, [])]
        assert len(identities) == len(set(identities)), kind


def test_counters_do_not_fall(readings: Readings) -> None:
    for kind, names in COUNTERS.items():
        before = {identity(row, IDENTITIES.get(kind, ())): row for row in readings[0].get(kind, [])}
        for row in readings[1].get(kind, []):
            last = before.get(identity(row, IDENTITIES.get(kind, ())))
            if last:
                assert_not_below(row, last, names.split())


def identity(row: Row, names: tuple[str, ...]) -> tuple[object, ...]:
    return tuple(row[name] for name in names)


def assert_not_below(row: Row, last: Row, names: list[str]) -> None:
    for name in names:
        now, then = row[name], last[name]
        assert (now is None) == (then is None), name
        if isinstance(now, int | float) and isinstance(then, int | float):
            assert now >= then, name


def test_collectors_know_no_django() -> None:
    program = (
        "import sys; from metrics.collectors.base import collectors; collectors();"
        "sys.exit(any(name.partition('.')[0] == 'django' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
