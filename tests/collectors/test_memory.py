import os
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from metrics.collectors import containers, linux, memory
from metrics.collectors.memory import MemoryCollector, machine_memory_bytes
from metrics.collectors.pressure import NO_PRESSURE, Pressure

Mac = namedtuple("Mac", "total available percent used free active inactive wired")
Windows = namedtuple("Windows", "total available percent used free")
Swap = namedtuple("Swap", "total used free percent sin sout")

MEMINFO = {
    "MemTotal": 1000, "MemFree": 100, "MemAvailable": 600, "Buffers": 50, "Cached": 350, "SReclaimable": 100,
    "SwapTotal": 200, "SwapFree": 180,
}  # fmt: skip
KIB, PAGE = 1024, os.sysconf("SC_PAGE_SIZE")


class FrozenMachine:
    """Linux with a /proc of its own; sizes are in KiB."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory, self.monkeypatch = directory, monkeypatch
        monkeypatch.setattr(psutil, "LINUX", True)
        monkeypatch.setattr(linux, "PROC", directory)
        monkeypatch.setattr(containers, "CGROUPS", directory / "cgroup")
        containers._memory_view.cache_clear()
        monkeypatch.setattr(memory, "read_pressure", {"memory": Pressure(1.5, 0.5)}.__getitem__)
        self.has(**MEMINFO)
        self.write("vmstat", "pswpin 1\npswpout 2\n")

    def has(self, **sizes: int) -> None:
        self.write("meminfo", "".join(f"{name}:  {size} kB\n" for name, size in sizes.items()))

    def has_arc(self, size: int, least: int | None) -> None:
        lines = ["13 1 0x01 123 33456 1 2", "name type data", f"size 4 {size * KIB}"]
        self.write(
            "spl/kstat/zfs/arcstats", "\n".join([*lines, *([f"c_min 4 {least * KIB}"] if least is not None else [])])
        )

    def write(self, name: str, text: str) -> None:
        (self.directory / name).parent.mkdir(parents=True, exist_ok=True)
        (self.directory / name).write_text(text)

    def is_elsewhere(self, sizes: Any) -> None:
        self.monkeypatch.setattr(psutil, "LINUX", False)
        self.monkeypatch.setattr(psutil, "virtual_memory", lambda: sizes)
        self.monkeypatch.setattr(psutil, "swap_memory", lambda: Swap(200, 20, 180, 10.0, 4096, 8192))


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FrozenMachine:
    return FrozenMachine(tmp_path, monkeypatch)


def read() -> dict[str, Any]:
    return MemoryCollector().read()["memory"][0]


def warning() -> str:
    collector = MemoryCollector()
    collector.read()
    return collector.warning


def test_memory_and_swap_are_read() -> None:
    assert read() == {
        "total_bytes": 1000 * KIB,
        "available_bytes": 600 * KIB,
        "used_bytes": 400 * KIB,
        "free_bytes": 100 * KIB,
        "percent": 40.0,
        "buffers_bytes": 50 * KIB,
        "cached_bytes": 450 * KIB,
        "zfs_arc_bytes": None,
        "swap_total_bytes": 200 * KIB,
        "swap_used_bytes": 20 * KIB,
        "swap_percent": 10.0,
        "swap_in_bytes": PAGE,
        "swap_out_bytes": 2 * PAGE,
        "pressure_some_seconds": 1.5,
        "pressure_full_seconds": 0.5,
    }
    assert warning() == ""


@pytest.mark.parametrize("line", ["Foo", "Foo: 12 MB", "Foo: -12 kB", "Foo: zwölf kB", ": 12 kB", "MemTotal"])
def test_an_odd_line_costs_itself_and_is_named(machine: FrozenMachine, line: str) -> None:
    machine.write("meminfo", f"{line}\n{(machine.directory / 'meminfo').read_text()}")
    assert read()["percent"] == 40.0
    assert warning() == f"left out 1 of the lines of /proc/meminfo ({line!a})"


@pytest.mark.parametrize("page_bytes", [4096, 16384, 65536])
def test_swapping_is_counted_in_the_pages_of_the_machine(
    machine: FrozenMachine, monkeypatch: pytest.MonkeyPatch, page_bytes: int
) -> None:
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": page_bytes}.__getitem__)
    assert (read()["swap_in_bytes"], read()["swap_out_bytes"]) == (page_bytes, 2 * page_bytes)


@pytest.mark.parametrize("vmstat", ["", "pgfault 7\n", "pswpin\npswpout x\n"])
def test_swapping_that_the_kernel_does_not_count_is_not_known(machine: FrozenMachine, vmstat: str) -> None:
    machine.write("vmstat", vmstat)
    assert (read()["swap_in_bytes"], read()["swap_out_bytes"]) == (None, None)
    assert read()["swap_used_bytes"] == 20 * KIB


@pytest.mark.parametrize("without", ["MemAvailable", "Buffers", "Cached", "MemFree", "SwapFree", "MemTotal"])
def test_what_the_kernel_does_not_say_is_not_guessed(machine: FrozenMachine, without: str) -> None:
    machine.has(**{name: size for name, size in MEMINFO.items() if name != without})
    unknown = {
        "MemAvailable": {"available_bytes", "used_bytes", "percent"},
        "Buffers": {"buffers_bytes"},
        "Cached": {"cached_bytes"},
        "MemFree": {"free_bytes"},
        "SwapFree": {"swap_used_bytes", "swap_percent"},
        "MemTotal": {"total_bytes", "used_bytes", "percent"},
    }[without]
    assert {name for name, value in read().items() if value is None} == unknown | {"zfs_arc_bytes"}
    assert ("MemAvailable" in warning()) == (without == "MemAvailable")


@pytest.mark.parametrize(
    ("size", "least", "percent"),
    [(300, 100, 20.0), (300, 300, 40.0), (50, 100, 40.0), (400, 0, 0.0), (300, None, 40.0)],
)
def test_what_zfs_would_give_back_is_available(machine: FrozenMachine, size: int, least: int, percent: float) -> None:
    machine.has_arc(size, least)
    assert (read()["percent"], read()["zfs_arc_bytes"]) == (percent, size * KIB)


def test_the_cache_of_the_host_is_not_that_of_a_container(machine: FrozenMachine) -> None:
    machine.has_arc(5000, 100)
    assert (read()["percent"], read()["zfs_arc_bytes"]) == (40.0, None)


@pytest.mark.parametrize("text", ["", "size\n", "size 4 x\n", "name type data\n"])
def test_a_cache_whose_size_cannot_be_read_counts_as_used(machine: FrozenMachine, text: str) -> None:
    machine.write("spl/kstat/zfs/arcstats", text)
    assert (read()["percent"], read()["zfs_arc_bytes"]) == (40.0, None)


def test_a_machine_without_swap_uses_none_of_it(machine: FrozenMachine) -> None:
    machine.has(**{**MEMINFO, "SwapTotal": 0, "SwapFree": 0})
    assert (read()["swap_total_bytes"], read()["swap_used_bytes"], read()["swap_percent"]) == (0, 0, 0.0)


@pytest.mark.parametrize(
    ("name", "limit", "is_said"),
    [
        ("memory.max", "524288", True),
        ("memory.max", "max", False),
        ("memory/memory.limit_in_bytes", "524288", True),
        ("memory/memory.limit_in_bytes", "9223372036854771712", False),
    ],
)
def test_a_container_that_may_use_less_says_so(machine: FrozenMachine, name: str, limit: str, is_said: bool) -> None:
    machine.write(f"cgroup/{name}", f"{limit}\n")
    remark = "memory is the machine's, of which this container may use 524288 of 1024000 bytes"
    assert warning() == (remark if is_said else "")


def test_memory_of_a_container_with_a_view_of_its_own_is_named_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "has_own_file", {"meminfo": True}.__getitem__)
    assert warning() == "memory is what this container may use, not the machine's"


def test_elsewhere_psutil_knows_it(machine: FrozenMachine) -> None:
    machine.is_elsewhere(Mac(1000, 600, 40.0, 400, 100, 0, 0, 0))
    row = read()
    assert (row["total_bytes"], row["used_bytes"], row["percent"], row["swap_in_bytes"]) == (1000, 400, 40.0, 4096)
    assert machine_memory_bytes() == 1000


def test_windows_has_no_buffers_and_does_not_count_swapping(
    machine: FrozenMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.is_elsewhere(Windows(1000, 600, 40.0, 400, 100))
    monkeypatch.setattr(psutil, "WINDOWS", True)
    row = read()
    assert [row[name] for name in ("buffers_bytes", "cached_bytes", "swap_in_bytes", "swap_out_bytes")] == [None] * 4
    assert row["swap_used_bytes"] == 20


@pytest.mark.parametrize("error", [OSError, RuntimeError])
def test_swap_that_psutil_cannot_read_is_none(
    machine: FrozenMachine, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def refuse() -> None:
        raise error

    machine.is_elsewhere(Windows(1000, 600, 40.0, 400, 100))
    monkeypatch.setattr(psutil, "swap_memory", refuse)
    row = read()
    assert {value for name, value in row.items() if name.startswith("swap")} == {None}
    assert len(row) == 15


def test_a_platform_without_pressure_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: Callable[[str], Pressure] = lambda resource: NO_PRESSURE  # noqa: E731
    monkeypatch.setattr(memory, "read_pressure", nothing)
    assert read()["pressure_some_seconds"] is None
    assert read()["pressure_full_seconds"] is None


@pytest.mark.skipif(not psutil.LINUX, reason="/proc is Linux's")
def test_of_this_machine_psutil_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    row, theirs = read(), psutil.virtual_memory()
    assert (row["total_bytes"], machine_memory_bytes()) == (theirs.total, theirs.total)
    if row["zfs_arc_bytes"] is None:
        assert row["percent"] == pytest.approx(theirs.percent, abs=5)
    assert row["cached_bytes"] == pytest.approx(theirs.cached, rel=0.2)
