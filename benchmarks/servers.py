"""Starts the yardstick and sysmon for a benchmark, and ends what it has started."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
YARDSTICK = ROOT / "benchmarks" / "yardstick"
YARDSTICK_VENV = ROOT / ".venv" / "yardstick"
# The yardstick invents a million processes on a busy machine.
START_SECONDS = 600


class Server:
    """A running program with everything below it."""

    def __init__(self, command: list[str], directory: Path, environment: dict[str, str], port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/api/v1/"
        self.errors = Path(environment["BENCH_LOG"])
        with self.errors.open("wb") as log:
            self._process = subprocess.Popen(command, cwd=directory, env=environment, stdout=log, stderr=log)
        self.pid = self._process.pid
        self.start_seconds = self._wait()

    def _wait(self) -> float:
        began = time.monotonic()
        while time.monotonic() - began < START_SECONDS and self._process.poll() is None:
            if answers(f"{self.address}health"):
                return time.monotonic() - began
            time.sleep(0.01)
        self.stop()
        sys.exit(self.errors.read_text())

    def stop(self) -> None:
        """End it in good order, or else by force."""
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def answers(address: str) -> bool:
    """Whether an address answers 200."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def sysmon(directory: Path, interval: int, **settings: str) -> Iterator[Server]:
    """`manage.py up` on a data directory."""
    port = free_port()
    environment = {
        **os.environ,
        "BENCH_LOG": str(directory / "log"),
        "SYSMON_DATA_DIR": str(directory),
        "SYSMON_PORT": str(port),
        "SYSMON_INTERVAL": str(interval),
        **settings,
    }
    server = Server([sys.executable, "manage.py", "up"], ROOT, environment, port)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def yardstick(directory: Path, interval: int, prefill: int) -> Iterator[Server]:
    """The FastAPI application, installed first where it is not; SYSMON_BENCH_YARDSTICK names another one's file."""
    install_yardstick()
    file = Path(os.environ.get("SYSMON_BENCH_YARDSTICK") or YARDSTICK / "app.py").resolve()
    port = free_port()
    environment = {
        **os.environ,
        "BENCH_LOG": str(directory / "yardstick.log"),
        "INTERVAL": str(interval),
        "PREFILL": str(prefill),
    }
    command = [str(YARDSTICK_VENV / "bin" / "uvicorn"), f"{file.stem}:app", "--host", "127.0.0.1", "--no-access-log"]
    server = Server([*command, "--port", str(port)], file.parent, environment, port)
    try:
        yield server
    finally:
        server.stop()


def install_yardstick() -> None:
    """An environment of its own: nothing of it is a package of sysmon."""
    if (YARDSTICK_VENV / "bin" / "uvicorn").exists():
        return
    sys.stderr.write(f"installing the yardstick into {YARDSTICK_VENV.relative_to(ROOT)}\n")
    venv.create(YARDSTICK_VENV, clear=True, with_pip=True)
    pip = [str(YARDSTICK_VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    subprocess.run([*pip, "-r", str(YARDSTICK / "requirements.txt")], stdout=sys.stderr, check=True)


def ensure_wrk() -> None:
    """The load comes from wrk; where it is missing it is installed, if that is possible."""
    if shutil.which("wrk"):
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "install", "--yes", "--quiet", "wrk"], stdout=sys.stderr, check=True)
    else:
        sys.exit("wrk is needed to load the servers; on Debian and Ubuntu: apt install wrk")
