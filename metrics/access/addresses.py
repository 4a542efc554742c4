"""Addresses: whether they mean this machine, who is one sender, and which host names this machine answers to."""

import ipaddress
import re
import socket
from collections.abc import Iterator

import psutil

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
# Whoever has one address of IPv6 has all of its network.
NETWORK_BITS = {4: 32, 6: 64}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_loopback(host: str) -> bool:
    """Whether a host name or address, without a port, can only mean this machine itself, in whatever spelling."""
    bare = host.strip("[]").lower().removesuffix(".")
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    address = parse_address(bare) or _short_address(bare)
    return address is not None and address.is_loopback


def parse_address(text: str) -> Address | None:
    """The address that a text is, None where it is none; an IPv4 address in IPv6's clothes is one of IPv4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def parse_networks(text: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Addresses and networks joined by commas; a ValueError says what is wrong."""
    try:
        return [ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip()]
    except ValueError:
        raise ValueError("must be addresses or networks joined by commas, such as 10.0.0.1,192.168.0.0/16") from None


def network_of(sender: str) -> str:
    """What counts as one sender: an address of IPv4, a network of IPv6. What is neither is cut to a sane length."""
    address = parse_address(sender)
    if address is None:
        return sender[:64]
    return str(ipaddress.ip_network((address, NETWORK_BITS[address.version]), strict=False))


def _short_address(text: str) -> Address | None:
    """What resolvers and browsers take for an address of IPv4 too, such as 127.1 and 0x7f000001."""
    if not re.fullmatch(r"[0-9a-fx.]+", text):
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(text))
    except OSError:
        return None


class OwnHosts(list[str]):
    """The hosts of a start, and behind them whatever address the machine has by now, such as one that DHCP gave it
    later. Those are looked up only for a host that is none of the others."""

    def __iter__(self) -> Iterator[str]:
        yield from super().__iter__()
        yield from map(_as_host, _own_addresses())


def allowed_hosts(bind_address: str) -> list[str]:
    """Loopback always; for a wildcard address also this machine's own names and addresses; never `*`."""
    if not _is_wildcard(bind_address):
        return list(dict.fromkeys([*LOOPBACK_HOSTS, _as_host(bind_address)]))
    own = [*_own_names(), *_own_addresses()]
    return OwnHosts(dict.fromkeys([*LOOPBACK_HOSTS, *map(_as_host, own)]))


def _is_wildcard(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.strip("[]")).is_unspecified
    except ValueError:
        return False


def _own_names() -> Iterator[str]:
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    yield from (name, short)
    # As Avahi and Bonjour announce it.
    yield f"{short}.local"


def _own_addresses() -> Iterator[str]:
    for addresses in psutil.net_if_addrs().values():
        for address in addresses:
            if address.family in {socket.AF_INET, socket.AF_INET6}:
                yield address.address.partition("%")[0]


def _as_host(name: str) -> str:
    return f"[{name}]" if ":" in name and not name.startswith("[") else name
