"""What Linux counts beyond what psutil tells, under the kernel's own words.

No sample is made of it: exporters show it as it was read. Elsewhere than on Linux there are no rows.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from metrics.collectors.base import Row
from metrics.collectors.omissions import Omissions
from metrics.collectors.text import decode, raw_name, valid_text

PROC, INTERFACES = Path("/proc"), Path("/sys/class/net")
# Facts about interfaces are a file each; they are read again when the state changes, and after this time.
FACTS_LAST_SECONDS = 60.0

# What /proc/vmstat says that node_exporter shows too.
_VMSTAT = ("oom_kill", "pgpg", "pswp", "pgfault", "pgmajfault")
# The columns of /proc/net/dev that psutil does not tell, by their place.
NETDEV_COLUMNS = 16
_NETDEV_FIELDS = {
    4: "receive_fifo",
    5: "receive_frame",
    6: "receive_compressed",
    7: "receive_multicast",
    12: "transmit_fifo",
    13: "transmit_colls",
    14: "transmit_carrier",
    15: "transmit_compressed",
}
_LINK_FACTS = ("address", "broadcast", "ifalias", "duplex")
_LINK_NUMBERS = ("mtu", "tx_queue_len", "carrier", "carrier_changes")


def read_text(path: Path, errors: str = "backslashreplace") -> str:
    """A file of the kernel; "" where it is not there or does not answer, as many of an interface that is down."""
    try:
        return decode(path.read_bytes(), errors)
    except OSError:
        return ""


def proc_text(name: str, errors: str = "backslashreplace") -> str:
    """A file of /proc, or of the directory that psutil was told to take for it."""
    return read_text(proc_directory() / name, errors)


def proc_bytes(name: str) -> bytes:
    """The same as it is. Raises OSError where it does not answer."""
    with open(f"{proc_directory()}/{name}", "rb", buffering=0) as file:
        return file.read()


def proc_directory() -> Path:
    """/proc, or the directory that psutil was told to take for it."""
    directory = getattr(psutil, "PROCFS_PATH", "/proc")
    return PROC if directory == "/proc" else Path(directory)


def parse_file_handles(text: str) -> Row | None:
    """Open files and their highest number, from /proc/sys/fs/file-nr."""
    fields = text.split()
    if len(fields) != 3:
        return None
    return {"allocated": _number(fields[0]), "maximum": _number(fields[2])}


def parse_meminfo(text: str, omissions: Omissions | None = None) -> dict[str, int] | None:
    """The fields of /proc/meminfo: `Active(anon)` in kB is `Active_anon_bytes`, a bare number keeps its name."""
    lines = text.splitlines()
    return dict((omissions or Omissions()).parsed("the lines of /proc/meminfo", lines, _meminfo_field)) or None


def _meminfo_field(line: str) -> tuple[str, int]:
    name, _, value = line.partition(":")
    number, _, unit = value.strip().partition(" ")
    name = name.strip().replace("(", "_").replace(")", "")
    if not (name and number.isdecimal() and unit in {"", "kB"}):
        raise ValueError(line)
    return (f"{name}_bytes", int(number) * 1024) if unit else (name, int(number))


def parse_vmstat(text: str, omissions: Omissions | None = None) -> dict[str, int] | None:
    """Pages read, written, swapped and missed since the boot, from /proc/vmstat."""
    lines = [line for line in text.splitlines() if line.startswith(_VMSTAT)]
    return dict((omissions or Omissions()).parsed("the lines of /proc/vmstat", lines, _vmstat_field)) or None


def _vmstat_field(line: str) -> tuple[str, int]:
    name, _, value = line.partition(" ")
    if not value.isdecimal():
        raise ValueError(line)
    return name, int(value)


def parse_netdev(text: str, omissions: Omissions | None = None) -> dict[str, list[int]]:
    """The 16 counters of each interface of /proc/net/dev, by name. A name may hold any character but a blank, a slash
    and a colon, so also those that end a line for Python."""
    lines = text.split("\n")[2:]
    return dict((omissions or Omissions()).parsed("the lines of /proc/net/dev", lines, _netdev_line))


def _netdev_line(line: str) -> tuple[str, list[int]]:
    name, _, counters = line.rpartition(":")
    numbers = counters.split()
    # A number with a sign, or in other digits, is none that the kernel writes.
    if not name.strip(" ") or len(numbers) < NETDEV_COLUMNS or not all(map(str.isdecimal, numbers)):
        raise ValueError(line)
    return name.strip(" "), list(map(int, numbers))


def rare_counters(numbers: list[int]) -> Row:
    """Of an interface's counters those that psutil does not tell."""
    return {field: numbers[at] for at, field in _NETDEV_FIELDS.items()}


class Links:
    """The interfaces as links: state, addresses and the counters that psutil leaves out."""

    def __init__(self) -> None:
        self._facts: dict[str, tuple[str, float, Row]] = {}

    def rows(self, counters: Mapping[str, list[int]]) -> list[Row]:
        """A row for each interface of /proc/net/dev."""
        self._facts = {name: self._renewed(name) for name in counters}
        return [self._row(name, numbers) for name, numbers in counters.items()]

    def _row(self, name: str, numbers: list[int]) -> Row:
        state, _moment, facts = self._facts[name]
        link: Row = {"interface": valid_text(name), "operstate": state, "is_operational": state == "up"}
        return {**link, **facts, **rare_counters(numbers)}

    def _renewed(self, name: str) -> tuple[str, float, Row]:
        directory = INTERFACES / os.fsdecode(raw_name(name))
        state, now = read_text(directory / "operstate").strip(), time.monotonic()
        known = self._facts.get(name)
        if known and known[0] == state and now - known[1] < FACTS_LAST_SECONDS:
            return known
        return state, now, _link_facts(directory)


def _link_facts(directory: Path) -> Row:
    texts: Row = {fact: read_text(directory / fact).strip() for fact in _LINK_FACTS}
    return texts | {fact: _number(read_text(directory / fact)) for fact in _LINK_NUMBERS}


def uname_row() -> Row | None:
    """What `uname -a` says, and the NIS domain."""
    if not hasattr(os, "uname"):
        return None
    uname = os.uname()
    names = {name: getattr(uname, name) for name in ("sysname", "release", "version", "machine", "nodename")}
    return {**names, "domainname": read_text(PROC / "sys/kernel/domainname").strip()}


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None
