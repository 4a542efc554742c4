"""What the kernel says, as it was seen on real machines."""

import pytest

from metrics.collectors import linux
from metrics.collectors.linux import (
    Links,
    parse_file_handles,
    parse_meminfo,
    parse_netdev,
    parse_vmstat,
    uname_row,
)
from metrics.collectors.omissions import Omissions
from metrics.collectors.proc_stat import parse_stat

STAT = """cpu  35025 1804 6773 140615 387 0 171 77 0 0
cpu0 9031 330 2843 80013 41 0 52 40 0 0
cpu2 25993 1473 3930 60601 346 0 119 36 0 0
intr 474695 0 0 1
ctxt 555139
btime 1795510074
processes 11495
procs_running 2
procs_blocked 1
softirq 99 0 1
"""
MEMINFO = """MemTotal:       24684100 kB
Active(anon):     1600 kB
HugePages_Total:       3
Hugepagesize:       2048 kB
"""
DISKSTATS = """   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
 254       0 vda 35987 8913 2518794 5853 84337 169592 14263400 77407 2 6304 83762 4974 40 135296 358 3473 142
   8       0 sda 1 2 3 4 5 6 7 8 9 10 11
"""
NETDEV = """Inter-|   Receive                                                |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
eth0:1: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
"""


def test_processes_are_counted_by_the_kernel():
    assert parse_stat(STAT).process_counts() == {"forks": 11495, "procs_running": 2, "procs_blocked": 1}


def test_a_core_that_is_switched_off_leaves_a_gap_in_the_numbers():
    assert list(parse_stat(STAT).cores) == [0, 2]


def test_sizes_of_memory_are_bytes_and_numbers_stay_numbers():
    assert parse_meminfo(MEMINFO) == {
        "MemTotal_bytes": 25276518400,
        "Active_anon_bytes": 1638400,
        "HugePages_Total": 3,
        "Hugepagesize_bytes": 2097152,
    }


def test_of_the_virtual_memory_only_what_node_exporter_shows_is_read():
    text = "nr_free_pages 1\npgpgin 7\npswpout 8\npgfault 9\npgmajfault 3\npgalloc_dma 4\noom_kill 0\n"
    assert parse_vmstat(text) == {"pgpgin": 7, "pswpout": 8, "pgfault": 9, "pgmajfault": 3, "oom_kill": 0}


def test_an_interface_has_its_counters():
    rows = parse_netdev(NETDEV)
    assert rows["eth0"] == list(range(1, 17))
    assert "eth0:1" in rows


ODD_NETDEV = [
    "",
    "  ",
    "eth9:",
    "eth9",
    ": 1 2",
    "eth9: 1 2 3",
    "eth9: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 x",
    "eth9: -1" + " 0" * 15,
]


@pytest.mark.parametrize("line", ODD_NETDEV)
def test_an_odd_line_of_the_interfaces_costs_itself(line):
    omissions = Omissions()
    assert list(parse_netdev(NETDEV + line + "\n", omissions)) == ["eth0", "eth0:1"]
    assert str(omissions) == (f"left out 1 of the lines of /proc/net/dev ({line!r})" if line.strip() else "")


@pytest.mark.parametrize("name", ["a\x1cb", "a\u2028b", "a\x85", "\u3000", "b\xe9", "\udcff0", "et\x1b[2J"])
def test_a_name_may_hold_what_ends_a_line_for_python(name):
    assert name in parse_netdev(f"{NETDEV}{name}: {' '.join('0' * 16)}\n")


ODD_MEMINFO = ["", "MemTotal", "Foo: -5 kB", "Foo: 5 MB", "Foo: x kB", ": 5 kB", "Foo:", "Foo: 5 kB 6"]


@pytest.mark.parametrize("line", ODD_MEMINFO)
def test_an_odd_line_of_the_memory_costs_itself(line):
    omissions = Omissions()
    assert parse_meminfo(f"{line}\n{MEMINFO}", omissions) == parse_meminfo(MEMINFO)
    assert str(omissions) == (f"left out 1 of the lines of /proc/meminfo ({line!r})" if line else "")


def test_a_field_without_a_blank_after_its_colon_is_a_field():
    assert parse_meminfo("ShadowCallStack:10373888 kB\n") == {"ShadowCallStack_bytes": 10373888 * 1024}


def test_lines_are_counted_with_one_example():
    omissions = Omissions()
    parse_meminfo("A\nB\nC: x kB\n", omissions)
    omissions.say("something else")
    assert str(omissions) == "left out 3 of the lines of /proc/meminfo ('A'); something else"


@pytest.mark.parametrize("parse", [parse_meminfo, parse_vmstat, parse_file_handles])
def test_a_file_that_is_not_there_is_no_row(parse):
    assert parse("") is None


def test_files_that_are_open_are_counted():
    assert parse_file_handles("1313\t0\t2466190\n") == {"allocated": 1313, "maximum": 2466190}


COUNTERS = {"eth0": list(range(1, 17))}


class Machine:
    """Interfaces in a directory; `reads` says which files were asked for."""

    def __init__(self, directory, monkeypatch):
        self.directory, self.reads = directory, []
        monkeypatch.setattr(linux, "INTERFACES", directory / "net")
        monkeypatch.setattr(linux, "PROC", directory)
        monkeypatch.setattr(linux, "read_text", self._read)
        self.write("net/dev", NETDEV)
        self.write("net/eth0/operstate", "up\n")
        self.write("net/eth0/address", "02:fc:00:00:00:01\n")
        self.write("net/eth0/mtu", "1500\n")

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def _read(self, path):
        self.reads.append(path.name)
        return path.read_text() if path.exists() else ""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


def test_a_link_says_its_state_and_what_it_is(machine):
    [row] = Links().rows(COUNTERS)
    assert (row["interface"], row["operstate"], row["is_operational"]) == ("eth0", "up", True)
    assert (row["address"], row["mtu"], row["carrier"], row["ifalias"]) == ("02:fc:00:00:00:01", 1500, None, "")
    assert {name: row[name] for name in ("receive_fifo", "receive_multicast", "transmit_compressed")} == {
        "receive_fifo": 5, "receive_multicast": 8, "transmit_compressed": 16,
    }  # fmt: skip


def test_a_link_whose_name_is_not_utf_8_says_what_it_is(machine):
    directory = machine.directory / "net" / "et\udcff0"
    directory.mkdir()
    (directory / "operstate").write_text("up\n")
    [row] = Links().rows({"et\udcff0": list(range(16))})
    assert (row["interface"], row["operstate"]) == ("et\\xff0", "up")


def test_facts_about_a_link_are_read_again_only_when_its_state_changes(machine):
    links = Links()
    links.rows(COUNTERS)
    machine.reads.clear()
    links.rows(COUNTERS)
    assert machine.reads == ["operstate"]
    machine.write("net/eth0/operstate", "down\n")
    machine.write("net/eth0/mtu", "9000\n")
    assert links.rows(COUNTERS)[0]["mtu"] == 9000


def test_facts_about_a_link_do_not_outlive_a_minute(machine, monkeypatch):
    links = Links()
    links.rows(COUNTERS)
    machine.write("net/eth0/mtu", "9000\n")
    monkeypatch.setattr(linux, "FACTS_LAST_SECONDS", 0.0)
    assert links.rows(COUNTERS)[0]["mtu"] == 9000


def test_uname_names_the_machine():
    row = uname_row()
    assert row is None or set(row) == {"sysname", "release", "version", "machine", "nodename", "domainname"}
