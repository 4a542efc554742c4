"""Which host names this machine answers to, from the address that the web server listens on."""

import ipaddress
import socket
from collections.abc import Iterable

import psutil

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine itself."""
    bare = host.strip("[]")
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def allowed_hosts(bind_address: str) -> list[str]:
    """Loopback always; for a wildcard address also this machine's own names and addresses; never `*`."""
    own = _own_names() if _is_wildcard(bind_address) else [bind_address]
    return list(dict.fromkeys([*LOOPBACK_HOSTS, *map(_as_host, own)]))


def _is_wildcard(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.strip("[]")).is_unspecified
    except ValueError:
        return False


def _own_names() -> Iterable[str]:
    name = socket.gethostname()
    yield name.lower()
    yield name.lower().partition(".")[0]
    for addresses in psutil.net_if_addrs().values():
        for address in addresses:
            if address.family in {socket.AF_INET, socket.AF_INET6}:
                yield address.address.partition("%")[0]


def _as_host(name: str) -> str:
    return f"[{name}]" if ":" in name and not name.startswith("[") else name
