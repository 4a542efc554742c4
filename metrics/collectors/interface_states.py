"""Whether interfaces are up, and how fast: asked of the kernel by name as bytes, since a name need not be text.

Not from /sys, which may show the interfaces of another network namespace.
"""

import array
import socket
import struct
import time
from collections.abc import Iterable
from typing import NamedTuple

# linux/sockios.h, linux/if.h, linux/ethtool.h
SIOCGIFFLAGS, SIOCETHTOOL, ETHTOOL_GSET = 0x8913, 0x8946, 0x00000001
IFF_RUNNING = 0x40
NAME_BYTES, IFREQ_BYTES = 16, 40
ETHTOOL_CMD_BYTES, SPEED_AT, SPEED_HIGH_AT = 44, 12, 28
UNKNOWN_SPEEDS = frozenset({0, 0xFFFF, 0xFFFFFFFF})
# Some drivers ask the hardware for it; it is asked again when the state changes, and after this time.
SPEED_LASTS_SECONDS = 60.0


class InterfaceState(NamedTuple):
    """`speed_mbps` is None where the driver does not tell."""

    is_up: bool
    speed_mbps: int | None


class InterfaceStates:
    """The states of this network namespace's interfaces."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._known: dict[bytes, tuple[InterfaceState, float]] = {}

    def of(self, names: Iterable[bytes]) -> list[InterfaceState | None]:
        """The state of each; None for one that is gone, and for all where a sandbox refuses to tell."""
        before, self._known = self._known, {}
        return [self._state(name, before.get(name)) for name in names]

    def _state(self, name: bytes, known: tuple[InterfaceState, float] | None) -> InterfaceState | None:
        try:
            is_up = self._is_running(name)
        except OSError:
            return None
        now = time.monotonic()
        if known is None or known[0].is_up != is_up or now - known[1] >= SPEED_LASTS_SECONDS:
            known = InterfaceState(is_up, self._speed_mbps(name)), now
        self._known[name] = known
        return known[0]

    def _is_running(self, name: bytes) -> bool:
        answer = self._ask(SIOCGIFFLAGS, struct.pack(f"{IFREQ_BYTES}s", name[: NAME_BYTES - 1]))
        (flags,) = struct.unpack_from("H", answer, NAME_BYTES)
        return bool(flags & IFF_RUNNING)

    def _speed_mbps(self, name: bytes) -> int | None:
        command = array.array("B", struct.pack(f"I{ETHTOOL_CMD_BYTES - 4}x", ETHTOOL_GSET))
        try:
            self._ask(SIOCETHTOOL, struct.pack(f"{NAME_BYTES}sP16x", name, command.buffer_info()[0]))
        except OSError:
            return None
        speed = struct.unpack_from("H", command, SPEED_AT)[0] | struct.unpack_from("H", command, SPEED_HIGH_AT)[0] << 16
        return None if speed in UNKNOWN_SPEEDS else speed

    def _ask(self, request: int, argument: bytes) -> bytes:
        import fcntl  # not there on Windows

        if self._socket is None:
            # Any kind of socket will do; this one is there without any network protocol.
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        return fcntl.ioctl(self._socket.fileno(), request, argument)
