import json
import platform
from pathlib import Path

import psutil
import pytest

from metrics.collectors import linux, machine
from metrics.collectors.machine import cpu_model, describe, os_name, parse_cpu_model

X86 = """\
processor\t: 0
vendor_id\t: AuthenticAMD
model\t\t: 1
model name\t: AMD EPYC 7R13 Processor

processor\t: 1
model name\t: AMD EPYC 7R13 Processor
"""
RASPBERRY = """\
processor\t: 0
BogoMIPS\t: 108.00

Hardware\t: BCM2835
Model\t\t: Raspberry Pi 4 Model B Rev 1.4
"""


def arm(*cores: tuple[int, int], model: str = "") -> str:
    """What an ARM machine says of cores, each a maker's number and a part's."""
    text = (
        "processor\t: {0}\nBogoMIPS\t: 108.00\nCPU implementer\t: {1:#04x}\nCPU part\t: {2:#05x}\nCPU revision\t: 3\n\n"
    )
    return "".join(text.format(number, *core) for number, core in enumerate(cores)) + model


S390X = """\
vendor_id       : IBM/S390
# processors    : 2
bogomips per cpu: 3241.00
features\t: esan3 zarch stfle
processor 0: version = FF,  identification = 0133E8,  machine = 8561
processor 1: version = FF,  identification = 0133E8,  machine = 8561
"""
RISCV = "processor\t: 0\nhart\t\t: 1\nisa\t\t: rv64imafdc\nmmu\t\t: sv39\nuarch\t\t: sifive,u74-mc\n"
LOONGARCH = """\
system type\t\t: generic-loongson-machine

processor\t\t: 0
CPU Family\t\t: Loongson-64bit
Model Name\t\t: Loongson-3A5000-HV
CPU MHz\t\t\t: 2500.00
"""
POWER = (
    "processor\t: 0\ncpu\t\t: POWER9 (architected), altivec supported\nclock\t\t: 2200.000000MHz\nmachine\t: CHRP IBM\n"
)
MIPS = "system type\t: MT7621\nmachine\t: a router\nprocessor\t: 0\ncpu model\t: MIPS 1004Kc V2.15\n"


@pytest.mark.parametrize(
    ("cpuinfo", "model"),
    [
        (arm((0x41, 0xD08), (0x41, 0xD08), model="Model\t: Raspberry Pi 4 Model B Rev 1.4\n"), "Cortex-A72"),
        (arm((0x41, 0xD0B)), "Cortex-A76"),
        (arm((0x41, 0xD0C)), "Neoverse-N1"),
        (arm(*[(0x41, 0xD03)] * 4, *[(0x41, 0xD08)] * 2), "Cortex-A53 + Cortex-A72"),
        (arm((0xC0, 0xAC3)), "Ampere-1"),
        (arm((0x61, 0x022), (0x61, 0x023)), "Icestorm-M1 + Firestorm-M1"),
        (arm((0x41, 0xFFF)), "ARM part 0xfff"),
        (arm((0x99, 0x1)), "implementer 0x99 part 0x1"),
        ("model name\t: ARMv7 Processor rev 4 (v7l)\n" + arm((0x41, 0xC07)), "Cortex-A7"),
        ("CPU implementer\t: x\nCPU part\t: y\nHardware\t: Z\n", "Z"),
        (S390X, "IBM/S390 8561"),
        ("vendor_id       : IBM/S390\n", "IBM/S390"),
        (RISCV, "sifive,u74-mc"),
        (RISCV.replace("uarch", "other"), "rv64imafdc"),
        (LOONGARCH, "Loongson-3A5000-HV"),
        (POWER, "POWER9 (architected), altivec supported"),
        (MIPS, "MIPS 1004Kc V2.15"),
        (X86, "AMD EPYC 7R13 Processor"),
        (RASPBERRY, "Raspberry Pi 4 Model B Rev 1.4"),
        ("processor\t: 0\nmodel name\t:\nHardware\t: X\n", "X"),
        ("processor\t: 0\n", ""),
        ("", ""),
    ],
)
def test_the_model_is_found_in_cpuinfo(cpuinfo: str, model: str) -> None:
    assert parse_cpu_model(cpuinfo) == model


def test_without_cpuinfo_python_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "CPUINFO_FILE", tmp_path / "none")
    monkeypatch.setattr(platform, "processor", lambda: "Intel64 Family 6")
    assert cpu_model() == "Intel64 Family 6"


def test_a_mac_without_an_answer_from_sysctl_still_has_a_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise FileNotFoundError("/usr/sbin/sysctl")

    monkeypatch.setattr(machine, "CPUINFO_FILE", tmp_path / "none")
    monkeypatch.setattr(psutil, "MACOS", True)
    monkeypatch.setattr(machine.subprocess, "run", refuse)
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    assert cpu_model() == "arm"


def refuse_os_release() -> dict[str, str]:
    raise OSError("no os-release")


@pytest.mark.parametrize(
    ("version_of_mac", "system", "name"),
    [("15.1", "Darwin", "macOS 15.1"), ("", "Windows", "Windows 11"), ("", "FreeBSD", "FreeBSD 11")],
)
def test_a_system_without_os_release_is_named_by_python(
    monkeypatch: pytest.MonkeyPatch, version_of_mac: str, system: str, name: str
) -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", refuse_os_release)
    monkeypatch.setattr(platform, "mac_ver", lambda: (version_of_mac, ("", "", ""), ""))
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "release", lambda: "11")
    assert os_name() == name


def test_linux_is_named_as_it_names_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"PRETTY_NAME": "Debian GNU/Linux 12"})
    assert os_name() == "Debian GNU/Linux 12"


def test_a_platform_without_a_boot_id_has_an_empty_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "BOOT_ID_FILE", tmp_path / "none")
    assert describe()["boot_id"] == ""


def test_an_odd_line_of_the_memory_costs_the_machine_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(linux, "PROC", tmp_path)
    monkeypatch.setattr(psutil, "LINUX", True)
    (tmp_path / "meminfo").write_text("ShadowCallStack:10373888 kB\nMemTotal:   1000 kB\n")
    assert describe()["memory_bytes"] == 1024000
    (tmp_path / "meminfo").write_text("MemTotal:\n")
    assert describe()["memory_bytes"] is None


@pytest.mark.skipif(not psutil.LINUX, reason="the clock is Linux's")
@pytest.mark.parametrize("btime", [0, 10, 2_000_000_000])
def test_the_boot_is_not_what_a_container_gives_for_it(monkeypatch: pytest.MonkeyPatch, btime: int) -> None:
    now, uptime = 1_790_000_000.0, 86_400.5
    monkeypatch.setattr(psutil, "boot_time", lambda: float(btime))
    monkeypatch.setattr(machine.time, "time", lambda: now)
    monkeypatch.setattr(machine.time, "clock_gettime", {machine.time.CLOCK_BOOTTIME: uptime}.__getitem__)
    assert describe()["booted_at"] == now - uptime


def test_this_machine_is_described() -> None:
    facts = describe()
    assert list(json.loads(json.dumps(facts))) == [
        "os_name",
        "kernel",
        "architecture",
        "cpu_model",
        "logical_cores",
        "physical_cores",
        "memory_bytes",
        "boot_id",
        "booted_at",
    ]
    assert facts["os_name"]
    assert facts["booted_at"] == pytest.approx(psutil.boot_time(), abs=2)
