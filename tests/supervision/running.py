"""A real `manage.py up` in a directory of its own, and what a test needs to watch it and to do it harm."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from tests.supervision.databases import FileDatabase, database_of

PROJECT = Path(__file__).resolve().parents[2]


def eventually(look: Callable[[], Any], seconds: float) -> Any:
    """Ask until the answer is true; the last answer where it never is."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not (answer := look()) and time.monotonic() < deadline:
        pause.wait(0.05)
    return answer


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Up:
    """One data directory with its database, and the `up` that runs on it."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        self.database = database_of(directory, settings.get("DATABASE_URL"))
        self.port = free_port()
        self.log = directory.parent / f"{directory.name}.log"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SYSMON_", "DATABASE_"))}
        self.environment = {
            **inherited,
            "DJANGO_SETTINGS_MODULE": "sysmon_project.settings",
            "SYSMON_DATA_DIR": str(directory),
            "DATABASE_URL": self.database.url,
            "SYSMON_PORT": str(self.port),
            "SYSMON_INTERVAL": "1",
            "PYTHONUNBUFFERED": "1",
            **settings,
        }
        self.interval_seconds = int(self.environment["SYSMON_INTERVAL"])
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def file(self) -> Path:
        """The file of its database, for a test that is marked `only_on_sqlite` or has no other DATABASE_URL."""
        assert isinstance(self.database, FileDatabase), "a test about the file of SQLite is to be marked only_on_sqlite"
        return self.database.file

    def start(self, *arguments: str, prefix: Sequence[str] = ()) -> None:
        """Start it, by a program of one's own, and return when it has said that it is there."""
        self.launch(*arguments, prefix=prefix)
        self.await_start()

    def launch(self, *arguments: str, prefix: Sequence[str] = (), command: str = "up") -> None:
        """Start it, or another command that records."""
        self._logged_before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "manage.py", command, *arguments],
                cwd=PROJECT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def await_start(self) -> None:
        """Return when it has said that it is there."""
        said = lambda: b"Ctrl-C ends it" in self.log.read_bytes()[self._logged_before :]  # noqa: E731
        assert eventually(said, 30), self.log.read_text()

    def run(self, *arguments: str, prefix: Sequence[str] = (), **settings: str) -> subprocess.CompletedProcess[str]:
        """Run another command of manage.py on the same data directory, by a program that starts it."""
        return subprocess.run(
            [*prefix, sys.executable, "manage.py", *arguments],
            cwd=PROJECT, env={**self.environment, **settings}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def add_administrator(self, name: str, password: str) -> None:
        """Make the database, and somebody who may do all in the admin."""
        made = f"User.objects.create_superuser({name!r}, password={password!r})"
        for command in (["migrate"], ["shell", "-c", f"from django.contrib.auth.models import User; {made}"]):
            assert self.run(*command).returncode == 0

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; return its exit status. More than ten seconds is too long."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=10)

    def end_for_sure(self) -> None:
        """Leave nothing behind, whatever the test did."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if self.process is not None:
            self.process.wait(timeout=10)
        self.database.drop()

    def processes(self) -> list[psutil.Process]:
        """Every process that works on this data directory, orphans too."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            is_alive = process.status() != psutil.STATUS_ZOMBIE
            return is_alive and process.environ().get("SYSMON_DATA_DIR") == str(self.directory)
        except psutil.Error:
            return False

    def supervisor(self) -> psutil.Process:
        """`up` itself."""
        assert self.process is not None
        return psutil.Process(self.process.pid)

    def web(self) -> psutil.Process:
        """The web server: the child of `up` that does not record."""
        recorder = self.recorder()
        return next(child for child in self.supervisor().children() if child != recorder)

    def recorder(self) -> psutil.Process:
        """The worker: the process that records now. It says so with its first tick."""
        found: list[tuple[int]] = eventually(lambda: self.query("SELECT pid FROM metrics_recorder"), 10)
        return psutil.Process(found[0][0])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the database, from outside; nothing while there is none, or no such table in it."""
        return self.database.query(sql)

    def ticks(self) -> list[int]:
        """The times of all ticks."""
        return [row[0] for row in self.query("SELECT timestamp FROM metrics_tick ORDER BY timestamp")]

    def newest_tick(self) -> int:
        """The time of the newest tick, 0 before the first."""
        return next((row[0] for row in self.query("SELECT MAX(timestamp) FROM metrics_tick") if row[0]), 0)

    def status(self, path: str, data: bytes | None = None) -> int:
        """Status of a page; with data, of a POST."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", data, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON of an address."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except OSError:
            return 0, None

    def text(self, path: str) -> str:
        """What an address answers, as text."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return str(answer.read().decode())
