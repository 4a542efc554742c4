from collections import namedtuple
from pathlib import Path
from typing import Any

import psutil
import pytest

from metrics.collectors import cpu, linux
from metrics.collectors.cpu import CpuCollector, account, mean_frequency, psutil_frequency

Linux = namedtuple("Linux", "user nice system idle iowait irq softirq steal guest guest_nice")
Mac = namedtuple("Mac", "user nice system idle")
Windows = namedtuple("Windows", "user system idle interrupt dpc")
Stats = namedtuple("Stats", "ctx_switches interrupts soft_interrupts syscalls")
Frequency = namedtuple("Frequency", "current min max")

CORES = [Linux(10.5, 1.0, 4.0, 80.0, 2.0, 0.25, 0.25, 1.0, 3.0, 0.5), Linux(1.1, 0.2, 0.3, 97.7, *[0.0] * 6)]
MACHINE = Linux(11.61, 1.2, 4.31, 177.72, 2.0, 0.25, 0.25, 1.0, 3.0, 0.5)


class FrozenMachine:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.has(cpu_times=lambda percpu=False: CORES if percpu else MACHINE)
        self.has(cpu_stats=lambda: Stats(5000, 700, 300, 0), getloadavg=lambda: (0.5, 0.25, 0.1))
        self.has(cpu_freq=lambda: Frequency(2400.0, 0.0, 0.0))
        monkeypatch.setattr(cpu, "FREQUENCY_FILES", "/nowhere/*")

    def has(self, **functions: Any) -> None:
        for name, function in functions.items():
            self.monkeypatch.setattr(psutil, name, function)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> FrozenMachine:
    return FrozenMachine(monkeypatch)


def read() -> dict[str, Any]:
    return CpuCollector().read()["cpu"][0]


def shares(row: dict[str, Any]) -> float:
    names = ("user", "system", "idle", "iowait", "steal")
    return sum((row[f"{name}_seconds"] or 0.0 for name in names), start=0.0)


def test_times_are_sorted_into_five_that_add_up_exactly(machine: FrozenMachine) -> None:
    row = read()
    assert row["user_seconds"] == pytest.approx(12.81)
    assert row["system_seconds"] == pytest.approx(4.81)
    assert shares(row) == row["total_seconds"]


def test_guests_are_not_counted_twice(machine: FrozenMachine) -> None:
    assert read()["total_seconds"] == pytest.approx(sum(MACHINE) - MACHINE.guest - MACHINE.guest_nice)
    assert read()["busy_seconds"] == pytest.approx(12.81 + 4.81 + 1.0)


def test_busy_time_never_falls_by_a_rounding_error() -> None:
    """A difference of two sums that grow by the same would, and look like a reset of the counter."""
    before = {"user": 0.1, "system": 0.2, "idle": 1e9 + 0.3, "iowait": 1e7 + 0.7}
    busy = account(before).busy
    for tick in range(200):
        busy, last = account(before | {"idle": 1e9 + 0.3 + tick / 100}).busy, busy
        assert busy == last


def test_every_core_has_its_place_in_the_lists_and_its_own_row(machine: FrozenMachine) -> None:
    reading = CpuCollector().read()
    row = reading["cpu"][0]
    assert row["cores"] == 2
    assert row["core_total_seconds"] == pytest.approx([99.0, 99.3])
    assert row["core_busy_seconds"] == pytest.approx([17.0, 1.6])
    assert [core["core"] for core in reading["core"]] == [0, 1]
    assert reading["core"][0]["guest_nice_seconds"] == 0.5
    assert set(reading["core"][1]) == {"core", *(f"{name}_seconds" for name in Linux._fields)}


def test_a_core_that_is_switched_off_keeps_its_number_from_the_others(
    machine: FrozenMachine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "stat").write_text("cpu  1 2\ncpu0 1 2\ncpu3 1 2\nprocs_running 4\n")
    monkeypatch.setattr(linux, "PROC", tmp_path)
    reading = CpuCollector().read()
    assert [core["core"] for core in reading["core"]] == [0, 3]
    assert reading["stat"] == [{"forks": None, "procs_running": 4, "procs_blocked": None}]


def test_load_switches_and_interrupts_are_read(machine: FrozenMachine) -> None:
    row = read()
    assert (row["load_1"], row["load_5"], row["load_15"]) == (0.5, 0.25, 0.1)
    assert (row["context_switches"], row["interrupts"]) == (5000, 700)


def test_a_mac_has_no_iowait_and_no_steal(machine: FrozenMachine) -> None:
    times = Mac(5.0, 1.0, 2.0, 92.0)
    machine.has(cpu_times=lambda percpu=False: [times] if percpu else times)
    row = read()
    assert row["iowait_seconds"] is None
    assert row["steal_seconds"] is None
    assert (row["total_seconds"], row["busy_seconds"]) == (100.0, 8.0)


def test_interrupts_of_windows_are_time_in_the_kernel(machine: FrozenMachine) -> None:
    times = Windows(5.0, 2.0, 92.0, 0.5, 0.5)
    machine.has(cpu_times=lambda percpu=False: [times] if percpu else times)
    assert read()["system_seconds"] == 3.0
    assert read()["total_seconds"] == 100.0


def test_a_platform_without_load_averages_has_none(machine: FrozenMachine) -> None:
    def refuse() -> None:
        raise OSError("no load average")

    machine.has(getloadavg=refuse)
    assert (read()["load_1"], read()["load_15"]) == (None, None)


def test_the_frequency_is_the_mean_of_the_groups_of_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for policy, khz in enumerate(("2400000\n", "1200000\n", "<unknown>\n", "0\n")):
        (tmp_path / f"policy{policy}").write_text(khz)
    monkeypatch.setattr(cpu, "FREQUENCY_FILES", f"{tmp_path}/policy*")
    assert read()["frequency_mhz"] == 1800.0


def test_a_group_of_cores_that_went_offline_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "policy0").write_text("3000000")
    assert mean_frequency([f"{tmp_path}/policy0", f"{tmp_path}/policy1"]) == 3000.0
    assert mean_frequency([f"{tmp_path}/policy1"]) is None


def test_without_frequency_files_psutil_is_asked(machine: FrozenMachine) -> None:
    assert read()["frequency_mhz"] == 2400.0


@pytest.mark.parametrize("answer", [None, Frequency(0.0, 0.0, 0.0)])
def test_no_frequency_is_none(machine: FrozenMachine, answer: object) -> None:
    machine.has(cpu_freq=lambda: answer)
    assert psutil_frequency() is None


@pytest.mark.parametrize("error", [NotImplementedError, FileNotFoundError, RuntimeError])
def test_a_frequency_that_cannot_be_read_is_none(machine: FrozenMachine, error: type[Exception]) -> None:
    def refuse() -> None:
        raise error

    machine.has(cpu_freq=refuse)
    assert psutil_frequency() is None


def test_a_platform_without_frequencies_has_none(machine: FrozenMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(psutil, "cpu_freq")
    assert psutil_frequency() is None


def test_this_machine_has_as_many_cores_as_psutil_says() -> None:
    reading = CpuCollector().read()
    row: dict[str, Any] = reading["cpu"][0]
    assert row["cores"] == len(reading["core"]) == psutil.cpu_count()
    assert shares(row) == row["total_seconds"]
    assert 0 < row["busy_seconds"] <= row["total_seconds"]
