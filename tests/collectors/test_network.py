import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import psutil
import pytest

from metrics.collectors import interface_links, linux
from metrics.collectors.base import NoData
from metrics.collectors.interface_links import Link
from metrics.collectors.interface_states import InterfaceState, InterfaceStates
from metrics.collectors.network import NetworkCollector

Counters = namedtuple("Counters", "bytes_sent bytes_recv packets_sent packets_recv errin errout dropin dropout")
Address = namedtuple("Address", "address")
State = namedtuple("State", "isup duplex speed mtu flags")

HEAD = "Inter-|   Receive | Transmit\n face |bytes packets |bytes packets\n"
ETH0 = "  eth0: 200 4 5 7 0 0 0 0 100 3 6 8 0 0 0 0\n"
LO = "    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
ROW = {
    "interface": "eth0",
    "is_up": True,
    "speed_mbps": 1000,
    "lower": "",
    "is_counted": True,
    "sent_bytes": 100,
    "received_bytes": 200,
    "sent_packets": 3,
    "received_packets": 4,
    "errors": 11,
    "drops": 15,
    "errors_in": 5,
    "errors_out": 6,
    "drops_in": 7,
    "drops_out": 8,
}


class FrozenMachine:
    """Linux with a /proc/net/dev of its own."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.states = {b"eth0": InterfaceState(True, 1000), b"lo": InterfaceState(True, None)}
        self.file = directory / "net/dev"
        self.file.parent.mkdir()
        monkeypatch.setattr(psutil, "LINUX", True)
        monkeypatch.setattr(linux, "PROC", directory)
        monkeypatch.setattr(linux, "INTERFACES", directory / "class")
        self.links = {b"eth0": Link(has_hardware=True), b"lo": Link(is_loopback=True)}
        monkeypatch.setattr(interface_links, "netlink_links", lambda: dict(self.links))
        monkeypatch.setattr(InterfaceStates, "of", lambda _self, names: [self.states.get(name) for name in names])
        self.has(ETH0, LO)

    def has(self, *lines: str | bytes) -> None:
        self.file.write_bytes(
            HEAD.encode() + b"".join(line if isinstance(line, bytes) else line.encode() for line in lines)
        )


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FrozenMachine:
    return FrozenMachine(tmp_path, monkeypatch)


def read() -> dict[str, dict[str, Any]]:
    return {str(row["interface"]): row for row in NetworkCollector().read()["interface"]}


def warning() -> str:
    collector = NetworkCollector()
    collector.read()
    return collector.warning


def test_an_interface_has_its_counters(machine: FrozenMachine) -> None:
    assert read()["eth0"] == ROW
    assert warning() == ""


def test_an_interface_that_just_went_away_keeps_its_row(machine: FrozenMachine) -> None:
    del machine.states[b"eth0"]
    assert (read()["eth0"]["is_up"], read()["eth0"]["speed_mbps"]) == (None, None)
    assert read()["eth0"]["sent_bytes"] == 100


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"et\xff0", "et\\xff0"),
        ("bü".encode(), "bü"),
        ("한글".encode(), "한글"),
        (b"a\x1cb", "a\x1cb"),
        ("a\u2028b".encode(), "a\u2028b"),
        (b"\x1b[2J", "\x1b[2J"),
        (b"b\xe9b\xe9", "b\\xe9b\\xe9"),
        (b"eth0@if5", "eth0@if5"),
        (b"<img>", "<img>"),
    ],
)
def test_any_name_is_a_name(machine: FrozenMachine, name: bytes, shown: str) -> None:
    machine.states[name] = InterfaceState(False, 10)
    machine.has(LO, name + b": 9 0 0 0 0 0 0 0 8 0 0 0 0 0 0 0\n")
    reading = NetworkCollector().read()
    assert [row["interface"] for row in reading["interface"]] == ["lo", shown]
    assert [row["interface"] for row in reading["link"]] == ["lo", shown]
    assert (read()[shown]["received_bytes"], read()[shown]["is_up"], read()[shown]["speed_mbps"]) == (9, False, 10)


@pytest.mark.parametrize("line", ["eth1: 1 2 3", "eth1:", "eth1", "eth1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 -1"])
def test_a_line_that_is_cut_or_odd_costs_itself_and_is_named(machine: FrozenMachine, line: str) -> None:
    machine.has(ETH0, "\n", f"{line}\n", LO)
    assert list(read()) == ["eth0", "lo"]
    assert warning() == f"left out 1 of the lines of /proc/net/dev ({line!r})"


def test_a_name_that_spells_out_the_odd_byte_of_another_does_not_take_its_place(machine: FrozenMachine) -> None:
    counters = b": 9 0 0 0 0 0 0 0 8 0 0 0 0 0 0 0\n"
    machine.has(b"v\xff" + counters, b"v\\xff" + counters, LO)
    assert list(read()) == ["v\\xff", "lo"]
    assert warning() == "left out 1 of the interfaces, for another's name ('v\\\\xff')"


@pytest.mark.parametrize("lines", [[], ["eth0: 1\n"]])
def test_a_machine_without_interfaces_has_no_data(machine: FrozenMachine, lines: list[str]) -> None:
    machine.has(*lines)
    with pytest.raises(NoData, match="/proc/net/dev" if lines else "no network interface"):
        NetworkCollector().read()


class Elsewhere:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.counters = {"eth0": Counters(100, 200, 3, 4, 5, 6, 7, 8), "lo": Counters(1, 1, 1, 1, 0, 0, 0, 0)}
        self.states = {"eth0": State(True, 2, 1000, 1500, "up"), "lo": State(True, 0, 0, 65536, "up")}
        monkeypatch.setattr(psutil, "LINUX", False)
        monkeypatch.setattr(psutil, "net_io_counters", self._counters)
        monkeypatch.setattr(psutil, "net_if_stats", lambda: self.states)
        addresses = {"eth0": [Address("10.0.0.2"), Address("fe80::1")], "lo": [Address("127.0.0.1"), Address("::1")]}
        monkeypatch.setattr(psutil, "net_if_addrs", lambda: addresses)

    def _counters(self, pernic: bool, nowrap: bool) -> dict[str, Counters]:
        assert pernic
        assert not nowrap
        return self.counters


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    return Elsewhere(monkeypatch)


def test_elsewhere_psutil_is_asked(elsewhere: Elsewhere) -> None:
    assert read()["eth0"] == {**ROW, "lower": None, "is_counted": None}


def test_elsewhere_only_loopback_is_known_not_to_count(elsewhere: Elsewhere) -> None:
    assert {name: row["is_counted"] for name, row in read().items()} == {"eth0": None, "lo": False}


def test_a_speed_of_0_is_one_that_is_not_known(elsewhere: Elsewhere) -> None:
    assert read()["lo"]["speed_mbps"] is None


def test_an_interface_that_is_down_says_so(elsewhere: Elsewhere) -> None:
    elsewhere.states["eth0"] = State(False, 0, 0, 1500, "")
    assert read()["eth0"]["is_up"] is False


def test_states_that_cannot_be_read_cost_only_themselves(elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise PermissionError

    monkeypatch.setattr(psutil, "net_if_stats", refuse)
    assert (read()["lo"]["is_up"], read()["lo"]["is_counted"]) == (None, None)


def test_elsewhere_odd_bytes_in_a_name_become_valid_text(elsewhere: Elsewhere) -> None:
    name = b"v\xff0".decode("utf-8", "surrogateescape")
    elsewhere.counters = {name: elsewhere.counters["lo"]}
    assert list(read()) == ["v\\xff0"]


@pytest.mark.skipif(not psutil.LINUX, reason="the kernel is asked on Linux only")
class TestStates:
    def test_of_this_machine_psutil_says_the_same(self) -> None:
        theirs = psutil.net_if_stats()
        states = InterfaceStates().of([name.encode() for name in theirs])
        expected = [InterfaceState(state.isup, state.speed or None) for state in theirs.values()]
        assert states == expected

    def test_an_interface_that_is_not_there_has_none(self) -> None:
        assert InterfaceStates().of([b"nowhere0", b"lo"])[0] is None

    def test_a_sandbox_that_refuses_costs_the_states_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import socket

        def refuse(*arguments: object) -> None:
            raise PermissionError

        monkeypatch.setattr(socket, "socket", refuse)
        assert InterfaceStates().of([b"lo"]) == [None]

    def test_the_speed_is_asked_again_when_the_state_changes_or_after_a_minute(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[bytes] = []
        running = {b"eth0": True}
        monkeypatch.setattr(InterfaceStates, "_is_running", lambda _self, name: running[name])
        monkeypatch.setattr(InterfaceStates, "_speed_mbps", lambda _self, name: asked.append(name) or 1000)
        states = InterfaceStates()
        for _tick in range(3):
            states.of([b"eth0"])
        assert len(asked) == 1
        running[b"eth0"] = False
        states.of([b"eth0"])
        assert len(asked) == 2
        monkeypatch.setattr("metrics.collectors.interface_states.SPEED_LASTS_SECONDS", 0.0)
        states.of([b"eth0"])
        assert len(asked) == 3


@pytest.mark.skipif(not psutil.LINUX, reason="interfaces are made with Linux' ip")
def test_real_interfaces_with_odd_names_are_read() -> None:
    """In a network namespace of its own, whose /sys is still that of another."""
    program = (
        "from metrics.collectors.network import NetworkCollector;"
        "print(ascii([(row['interface'], row['is_up']) for row in NetworkCollector().read()['interface']]))"
    )
    make = (
        "ip link add name \"$(printf 'b\\351b')\" type bridge && ip link add name \"$(printf 'a\\034b')\" type bridge"
    )
    command = ["unshare", "-n", "sh", "-c", f'{make} || exit 77; exec "$0" -c "$1"', sys.executable, program]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"no interface can be made here: {done.stderr.strip()}")
    assert done.stdout.strip() == ascii([("lo", False), ("b\\xe9b", False), ("a\x1cb", False)]), done.stderr


def test_this_machine_has_the_interfaces_that_psutil_names() -> None:
    assert set(read()) == set(psutil.net_io_counters(pernic=True))
