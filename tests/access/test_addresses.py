"""Which names this machine answers to."""

import pytest

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
