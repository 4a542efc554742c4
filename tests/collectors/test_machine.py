import json
import platform
from pathlib import Path

import psutil
import pytest

from metrics.collectors import machine
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


@pytest.mark.parametrize(
    ("cpuinfo", "model"),
    [
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
