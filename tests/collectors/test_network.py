from collections import namedtuple
from typing import Any

import psutil
import pytest

from metrics.collectors.base import NoData
from metrics.collectors.network import NetworkCollector

Counters = namedtuple("Counters", "bytes_sent bytes_recv packets_sent packets_recv errin errout dropin dropout")
State = namedtuple("State", "isup duplex speed mtu flags")


class FrozenMachine:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.counters = {"eth0": Counters(100, 200, 3, 4, 5, 6, 7, 8), "lo": Counters(1, 1, 1, 1, 0, 0, 0, 0)}
        self.states = {"eth0": State(True, 2, 1000, 1500, "up"), "lo": State(True, 0, 0, 65536, "up")}
        monkeypatch.setattr(psutil, "net_io_counters", self._counters)
        monkeypatch.setattr(psutil, "net_if_stats", lambda: self.states)

    def _counters(self, pernic: bool, nowrap: bool) -> dict[str, Counters]:
        assert pernic
        assert not nowrap
        return self.counters


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> FrozenMachine:
    return FrozenMachine(monkeypatch)


def read() -> dict[str, dict[str, Any]]:
    return {str(row["interface"]): row for row in NetworkCollector().read()["interface"]}


def test_an_interface_has_its_counters(machine: FrozenMachine) -> None:
    assert read()["eth0"] == {
        "interface": "eth0",
        "is_up": True,
        "speed_mbps": 1000,
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


def test_a_speed_of_0_is_one_that_is_not_known(machine: FrozenMachine) -> None:
    assert read()["lo"]["speed_mbps"] is None


def test_an_interface_that_is_down_says_so(machine: FrozenMachine) -> None:
    machine.states["eth0"] = State(False, 0, 0, 1500, "")
    assert read()["eth0"]["is_up"] is False


def test_an_interface_that_just_went_away_keeps_its_row(machine: FrozenMachine) -> None:
    del machine.states["eth0"]
    assert (read()["eth0"]["is_up"], read()["eth0"]["speed_mbps"]) == (None, None)
    assert read()["eth0"]["sent_bytes"] == 100


def test_states_that_cannot_be_read_cost_only_themselves(
    machine: FrozenMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise PermissionError

    monkeypatch.setattr(psutil, "net_if_stats", refuse)
    assert read()["lo"]["is_up"] is None


def test_odd_bytes_in_a_name_become_valid_text(machine: FrozenMachine) -> None:
    name = b"v\xff0".decode("utf-8", "surrogateescape")
    machine.counters = {name: machine.counters["lo"]}
    assert list(read()) == ["v\\xff0"]


def test_a_machine_without_interfaces_has_no_data(machine: FrozenMachine) -> None:
    machine.counters = {}
    with pytest.raises(NoData):
        NetworkCollector().read()


def test_this_machine_has_the_interfaces_that_psutil_names() -> None:
    assert set(read()) == set(psutil.net_io_counters(pernic=True))
