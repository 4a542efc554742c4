"""Network: what each interface sent and received since it came up."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import psutil

from metrics.collectors import linux
from metrics.collectors.base import Collector, NoData, Reading, Row
from metrics.collectors.exclusions import Exclusion
from metrics.collectors.interface_links import UNKNOWN, InterfaceLinks, Standing
from metrics.collectors.interface_states import InterfaceState, InterfaceStates
from metrics.collectors.omissions import Omissions
from metrics.collectors.text import raw_name, valid_text

NO_INTERFACE = "no network interface"


class Traffic(NamedTuple):
    """What an interface counted, as psutil names it."""

    bytes_sent: int
    bytes_recv: int
    packets_sent: int
    packets_recv: int
    errin: int
    errout: int
    dropin: int
    dropout: int


class NetworkCollector(Collector):
    """Kind `interface`: one row an interface, loopback and virtual ones too. Kind `link`, for exporters: on Linux."""

    family = "network"

    def __init__(self) -> None:
        self._links = linux.Links()
        self._stacked = InterfaceLinks()
        self._states = InterfaceStates() if psutil.LINUX else None
        self._exclusion = Exclusion("interfaces")

    def set_up(self, settings: Mapping[str, str]) -> None:
        self._exclusion.set_up(settings)

    def read(self) -> Reading:
        self._exclusion.begin()
        reading = self._read_linux(self._states) if self._states else _read_psutil(self._exclusion)
        self.excluded = self._exclusion.names()
        if not reading["interface"]:
            raise NoData(self.warning or ("every network interface is excluded" if self.excluded else NO_INTERFACE))
        return reading

    def _read_linux(self, states: InterfaceStates) -> Reading:
        """From the kernel's files: psutil loses all interfaces where a name is not UTF-8, or a line is cut."""
        omissions = Omissions()
        text = linux.proc_text("net/dev", errors="surrogateescape")
        counters = _distinct(linux.parse_netdev(text, omissions), omissions)
        counters = {name: line for name, line in counters.items() if not self._exclusion.leaves_out(valid_text(name))}
        names = [raw_name(name) for name in counters]
        found = zip(counters.items(), states.of(names), self._stacked.of(names), strict=True)
        rows = [interface_row(name, _traffic(line), state, standing) for (name, line), state, standing in found]
        self.warning = str(omissions)
        return {"interface": rows, "link": self._links.rows(counters)}


def _distinct(counters: Mapping[str, list[int]], omissions: Omissions) -> dict[str, list[int]]:
    """One of each shown name: a name may spell out what stands for an odd byte of another."""
    shown: dict[str, str] = {}
    for name in counters:
        if shown.setdefault(valid_text(name), name) != name:
            omissions.add("the interfaces, for another's name", valid_text(name))
    return {name: counters[name] for name in shown.values()}


def _traffic(numbers: list[int]) -> Traffic:
    """From the columns of /proc/net/dev: eight of what was received, then eight of what was sent."""
    received, sent = numbers[:8], numbers[8:]
    return Traffic(sent[0], received[0], sent[1], received[1], received[2], sent[2], received[3], sent[3])


def _read_psutil(exclusion: Exclusion) -> Reading:
    # psutil's nowrap keeps state in the process: two recorders would count differently.
    counters = psutil.net_io_counters(pernic=True, nowrap=False)
    try:
        states = psutil.net_if_stats()
        addresses = psutil.net_if_addrs()
    except OSError:  # a sandbox that refuses to tell
        states, addresses = {}, {}
    found = {name: InterfaceState(bool(state.isup), state.speed or None) for name, state in states.items()}
    rows = [
        interface_row(name, Traffic(*traffic), found.get(name), _psutil_standing(addresses.get(name, ())))
        for name, traffic in counters.items()
        if not exclusion.leaves_out(valid_text(name))
    ]
    return {"interface": rows, "link": []}


def _psutil_standing(addresses: Iterable[Any]) -> Standing:
    """Which stands on which psutil does not tell, but loopback has an address that says so."""
    is_loopback = any(one.address == "::1" or one.address.startswith("127.") for one in addresses)
    return Standing(None, False) if is_loopback else UNKNOWN


def interface_row(name: str, traffic: Traffic, state: InterfaceState | None, standing: Standing) -> Row:
    """Return one interface; `state` is None for one of which only counters are known."""
    return {
        "interface": valid_text(name),
        "is_up": state and state.is_up,
        "speed_mbps": state and state.speed_mbps,
        "lower": standing.lower,
        "is_counted": standing.is_counted,
        "sent_bytes": traffic.bytes_sent,
        "received_bytes": traffic.bytes_recv,
        "sent_packets": traffic.packets_sent,
        "received_packets": traffic.packets_recv,
        "errors": traffic.errin + traffic.errout,
        "drops": traffic.dropin + traffic.dropout,
        "errors_in": traffic.errin,
        "errors_out": traffic.errout,
        "drops_in": traffic.dropin,
        "drops_out": traffic.dropout,
    }
