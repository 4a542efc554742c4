"""Sockets, TCP and UDP: files like those of /proc/net, odd ones too."""

import os

import pytest

from metrics.collectors import linux
from metrics.collectors.base import NoData
from metrics.collectors.omissions import Omissions
from metrics.collectors.sockets import SocketsCollector, parse_pairs, parse_snmp6, parse_sockstat

SNMP = """\
Ip: Forwarding DefaultTTL InReceives
Ip: 2 64 9
Icmp: InMsgs InErrors OutMsgs
Icmp: 4 1 3
Tcp: RtoAlgorithm MaxConn ActiveOpens PassiveOpens AttemptFails CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts
Tcp: 1 -1 10 20 3 7 1000 900 9 2 5
Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors
Udp: 100 1 6 80 4 2
"""
NETSTAT = """\
TcpExt: SyncookiesSent TW ListenOverflows ListenDrops TCPTimeouts TCPSynRetrans
TcpExt: 1 11 2 3 4 5
IpExt: InNoRoutes InOctets OutOctets
IpExt: 0 50397255994 7
"""
SNMP6 = """\
Ip6InOctets                     \t2636
Ip6InReceives                   \t36
Icmp6InType135                  \t3
Udp6InDatagrams                 \t11
Udp6OutDatagrams                \t12
Udp6InErrors                    \t1
Udp6SndbufErrors                \t0
"""
SOCKSTAT = """\
sockets: used 225
TCP: inuse 25 orphan 1 tw 128 alloc 26 mem 42
UDP: inuse 3 mem 0
FRAG: inuse 0 memory 0
"""
SOCKSTAT6 = "TCP6: inuse 2\nUDP6: inuse 4\n"
FILES = {"snmp": SNMP, "netstat": NETSTAT, "snmp6": SNMP6, "sockstat": SOCKSTAT, "sockstat6": SOCKSTAT6}
PAGE = os.sysconf("SC_PAGE_SIZE")
ROW = {
    "used": 225, "tcp_established": 7, "tcp_time_wait": 128, "tcp_orphaned": 1, "tcp_memory_bytes": 42 * PAGE,
    "tcp_opened": 10, "tcp_accepted": 20, "tcp_failed": 3, "tcp_segments_sent": 900, "tcp_retransmits": 9,
    "tcp_errors": 2, "tcp_resets_sent": 5, "listen_drops": 3, "udp_in_use": 7, "udp_received": 111, "udp_sent": 92,
    "udp_errors": 9,
}  # fmt: skip


@pytest.fixture
def proc(tmp_path, monkeypatch):
    """Makes a /proc/net of these files, and reads it."""
    monkeypatch.setattr(linux, "PROC", tmp_path)
    (tmp_path / "net").mkdir()

    def read(**files):
        for name, text in {**FILES, **files}.items():
            if text is not None:
                (tmp_path / "net" / name).write_text(text)
        collector = SocketsCollector()
        return collector.read(), collector.warning

    return read


def test_both_versions_of_ip_are_added_up(proc):
    reading, warning = proc()
    assert reading["sockets"] == [ROW]
    assert warning == ""


def test_exporters_get_the_kernels_own_words(proc):
    [netstat], [sockstat] = (proc()[0][kind] for kind in ("netstat", "sockstat"))
    assert netstat == {
        "Ip_Forwarding": 2, "Icmp_InMsgs": 4, "Icmp_InErrors": 1, "Icmp_OutMsgs": 3, "Tcp_ActiveOpens": 10,
        "Tcp_PassiveOpens": 20, "Tcp_CurrEstab": 7, "Tcp_InSegs": 1000, "Tcp_OutSegs": 900, "Tcp_RetransSegs": 9,
        "Tcp_InErrs": 2, "Tcp_OutRsts": 5, "Udp_InDatagrams": 100, "Udp_NoPorts": 1, "Udp_InErrors": 6,
        "Udp_OutDatagrams": 80, "Udp_RcvbufErrors": 4, "Udp_SndbufErrors": 2, "TcpExt_SyncookiesSent": 1,
        "TcpExt_ListenOverflows": 2, "TcpExt_ListenDrops": 3, "TcpExt_TCPTimeouts": 4, "TcpExt_TCPSynRetrans": 5,
        "IpExt_InOctets": 50397255994, "IpExt_OutOctets": 7, "Ip6_InOctets": 2636, "Udp6_InDatagrams": 11,
        "Udp6_OutDatagrams": 12, "Udp6_InErrors": 1, "Udp6_SndbufErrors": 0,
    }  # fmt: skip
    assert sockstat["sockets_used"] == 225
    assert (sockstat["TCP_mem"], sockstat["TCP_mem_bytes"], sockstat["FRAG_memory"]) == (42, 42 * PAGE, 0)


@pytest.mark.parametrize(
    ("missing", "unknown", "known"),
    [
        ({"snmp6": None, "sockstat6": None}, {}, {"udp_received": 100, "udp_in_use": 3, "udp_errors": 8}),
        ({"netstat": None}, {"listen_drops"}, {"tcp_retransmits": 9}),
        ({"snmp": None}, {"tcp_established", "tcp_failed", "tcp_retransmits"}, {"udp_received": 11, "used": 225}),
        ({"sockstat": None, "sockstat6": None}, {"used", "udp_in_use", "tcp_memory_bytes"}, {"tcp_established": 7}),
        ({"snmp": "Tcp: CurrEstab\nTcp: 5\n"}, {"tcp_retransmits"}, {"tcp_established": 5}),
    ],
)
def test_a_file_or_a_field_that_is_not_there_costs_itself(proc, missing, unknown, known):
    reading, warning = proc(**missing)
    [row] = reading["sockets"]
    assert {name for name, value in row.items() if value is None} >= set(unknown)
    assert {name: row[name] for name in known} == known
    assert warning == ""


def test_where_no_file_is_there_the_family_has_no_data(proc):
    with pytest.raises(NoData):
        proc(**dict.fromkeys(FILES))


TCP = "Tcp: CurrEstab InErrs\nTcp: 5 6\n"
ODD_PAIRS = [
    ("Udp: InDatagrams NoPorts\nUdp: 1\n", "Udp: 1"),
    ("Udp: InDatagrams NoPorts\nUdp: 1 x\n", "Udp: 1 x"),
    ("Udp: InDatagrams NoPorts\nUdp: 1 -1\n", "Udp: 1 -1"),
    ("Udp: InDatagrams NoPorts\n", "Udp: InDatagrams NoPorts"),
    ("x\n", "x"),
    (":\n", ":"),
    ("Udp 1\n", "Udp 1"),
]


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(("odd", "named"), ODD_PAIRS)
def test_an_odd_pair_of_lines_costs_itself_and_is_named(odd, named, is_first):
    omissions = Omissions()
    assert parse_pairs(odd + TCP if is_first else TCP + odd, omissions) == {"Tcp_CurrEstab": 5, "Tcp_InErrs": 6}
    assert str(omissions) == f"left out 1 of the lines of /proc/net/snmp and netstat ({named!r})"


@pytest.mark.parametrize("text", ["", "\n", "\n\n\n", f"\n{TCP}\n"])
def test_blank_lines_are_nothing(text):
    omissions = Omissions()
    assert parse_pairs(text, omissions) == ({"Tcp_CurrEstab": 5, "Tcp_InErrs": 6} if "Tcp" in text else {})
    assert str(omissions) == ""


@pytest.mark.parametrize("line", ["Udp6InErrors", "Udp6InErrors x", "Udp6InErrors 1 2", "Udp6InErrors -1"])
def test_an_odd_line_of_snmp6_costs_itself_and_is_named(line):
    omissions = Omissions()
    assert parse_snmp6(f"{line}\nUdp6NoPorts 4\n", omissions) == {"Udp6_NoPorts": 4}
    assert str(omissions) == f"left out 1 of the lines of /proc/net/snmp6 ({line!r})"


@pytest.mark.parametrize("line", ["TCP", "TCP: inuse", "TCP: inuse -1", "TCP inuse 1", "TCP: inuse 1 tw"])
def test_an_odd_line_of_sockstat_costs_itself_and_is_named(line):
    omissions = Omissions()
    assert parse_sockstat(f"{line}\nUDP: inuse 4\n", omissions) == {"UDP_inuse": 4}
    assert str(omissions) == f"left out 1 of the lines of /proc/net/sockstat ({line!r})"
