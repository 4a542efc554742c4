"""A PostgreSQL of this machine's packages in a temporary directory: a server of its own for a test, or for all of them.

`python -m tests.postgresql COMMAND …` runs a command, such as pytest, with SYSMON_TEST_DATABASE_URL set to a new one.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.skips import missing
from tests.supervision.running import free_port

# Anybody is let in; what is to show no password can show this one.
USER, PASSWORD = "sysmon", "let-me-in"
# Not C: the order of text is to differ from SQLite's, as on most servers.
INITDB = ("--auth=trust", "--encoding=UTF8", "--locale-provider=icu", "--icu-locale=en-US")
# No disk is waited for: what is in it is thrown away.
FAST = "fsync = off\nfull_page_writes = off\nshared_buffers = 64MB\nmax_connections = 60\n"
MAY_NOT_BE_ROOT = ("postgres", "nobody")


class PostgreSQL:
    """A server in a directory, on a port of 127.0.0.1, and who administers it."""

    def __init__(self, directory: Path, port: int, administrator: str = USER) -> None:
        self.directory = directory
        self.port = port
        self.administrator = administrator
        self._bin = programs()

    def url(self, database: str = "postgres") -> str:
        """What DATABASE_URL takes."""
        return f"postgres://{self.administrator}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def create(self) -> None:
        """Make the cluster of databases."""
        self.directory.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.directory, unprivileged_user())
        self._run("initdb", "--no-sync", f"--username={self.administrator}", *INITDB)
        with (self.directory / "postgresql.conf").open("a") as settings:
            settings.write(f"{FAST}port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n")

    def create_database(self, name: str) -> str:
        """Make an empty database; return its URL."""
        arguments = ("--host=127.0.0.1", f"--port={self.port}", f"--username={self.administrator}", name)
        subprocess.run([str(self._bin / "createdb"), *arguments], check=True, capture_output=True, timeout=30)
        return self.url(name)

    def start(self) -> None:
        """Start it, and return when it answers."""
        self._run("pg_ctl", "start", "--wait", "--silent", f"--log={self.directory / 'log'}")

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is as if it had crashed."""
        self._run("pg_ctl", "stop", "--wait", "--silent", f"--mode={mode}")

    def processes(self) -> list[psutil.Process]:
        """The server's own and those of its connections."""
        server = psutil.Process(int((self.directory / "postmaster.pid").read_text().split()[0]))
        return [server, *server.children()]

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), f"--pgdata={self.directory}", *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", unprivileged_user(), "--", *command]
        # Not into pipes, which the server would keep open; from a directory that its user may enter.
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=120)
        done.check_returncode()


def programs() -> Path:
    """Where PostgreSQL's programs are; Debian keeps those of the server off the PATH."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return found[-1] if found else missing("needs a PostgreSQL server (Debian: postgresql), which is not installed")


def unprivileged_user() -> str:
    """Who runs it where the tests run as root, whom PostgreSQL refuses."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in MAY_NOT_BE_ROOT if name in names), MAY_NOT_BE_ROOT[0])


@contextmanager
def running(administrator: str = USER) -> Iterator[PostgreSQL]:
    """A new server, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="sysmon-postgresql-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)
        server = PostgreSQL(Path(directory) / "cluster", free_port(), administrator)
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


def main(command: list[str]) -> int:
    """Run a command with a server of its own, which is gone afterwards, also when somebody ends this."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with running() as server:
        environment = {**os.environ, "SYSMON_TEST_DATABASE_URL": server.url()}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
