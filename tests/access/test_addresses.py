"""Which names this machine answers to."""

import socket
from types import SimpleNamespace

import pytest
from django.http.request import validate_host

from metrics.access import addresses
from metrics.access.addresses import allowed_hosts, is_loopback

LOOPBACK = ["localhost", "LOCALHOST", "localhost.", "a.localhost", ".localhost", "127.0.0.1", "127.8.9.1", "127.1",
            "127.0.1", "0x7f.1", "2130706433", "[::1]", "::1", "0:0:0:0:0:0:0:1", "::1%lo", "::ffff:127.0.0.1",
            "[::ffff:7f00:1]", "::FFFF:127.0.0.2"]  # fmt: skip
OTHERS = ["", ".", "0.0.0.0", "0", "::", "example.org", "192.168.1.2", "localhost.example.org", "alocalhost", "128.1",
          "127.0.0.1.example.org", "::ffff:192.0.2.1", "unix:/run/sysmon.sock", "facade", "127.0.0.1 x"]  # fmt: skip


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_is_known(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", OTHERS)
def test_others_are_not_loopback(host):
    assert not is_loopback(host)


def test_a_loopback_address_allows_loopback_only():
    assert all(is_loopback(host) for host in allowed_hosts("127.0.0.1"))


def test_an_address_is_allowed_beside_loopback():
    assert allowed_hosts("192.168.1.2") == ["localhost", "127.0.0.1", "[::1]", "192.168.1.2"]


@pytest.mark.parametrize("wildcard", ["0.0.0.0", "::", "[::]"])
def test_a_wildcard_allows_this_machines_own_names_and_never_everything(wildcard):
    hosts = allowed_hosts(wildcard)
    assert "*" not in hosts
    assert "127.0.0.1" in hosts
    assert wildcard not in hosts


@pytest.fixture
def machine(monkeypatch):
    """One whose interfaces have the addresses that the test gives it, by family."""
    found = SimpleNamespace(addresses=[(socket.AF_INET, "192.168.1.50")], times_asked=0)

    def interfaces():
        found.times_asked += 1
        return {"eth0": [SimpleNamespace(family=family, address=address) for family, address in found.addresses]}

    monkeypatch.setattr(addresses.psutil, "net_if_addrs", interfaces)
    monkeypatch.setattr(addresses.socket, "gethostname", lambda: "RaspberryPi.home.example")
    return found


@pytest.mark.parametrize(
    "host", ["raspberrypi", "raspberrypi.local", "raspberrypi.home.example", "192.168.1.50", "[::1]", "localhost"]
)
def test_a_wildcard_answers_to_each_name_and_to_what_the_network_announces(machine, host):
    assert validate_host(host, allowed_hosts("0.0.0.0"))


@pytest.mark.parametrize(
    ("family", "address", "host"),
    [
        (socket.AF_INET, "192.168.1.77", "192.168.1.77"),
        (socket.AF_INET6, "2001:db8::7", "[2001:db8::7]"),
        (socket.AF_INET6, "fe80::1%eth0", "[fe80::1]"),
    ],
)
def test_an_address_that_came_later_is_answered_and_one_that_went_is_not(machine, family, address, host):
    hosts = allowed_hosts("::")
    assert not validate_host(host, hosts)
    machine.addresses.append((family, address))
    assert validate_host(host, hosts)
    machine.addresses.pop()
    assert not validate_host(host, hosts)


def test_addresses_are_looked_up_for_unknown_hosts_only(machine):
    hosts = allowed_hosts("0.0.0.0")
    machine.times_asked = 0
    assert validate_host("192.168.1.50", hosts)
    assert machine.times_asked == 0


def test_a_named_address_answers_to_no_other_that_comes_later(machine):
    hosts = allowed_hosts("192.168.1.50")
    machine.addresses.append((socket.AF_INET, "192.168.1.77"))
    assert not validate_host("192.168.1.77", hosts)


@pytest.mark.parametrize("host", ["raspberrypi.local.example.org", "evil.local", "192.168.1.7", "*", "example.org"])
def test_a_wildcard_answers_to_no_name_of_others(machine, host):
    assert not validate_host(host, allowed_hosts("0.0.0.0"))
