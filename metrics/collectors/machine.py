"""What this machine is: facts that hold until the next boot, for its row among the hosts."""

import platform
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from metrics.collectors.arm_cores import core_name
from metrics.collectors.base import Value
from metrics.collectors.memory import machine_memory_bytes
from metrics.collectors.text import valid_text

# What systemd, D-Bus and the BSDs call a machine; the same after each boot.
MACHINE_ID_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"), Path("/etc/hostid"))
BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
CPUINFO_FILE = Path("/proc/cpuinfo")

# The first key of /proc/cpuinfo that is there: x86 has the first, Loongson the next, then RISC-V, MIPS and POWER. The
# last are the name of a board or of an instruction set, where the processor's own is not told.
_MODEL_KEYS = ("model name", "Model Name", "uarch", "cpu model", "cpu", "Model", "Hardware", "machine", "isa")
# Of IBM's mainframes: `machine = 8561` in a line of each processor.
_MACHINE_TYPE = re.compile(r"\bmachine = ([0-9A-F]+)")


def describe() -> dict[str, Value]:
    """Return os_name, kernel, architecture, cpu_model, cores, memory_bytes, boot_id and booted_at (epoch)."""
    return {
        "os_name": os_name(),
        "kernel": valid_text(platform.release()),
        "architecture": valid_text(platform.machine()),
        "cpu_model": cpu_model(),
        "logical_cores": psutil.cpu_count(),
        "physical_cores": psutil.cpu_count(logical=False),
        "memory_bytes": machine_memory_bytes(),
        "boot_id": boot_id(),
        "booted_at": booted_at(),
    }


def machine_id() -> str:
    """Return what tells this machine from others, that of its boot in a container without one; "" where neither is."""
    found = (_read(file).strip() for file in MACHINE_ID_FILES)
    own = next((text for text in found if text not in {"", "uninitialized"}), "") or (
        _sysctl("kern.uuid") if psutil.MACOS else ""
    )
    return own or boot_id()


def boot_id() -> str:
    """Return the kernel's id of this boot, "" where it has none."""
    return _read(BOOT_ID_FILE).strip()


def booted_at() -> float:
    """Return the time of the boot by the wall clock of now, in seconds since the epoch.

    Not what /proc/stat says: in a container that may be the container's start, while its processes count from the
    machine's.
    """
    if not psutil.LINUX:
        return float(psutil.boot_time())
    return round(time.time() - time.clock_gettime(time.CLOCK_BOOTTIME), 3)


def os_name() -> str:
    """Return such as `Debian GNU/Linux 12 (bookworm)`, `macOS 15.1` or `Windows 11`."""
    try:
        return valid_text(platform.freedesktop_os_release()["PRETTY_NAME"])
    except (OSError, KeyError):
        pass
    if version := platform.mac_ver()[0]:
        return f"macOS {version}"
    return f"{platform.system()} {platform.release()}".strip()


def cpu_model() -> str:
    """Return the processor's name as its maker gives it, "" where nothing tells it."""
    if model := parse_cpu_model(_read(CPUINFO_FILE)):
        return model
    return (_sysctl("machdep.cpu.brand_string") if psutil.MACOS else "") or platform.processor()


def parse_cpu_model(cpuinfo: str) -> str:
    """Find the model in the text of /proc/cpuinfo, as `lscpu` names it; "" where there is none.

    Where cores differ, as big and little ones of ARM do, each kind is named once.
    """
    values: dict[str, list[str]] = {}
    for line in cpuinfo.splitlines():
        key, colon, value = line.partition(":")
        if colon and value.strip():
            values.setdefault(key.strip(), []).append(value.strip())
    if cores := _arm_cores(values):
        return cores
    first = {key: found[0] for key, found in values.items()}
    if first.get("vendor_id") == "IBM/S390":
        machine_type = _MACHINE_TYPE.search(cpuinfo)
        return f"IBM/S390 {machine_type[1]}" if machine_type else "IBM/S390"
    return next((first[key] for key in _MODEL_KEYS if key in first), "")


def _arm_cores(values: Mapping[str, list[str]]) -> str:
    pairs = zip(values.get("CPU implementer", []), values.get("CPU part", []), strict=False)
    names = (core_name(implementer, part) for implementer, part in dict.fromkeys(pairs))
    return " + ".join(filter(None, names))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "backslashreplace")
    except OSError:
        return ""


def _sysctl(name: str) -> str:
    try:
        answer = subprocess.run(
            ["/usr/sbin/sysctl", "-n", name], capture_output=True, text=True, timeout=2, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()
