from collections import namedtuple
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from metrics.collectors import memory
from metrics.collectors.memory import MemoryCollector
from metrics.collectors.pressure import NO_PRESSURE, Pressure

Linux = namedtuple("Linux", "total available percent used free active inactive buffers cached shared slab")
Windows = namedtuple("Windows", "total available percent used free")
Swap = namedtuple("Swap", "total used free percent sin sout")


@pytest.fixture(autouse=True)
def frozen_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Linux(1000, 600, 40.0, 400, 100, 0, 0, 50, 450, 0, 0))
    monkeypatch.setattr(psutil, "swap_memory", lambda: Swap(200, 20, 180, 10.0, 4096, 8192))
    monkeypatch.setattr(memory, "read_pressure", {"memory": Pressure(1.5, 0.5)}.__getitem__)


def read() -> dict[str, Any]:
    return MemoryCollector().read()["memory"][0]


def test_memory_and_swap_are_read() -> None:
    assert read() == {
        "total_bytes": 1000,
        "available_bytes": 600,
        "used_bytes": 400,
        "free_bytes": 100,
        "percent": 40.0,
        "buffers_bytes": 50,
        "cached_bytes": 450,
        "swap_total_bytes": 200,
        "swap_used_bytes": 20,
        "swap_percent": 10.0,
        "swap_in_bytes": 4096,
        "swap_out_bytes": 8192,
        "pressure_some_seconds": 1.5,
        "pressure_full_seconds": 0.5,
    }


def test_windows_has_no_buffers_and_does_not_count_swapping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "WINDOWS", True)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Windows(1000, 600, 40.0, 400, 100))
    row = read()
    assert [row[name] for name in ("buffers_bytes", "cached_bytes", "swap_in_bytes", "swap_out_bytes")] == [None] * 4
    assert row["swap_used_bytes"] == 20


@pytest.mark.parametrize("error", [OSError, RuntimeError])
def test_swap_that_cannot_be_read_is_none(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def refuse() -> None:
        raise error

    monkeypatch.setattr(psutil, "swap_memory", refuse)
    row = read()
    assert {value for name, value in row.items() if name.startswith("swap")} == {None}
    assert len(row) == 14


def test_a_platform_without_pressure_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: Callable[[str], Pressure] = lambda resource: NO_PRESSURE  # noqa: E731
    monkeypatch.setattr(memory, "read_pressure", nothing)
    assert read()["pressure_some_seconds"] is None
    assert read()["pressure_full_seconds"] is None


def test_this_machine_uses_some_of_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    row = read()
    assert 0 < row["used_bytes"] < row["total_bytes"]
    assert 0 < row["percent"] <= 100
