"""What Linux counts beyond what psutil tells, under the kernel's own words.

No sample is made of it: exporters show it as it was read. Elsewhere than on Linux there are no rows.
"""

import os
import re
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from metrics.collectors.base import Row, Value
from metrics.collectors.text import decode

PROC, INTERFACES = Path("/proc"), Path("/sys/class/net")
# Facts about interfaces are a file each; they are read again when the state changes, and after this time.
FACTS_LAST_SECONDS = 60.0

# What /proc/vmstat says that node_exporter shows too.
_VMSTAT = ("oom_kill", "pgpg", "pswp", "pgfault", "pgmajfault")
# The columns of these files that psutil does not tell, by their place.
_DISK_FIELDS = {
    1: "reads_merged",
    5: "writes_merged",
    8: "io_now",
    10: "weighted_ms",
    11: "discards",
    12: "discards_merged",
    13: "discarded_sectors",
    14: "discard_ms",
    15: "flushes",
    16: "flush_ms",
}
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


def read_text(path: Path) -> str:
    """A file of the kernel; "" where it is not there or does not answer, as many of an interface that is down."""
    try:
        return decode(path.read_bytes())
    except OSError:
        return ""


def parse_stat(text: str) -> Row | None:
    """Forks since the boot, and the processes that run or wait for a disk now, from /proc/stat."""
    values = dict(line.partition(" ")[::2] for line in text.splitlines() if line.startswith("proc"))
    if not values:
        return None
    names = {"forks": "processes", "procs_running": "procs_running", "procs_blocked": "procs_blocked"}
    return {name: _number(values.get(source, "")) for name, source in names.items()}


def core_numbers(text: str) -> list[int]:
    """The numbers of the cores of /proc/stat; one that is switched off is not among them."""
    return [int(number) for number in re.findall(r"^cpu(\d+) ", text, re.MULTILINE)]


def parse_file_handles(text: str) -> Row | None:
    """Open files and their highest number, from /proc/sys/fs/file-nr."""
    fields = text.split()
    return {"allocated": int(fields[0]), "maximum": int(fields[2])} if len(fields) == 3 else None


def parse_meminfo(text: str) -> Row | None:
    """The fields of /proc/meminfo: `Active(anon)` in kB is `Active_anon_bytes`, a bare number keeps its name."""
    row: Row = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        number, _, unit = value.strip().partition(" ")
        name = name.replace("(", "_").replace(")", "")
        if number.isdecimal():
            row[f"{name}_bytes" if unit == "kB" else name] = int(number) * (1024 if unit == "kB" else 1)
    return row or None


def parse_vmstat(text: str) -> Row | None:
    """Pages read, written, swapped and missed since the boot, from /proc/vmstat."""
    pairs = (line.partition(" ") for line in text.splitlines())
    return {name: int(value) for name, _, value in pairs if name.startswith(_VMSTAT) and value.isdecimal()} or None


def parse_diskstats(text: str, devices: Collection[str]) -> list[Row]:
    """The counters of these devices from /proc/diskstats; None for what an older kernel does not count."""
    rows: list[Row] = []
    for _major, _minor, device, *numbers in (line.split() for line in text.splitlines()):
        if device in devices:
            counts = {field: int(numbers[at]) if at < len(numbers) else None for at, field in _DISK_FIELDS.items()}
            rows.append({"device": device, **dict(_in_seconds(field, count) for field, count in counts.items())})
    return rows


def _in_seconds(field: str, count: int | None) -> tuple[str, Value]:
    if not field.endswith("_ms"):
        return field, count
    return f"{field.removesuffix('_ms')}_seconds", None if count is None else count / 1000


def parse_netdev(text: str) -> dict[str, Row]:
    """The counters of each interface from /proc/net/dev."""
    lines = (line.rpartition(":") for line in text.splitlines()[2:])
    return {name.strip(): _netdev_row(counters.split()) for name, _, counters in lines}


def _netdev_row(counters: Sequence[str]) -> Row:
    return {field: int(counters[at]) for at, field in _NETDEV_FIELDS.items()}


class Links:
    """The interfaces as links: state, addresses and the counters that psutil leaves out."""

    def __init__(self) -> None:
        self._facts: dict[str, tuple[str, float, Row]] = {}

    def rows(self, names: Collection[str]) -> list[Row]:
        """A row for each interface of which Linux has counters."""
        counters = parse_netdev(read_text(PROC / "net/dev"))
        known = [name for name in names if name in counters]
        self._facts = {name: self._renewed(name) for name in known}
        return [self._row(name, counters[name]) for name in known]

    def _row(self, name: str, counters: Row) -> Row:
        state, _moment, facts = self._facts[name]
        return {"interface": name, "operstate": state, "is_operational": state == "up", **facts, **counters}

    def _renewed(self, name: str) -> tuple[str, float, Row]:
        state, now = read_text(INTERFACES / name / "operstate").strip(), time.monotonic()
        known = self._facts.get(name)
        if known and known[0] == state and now - known[1] < FACTS_LAST_SECONDS:
            return known
        return state, now, _link_facts(name)


def _link_facts(name: str) -> Row:
    texts: Row = {fact: read_text(INTERFACES / name / fact).strip() for fact in _LINK_FACTS}
    return texts | {fact: _number(read_text(INTERFACES / name / fact)) for fact in _LINK_NUMBERS}


def uname_row() -> Row | None:
    """What `uname -a` says, and the NIS domain."""
    if not hasattr(os, "uname"):
        return None
    uname = os.uname()
    names = {name: getattr(uname, name) for name in ("sysname", "release", "version", "machine", "nodename")}
    return {**names, "domainname": read_text(PROC / "sys/kernel/domainname").strip()}


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None
