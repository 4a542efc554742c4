"""Sockets: how many there are, and what TCP and UDP had to send again, refuse and drop."""

import os
import re
from collections.abc import Mapping
from functools import lru_cache

from metrics.collectors import linux
from metrics.collectors.base import Collector, NoData, Reading, Row
from metrics.collectors.omissions import Omissions

# What node_exporter shows of these files, by default.
_EXPORTED = re.compile(
    r".*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)"
    r"|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)"
    r"|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)"
    r"|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors)"
)
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_READ_TOO = {"Tcp_AttemptFails"}

_LINES = "the lines of /proc/net/snmp and netstat"

Counts = Mapping[str, int]


class SocketsCollector(Collector):
    """Kind `sockets`: one row, of this network namespace. Kinds `netstat` and `sockstat`, for exporters: one row each,
    under the kernel's words."""

    family = "sockets"

    def read(self) -> Reading:
        omissions = Omissions()
        counts = {
            **parse_pairs(linux.proc_text("net/snmp"), omissions),
            **parse_pairs(linux.proc_text("net/netstat"), omissions),
            **parse_snmp6(linux.proc_text("net/snmp6"), omissions),
        }
        states = {
            **parse_sockstat(linux.proc_text("net/sockstat"), omissions),
            **parse_sockstat(linux.proc_text("net/sockstat6"), omissions),
        }
        self.warning = str(omissions)
        if not (counts or states or self.warning):
            raise NoData("no /proc/net/snmp and no /proc/net/sockstat")
        exported: Row = {name: count for name, count in counts.items() if name not in _READ_TOO}
        return {"sockets": [sockets_row(counts, states)], "netstat": [exported], "sockstat": [{**states}]}


def parse_pairs(text: str, omissions: Omissions) -> dict[str, int]:
    """Parse /proc/net/snmp or /proc/net/netstat: pairs of a line of names and one of numbers. `Tcp: … InSegs` is
    `Tcp_InSegs`; of all only those are returned that are shown or stored."""
    counts: dict[str, int] = {}
    names = ""
    for line in filter(str.strip, text.splitlines()):
        if not names or _protocol(line) != _protocol(names):
            if names:
                omissions.add(_LINES, names)
            names = line
            continue
        values, places = line.split(), _places(names)
        if all(_is_count(values, place) for place in places.values()):
            counts |= {name: int(values[place]) for name, place in places.items()}
        else:
            omissions.add(_LINES, line)
        names = ""
    if names:
        omissions.add(_LINES, names)
    return counts


def _protocol(line: str) -> str:
    return line.partition(":")[0]


@lru_cache(maxsize=32)
def _places(line: str) -> dict[str, int]:
    """Where in the second line of a pair the numbers are that are wanted: the first one stays the same."""
    protocol, *names = line.split()
    found = ((f"{protocol.rstrip(':')}_{name}", place) for place, name in enumerate(names, 1))
    return {name: place for name, place in found if _is_wanted(name)}


def _is_wanted(name: str) -> bool:
    return name in _READ_TOO or _EXPORTED.fullmatch(name) is not None


def _is_count(values: list[str], place: int) -> bool:
    return place < len(values) and values[place].isdecimal()


def parse_snmp6(text: str, omissions: Omissions) -> dict[str, int]:
    """Parse /proc/net/snmp6: `Udp6InErrors 5` is `Udp6_InErrors`."""
    counts: dict[str, int] = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) != 2 or not fields[1].isdecimal():
            omissions.add("the lines of /proc/net/snmp6", line)
        elif name := _snmp6_name(fields[0]):
            counts[name] = int(fields[1])
    return counts


@lru_cache(maxsize=512)
def _snmp6_name(field: str) -> str:
    """The name of a field that is wanted, else ""."""
    protocol, six, field = field.partition("6")
    name = f"{protocol}{six}_{field}"
    return name if _is_wanted(name) else ""


def parse_sockstat(text: str, omissions: Omissions) -> dict[str, int]:
    """Parse /proc/net/sockstat or sockstat6: `TCP: inuse 5 mem 2` is `TCP_inuse`, `TCP_mem` (pages) and
    `TCP_mem_bytes`."""
    found: dict[str, int] = {}
    for states in omissions.parsed("the lines of /proc/net/sockstat", text.splitlines(), _sockstat_line):
        found |= states
    return found


def _sockstat_line(line: str) -> dict[str, int]:
    protocol, *words = line.split()
    if not protocol.endswith(":") or len(words) % 2 or not all(map(str.isdecimal, words[1::2])):
        raise ValueError(line)
    states: dict[str, int] = {}
    for state, count in zip(words[::2], map(int, words[1::2]), strict=True):
        states[f"{protocol[:-1]}_{state}"] = count
        if state == "mem":
            states[f"{protocol[:-1]}_mem_bytes"] = count * PAGE_BYTES
    return states


def sockets_row(counts: Counts, states: Counts) -> Row:
    """Return the sockets of both versions of IP together; TCP counts them together itself.

    InErrors has the datagrams that found no room in a buffer already, SndbufErrors those that could not be sent.
    """
    return {
        "used": states.get("sockets_used"),
        "tcp_established": counts.get("Tcp_CurrEstab"),
        "tcp_time_wait": states.get("TCP_tw"),
        "tcp_orphaned": states.get("TCP_orphan"),
        "tcp_memory_bytes": states.get("TCP_mem_bytes"),
        "tcp_opened": counts.get("Tcp_ActiveOpens"),
        "tcp_accepted": counts.get("Tcp_PassiveOpens"),
        "tcp_failed": counts.get("Tcp_AttemptFails"),
        "tcp_segments_sent": counts.get("Tcp_OutSegs"),
        "tcp_retransmits": counts.get("Tcp_RetransSegs"),
        "tcp_errors": counts.get("Tcp_InErrs"),
        "tcp_resets_sent": counts.get("Tcp_OutRsts"),
        "listen_drops": counts.get("TcpExt_ListenDrops"),
        "udp_in_use": _sum(states, "UDP_inuse", "UDP6_inuse"),
        "udp_received": _sum(counts, "Udp_InDatagrams", "Udp6_InDatagrams"),
        "udp_sent": _sum(counts, "Udp_OutDatagrams", "Udp6_OutDatagrams"),
        "udp_errors": _sum(counts, "Udp_InErrors", "Udp6_InErrors", "Udp_SndbufErrors", "Udp6_SndbufErrors"),
    }


def _sum(counts: Counts, *names: str) -> int | None:
    """Of what is known; a machine without IPv6 has no such counters."""
    known = [counts[name] for name in names if name in counts]
    return sum(known) if known else None
