"""Network: what each interface sent and received since it came up."""

from typing import Any

import psutil

from metrics.collectors import linux
from metrics.collectors.base import Collector, NoData, Reading, Row
from metrics.collectors.text import valid_text


class NetworkCollector(Collector):
    """Kind `interface`: one row an interface, loopback and virtual ones too. Kind `link`, for exporters: on Linux."""

    family = "network"

    def __init__(self) -> None:
        self._links = linux.Links()

    def read(self) -> Reading:
        # psutil's nowrap keeps state in the process: two recorders would count differently.
        counters = psutil.net_io_counters(pernic=True, nowrap=False)
        if not counters:
            raise NoData("no network interface")
        states = _interface_states()
        rows = [interface_row(name, counters[name], states.get(name)) for name in counters]
        return {"interface": rows, "link": self._links.rows(list(counters))}


def _interface_states() -> dict[str, Any]:
    try:
        return dict(psutil.net_if_stats())
    except OSError:  # a sandbox that refuses the ioctl
        return {}


def interface_row(name: str, counters: Any, state: Any | None) -> Row:
    """Return one interface; `state` is None for one of which psutil has counters only."""
    return {
        "interface": valid_text(name),
        "is_up": None if state is None else bool(state.isup),
        # psutil says 0 where the driver does not tell.
        "speed_mbps": (state.speed or None) if state else None,
        "sent_bytes": counters.bytes_sent,
        "received_bytes": counters.bytes_recv,
        "sent_packets": counters.packets_sent,
        "received_packets": counters.packets_recv,
        "errors": counters.errin + counters.errout,
        "drops": counters.dropin + counters.dropout,
        "errors_in": counters.errin,
        "errors_out": counters.errout,
        "drops_in": counters.dropin,
        "drops_out": counters.dropout,
    }
