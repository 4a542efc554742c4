from collections import namedtuple
from pathlib import Path
from typing import Any

import psutil
import pytest

from metrics.collectors import containers, cpu, cpu_frequency, linux
from metrics.collectors.cpu import CpuCollector, account
from metrics.collectors.cpu_frequency import core_list, cpuinfo_mhz, psutil_frequency

Linux = namedtuple("Linux", "user nice system idle iowait irq softirq steal guest guest_nice")
Mac = namedtuple("Mac", "user nice system idle")
Windows = namedtuple("Windows", "user system idle interrupt dpc")
Stats = namedtuple("Stats", "ctx_switches interrupts soft_interrupts syscalls")
Frequency = namedtuple("Frequency", "current min max")

CORES = {0: Linux(10.5, 1.0, 4.0, 80.0, 2.0, 0.25, 0.25, 1.0, 3.0, 0.5), 1: Linux(1.1, 0.2, 0.3, 97.7, *[0.0] * 6)}
MACHINE = Linux(11.61, 1.2, 4.31, 177.72, 2.0, 0.25, 0.25, 1.0, 3.0, 0.5)
OTHERS = "intr 700 0 0 9\nctxt 5000\nbtime 1795510074\nprocesses 11495\nprocs_running 4\nprocs_blocked 1\n"


class FrozenMachine:
    """Linux with a /proc and a /sys of its own, until it `is_elsewhere`."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory, self.monkeypatch = directory, monkeypatch
        self.has(getloadavg=lambda: (0.5, 0.25, 0.1), LINUX=True)
        monkeypatch.setattr(linux, "PROC", directory)
        monkeypatch.setattr(cpu, "PRESENT_CORES", directory / "present")
        monkeypatch.setattr(cpu_frequency, "CPUFREQ", directory / "cpufreq")
        monkeypatch.setattr(containers, "CGROUPS", directory / "cgroup")
        containers._cpu_view.cache_clear()
        self.counts(CORES)

    def has(self, **functions: Any) -> None:
        for name, function in functions.items():
            self.monkeypatch.setattr(psutil, name, function)

    def is_elsewhere(self, times: Any) -> None:
        self.has(LINUX=False, cpu_times=lambda percpu=False: [times] if percpu else times)
        self.has(cpu_stats=lambda: Stats(5000, 700, 300, 0), cpu_freq=lambda: Frequency(2400.0, 0.0, 0.0))

    def counts(self, cores: dict[int, Any], machine: Any = MACHINE) -> None:
        lines = [("cpu ", machine), *((f"cpu{number}", times) for number, times in cores.items())]
        text = "".join(f"{name} {' '.join(str(round(value * 100)) for value in times)}\n" for name, times in lines)
        self.write("stat", text + OTHERS)

    def write(self, name: str, text: str) -> None:
        (self.directory / name).parent.mkdir(parents=True, exist_ok=True)
        (self.directory / name).write_text(text)

    def has_clock(self, policy: int, cores: str, khz: str, **files: str) -> None:
        named = {"related_cpus": cores, "scaling_cur_freq": khz, **files}
        for name, text in named.items():
            self.write(f"cpufreq/policy{policy}/{name}", f"{text}\n")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FrozenMachine:
    return FrozenMachine(tmp_path, monkeypatch)


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


@pytest.mark.parametrize("off", [0, 1, 2, 3])
def test_a_core_that_is_switched_off_shifts_nobody_elses_line(machine: FrozenMachine, off: int) -> None:
    all_cores = {number: Linux(10.0 + number, 0, 0, 90.0, *[0.0] * 6) for number in range(4)}
    machine.counts(all_cores)
    collector = CpuCollector()
    collector.read()
    machine.counts({number: times for number, times in all_cores.items() if number != off})
    reading = collector.read()
    expected = [None if number == off else 10.0 + number for number in range(4)]
    assert reading["cpu"][0]["core_busy_seconds"] == expected
    assert [core["core"] for core in reading["core"]] == [number for number in range(4) if number != off]
    assert reading["cpu"][0]["cores"] == 3


def test_the_last_core_has_its_place_though_it_was_off_from_the_start(machine: FrozenMachine) -> None:
    machine.write("present", "0-3\n")
    assert read()["core_busy_seconds"] == pytest.approx([17.0, 1.6, None, None])


def test_a_core_that_is_plugged_in_gets_a_place(machine: FrozenMachine) -> None:
    collector = CpuCollector()
    collector.read()
    machine.counts({**CORES, 2: CORES[1]})
    assert len(collector.read()["cpu"][0]["core_busy_seconds"]) == 3


@pytest.mark.parametrize("field", ["idle", "iowait", "steal", "guest"])
@pytest.mark.parametrize("fall", [0.01, 0.5, 2.9])
def test_a_time_that_the_kernel_sets_back_a_little_stays_where_it_was(
    machine: FrozenMachine, field: str, fall: float
) -> None:
    before = Linux(*[5000.01] * 10)
    machine.counts({0: before}, before)
    collector = CpuCollector()
    first = collector.read()
    fallen = before._replace(**{field: 5000.01 - fall}, user=5001.0)
    machine.counts({0: fallen}, fallen)
    second = collector.read()
    assert second["core"][0][f"{field}_seconds"] == 5000.01
    assert second["core"][0]["user_seconds"] == 5001.0
    for kind in ("core", "cpu"):
        for name, value in second[kind][0].items():
            if isinstance(value, float) and name.endswith("_seconds"):
                assert value >= first[kind][0][name], name


def test_a_core_that_was_plugged_in_again_counts_anew(machine: FrozenMachine) -> None:
    collector = CpuCollector()
    machine.counts({0: Linux(*[5000.0] * 10)})
    collector.read()
    machine.counts({0: Linux(*[3.0] * 10)})
    assert collector.read()["core"][0]["idle_seconds"] == 3.0


def test_the_next_recorder_goes_on_from_what_the_last_one_stored(machine: FrozenMachine) -> None:
    before = Linux(*[5000.01] * 10)
    machine.counts({0: before}, before)
    stored = CpuCollector().read()
    fallen = before._replace(iowait=5000.0, idle=5000.0)
    machine.counts({0: fallen}, fallen)
    heir = CpuCollector()
    heir.resume(stored)
    reading = heir.read()
    assert reading["core"] == stored["core"]
    assert reading["cpu"][0]["iowait_seconds"] == reading["cpu"][0]["idle_seconds"] == 5000.01


@pytest.mark.parametrize("line", ["cpu1 5 6", "cpu1 1 2 3 x 0 0", "cpu1", "cpuX 1 2 3 4 5", "cpu1 -1 2 3 4", "ctxt"])
def test_a_line_that_cannot_be_read_costs_itself_and_is_named(machine: FrozenMachine, line: str) -> None:
    text = (machine.directory / "stat").read_text()
    lines = [old for old in text.splitlines() if not old.startswith("cpu1" if "cpu" in line else "ctxt ")]
    machine.write("stat", "\n".join([*lines, line, "", "btime"]))
    collector = CpuCollector()
    row = collector.read()["cpu"][0]
    assert row["user_seconds"] == pytest.approx(12.81)
    assert (row["context_switches"] is None) == (line == "ctxt")
    if line != "ctxt":  # a name without a number is like any of the many lines that are not for us
        assert collector.warning == f"left out 1 of the lines of /proc/stat ({line!r})"


def test_without_its_own_line_the_machine_is_not_known_and_its_cores_are(machine: FrozenMachine) -> None:
    machine.write("stat", (machine.directory / "stat").read_text().replace("cpu  ", "cpu  x"))
    row = read()
    assert (row["total_seconds"], row["busy_seconds"]) == (None, None)
    assert row["core_busy_seconds"] == pytest.approx([17.0, 1.6])


def test_an_old_kernel_counts_less(machine: FrozenMachine) -> None:
    machine.write("stat", "cpu  100 0 200 700\ncpu0 100 0 200 700\n")
    reading = CpuCollector().read()
    assert reading["cpu"][0]["total_seconds"] == 10.0
    assert reading["cpu"][0]["steal_seconds"] is None
    assert reading["core"][0]["guest_seconds"] is None


@pytest.mark.parametrize(
    ("name", "text", "remark"),
    [
        ("cpu.max", "50000 100000\n", "CPU is the machine's, of which this container may use 0.5 of 2 cores"),
        ("cpu.max", "max 100000\n", ""),
        ("cpu.max", "400000 100000\n", ""),
        ("cpu.max", "\n", ""),
    ],
)
def test_a_container_that_may_use_less_says_so(machine: FrozenMachine, name: str, text: str, remark: str) -> None:
    machine.write(f"cgroup/{name}", text)
    collector = CpuCollector()
    collector.read()
    assert collector.warning == remark


def test_a_container_of_the_first_kind_of_control_groups_says_so_too(machine: FrozenMachine) -> None:
    machine.write("cgroup/cpu/cpu.cfs_quota_us", "150000\n")
    machine.write("cgroup/cpu/cpu.cfs_period_us", "100000\n")
    collector = CpuCollector()
    collector.read()
    assert "1.5 of 2 cores" in collector.warning


def test_load_switches_and_interrupts_are_read(machine: FrozenMachine) -> None:
    row = read()
    assert (row["load_1"], row["load_5"], row["load_15"]) == (0.5, 0.25, 0.1)
    assert (row["context_switches"], row["interrupts"]) == (5000, 700)


def test_a_mac_has_no_iowait_and_no_steal(machine: FrozenMachine) -> None:
    machine.is_elsewhere(Mac(5.0, 1.0, 2.0, 92.0))
    row = read()
    assert row["iowait_seconds"] is None
    assert row["steal_seconds"] is None
    assert (row["total_seconds"], row["busy_seconds"]) == (100.0, 8.0)


def test_interrupts_of_windows_are_time_in_the_kernel(machine: FrozenMachine) -> None:
    machine.is_elsewhere(Windows(5.0, 2.0, 92.0, 0.5, 0.5))
    assert read()["system_seconds"] == 3.0
    assert read()["total_seconds"] == 100.0


def test_a_platform_without_load_averages_has_none(machine: FrozenMachine) -> None:
    def refuse() -> None:
        raise OSError("no load average")

    machine.has(getloadavg=refuse)
    assert (read()["load_1"], read()["load_15"]) == (None, None)


def test_the_frequency_is_that_of_the_cores(machine: FrozenMachine) -> None:
    machine.counts(dict.fromkeys(range(8), MACHINE))
    machine.has_clock(0, "0 1 2 3 4 5", "1000000")
    machine.has_clock(6, "6-7", "3000000")
    assert read()["frequency_mhz"] == (6 * 1000 + 2 * 3000) / 8


@pytest.mark.parametrize("khz", ["<unknown>", "0", "", "-5"])
def test_a_clock_that_is_not_known_does_not_count(machine: FrozenMachine, khz: str) -> None:
    machine.has_clock(0, "0", "2400000")
    machine.has_clock(1, "1", khz)
    assert read()["frequency_mhz"] == 2400.0


def test_cores_that_are_off_do_not_weigh(machine: FrozenMachine) -> None:
    machine.has_clock(0, "0-3", "1000000")
    machine.has_clock(4, "4-7", "3000000")
    collector = CpuCollector()
    machine.counts(dict.fromkeys(range(8), MACHINE))
    assert collector.read()["cpu"][0]["frequency_mhz"] == 2000.0
    machine.counts(dict.fromkeys((0, 1, 2, 3, 4), MACHINE))
    assert collector.read()["cpu"][0]["frequency_mhz"] == (4 * 1000 + 3000) / 5
    machine.counts(dict.fromkeys(range(4), MACHINE))
    assert collector.read()["cpu"][0]["frequency_mhz"] == 1000.0


LITTLE = {"cpuinfo_min_freq": "408000", "cpuinfo_max_freq": "1800000"}
BIG = {"cpuinfo_min_freq": "408000", "cpuinfo_max_freq": "2400000"}


@pytest.mark.parametrize(
    ("clusters", "clocks"),
    [
        # Policy, its cores, their clock in kHz, limits of the hardware; then core -> clock, lowest, highest in Hz.
        (
            [(0, "0 1", "1000000", LITTLE), (2, "2", "2400000", BIG)],
            dict.fromkeys((0, 1), (1_000_000_000, 408_000_000, 1_800_000_000))
            | {2: (2_400_000_000, 408_000_000, 2_400_000_000)},
        ),
        (
            [(0, "0-1", "1200000", {}), (10, "2", "3000000", {})],
            dict.fromkeys((0, 1), (1_200_000_000, None, None)) | {2: (3_000_000_000, None, None)},
        ),
        # A core that is off is in its cluster's list, and has no clock.
        ([(2, "2-3", "2000000", BIG)], {2: (2_000_000_000, 408_000_000, 2_400_000_000)}),
        ([(0, "3", "2000000", BIG)], {}),
        ([(0, "0", "<unknown>", {"cpuinfo_max_freq": "0"})], {0: (None, None, None)}),
        ([(0, "0", "0", {"cpuinfo_max_freq": "-1"})], {0: (None, None, None)}),
        ([(0, "what", "2000000", {})], {}),
        ([], {}),
    ],
)  # fmt: skip
def test_each_core_has_the_clock_of_its_cluster(
    machine: FrozenMachine, clusters: list[tuple[int, str, str, dict[str, str]]], clocks: dict[int, tuple[Any, ...]]
) -> None:
    machine.counts(dict.fromkeys(range(3), MACHINE))
    for policy, cores, khz, limits in clusters:
        machine.has_clock(policy, cores, khz, **limits)
    rows = CpuCollector().read()["core_clock"]
    assert {row["core"]: (row["frequency_hertz"], row["lowest_hertz"], row["highest_hertz"]) for row in rows} == clocks
    assert [row["core"] for row in rows] == sorted(clocks)


@pytest.mark.parametrize(
    ("cpuinfo", "mhz"),
    [
        ("cpu MHz\t\t: 2000.000\nbogus\ncpu MHz\t\t: 3000.000\n", 2500.0),
        ("CPU MHz\t\t\t: 2500.00\n", 2500.0),
        ("clock\t\t: 3425.000000MHz\n", 3425.0),
        ("cpu MHz dynamic : 5200\ncpu MHz static  : 5000\n", 5200.0),
        ("cpu MHz\t\t: unknown\n", None),
        ("cpu MHz : 0.000\n", None),
        ("BogoMIPS : 108.00\n", None),
        ("", None),
    ],
)
def test_without_frequency_files_cpuinfo_is_asked(machine: FrozenMachine, cpuinfo: str, mhz: float | None) -> None:
    machine.write("cpuinfo", cpuinfo)
    assert read()["frequency_mhz"] == mhz == cpuinfo_mhz(cpuinfo)


@pytest.mark.parametrize(
    ("text", "cores"),
    [("0-3,8", {0, 1, 2, 3, 8}), ("0 1", {0, 1}), ("7\n", {7}), ("", set()), ("a-b", set()), ("1-", {1})],
)
def test_numbers_of_cores_are_lists_of_ranges(text: str, cores: set[int]) -> None:
    assert core_list(text) == cores


def test_elsewhere_psutil_knows_the_frequency(machine: FrozenMachine) -> None:
    machine.is_elsewhere(Mac(5.0, 1.0, 2.0, 92.0))
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
