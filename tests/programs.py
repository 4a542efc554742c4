"""Programs of other makers, as Debian packages them, run on a free port and in a directory of their own."""

import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.skips import needs
from tests.supervision.running import eventually, free_port


class Program:
    """A server that can be killed and started again where it was.

    `{port}`, `{other_port}` and `{directory}` in its arguments are filled in.
    """

    def __init__(self, directory: Path, ready: str, program: str, *arguments: str, scheme: str = "http") -> None:
        self.port, self.directory = free_port(), directory
        self.address = f"{scheme}://127.0.0.1:{self.port}"
        self.places = {"port": self.port, "other_port": free_port(), "directory": directory}
        self._command = [needs(program), *(argument.format(**self.places) for argument in arguments)]
        self._ready = ready
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return when it answers."""
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(self._command, cwd=self.directory, stdout=log, stderr=log)
        assert eventually(self._answers, 20), (self.directory / "log").read_text()

    def kill(self) -> None:
        """End it without a chance to say goodbye."""
        self._end(lambda process: process.kill())

    def stop(self) -> None:
        """Ask it to end."""
        self._end(lambda process: process.terminate())

    def get(self, path: str, timeout: float = 5) -> str:
        """What an address answers."""
        with urllib.request.urlopen(f"{self.address}{path}", timeout=timeout) as answer:
            return answer.read().decode()

    def post(self, path: str, form: dict[str, str]) -> str:
        """What an address answers to a form."""
        body = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(f"{self.address}{path}", data=body, timeout=5) as answer:
            return answer.read().decode()

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.directory / "log").read_text()
        try:
            return bool(self.get(self._ready) or True)
        except OSError:
            return False

    def _end(self, end) -> None:
        if self.process is not None:
            end(self.process)
            self.process.wait(timeout=20)
            self.process = None


@contextmanager
def running(directory: Path, ready: str, program: str, *arguments: str) -> Iterator[Program]:
    """The program, started, and gone afterwards."""
    server = Program(directory, ready, program, *arguments)
    server.start()
    try:
        yield server
    finally:
        server.kill()
