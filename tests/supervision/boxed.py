"""A `manage.py up` in namespaces of the kernel, as a container has them."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil

from tests.skips import missing, needs
from tests.supervision.running import Up, eventually

USER = 12345
# What a container engine does, in namespaces of the kernel: the data directory stays writable, nothing else does.
BOX = f"""
mount --bind "$0" "$0"
mount -o remount,bind,ro /
exec unshare --user --map-user={USER} --map-group={USER} -- env -u HOME -u USER -u LOGNAME "$@"
"""


class BoxedUp(Up):
    """An `up` that believes to be alone on a machine."""

    def box(self) -> list[str]:
        """What to write before a command to run it in a box."""
        first = [needs("unshare"), "--user", "--map-root-user", "--pid", "--mount", "--fork", "--mount-proc"]
        return [*first, "--kill-child", "sh", "-e", "-c", BOX, str(self.directory)]

    def start(self, *arguments: str) -> None:
        """Start it in a box; the process of a BoxedUp is that of `unshare`."""
        self.directory.mkdir(mode=0o700)
        with self.log.open("wb") as out, self.errors().open("wb") as errors:
            self.process = subprocess.Popen(
                [*self.box(), sys.executable, "manage.py", "up", *arguments],
                cwd=Path(__file__).resolve().parents[2], env=self.environment,
                stdin=subprocess.DEVNULL, stdout=out, stderr=errors,
            )  # fmt: skip
        assert eventually(lambda: b"Ctrl-C ends it" in self.log.read_bytes(), 30), self.errors().read_text()

    def errors(self) -> Path:
        """What was written to stderr."""
        return self.log.with_suffix(".err")

    def first(self) -> psutil.Process:
        """The first process of the box, as it is seen from outside."""
        return psutil.Process(self.process.pid).children()[0]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal to the first process; `unshare` ends with the same status."""
        self.first().send_signal(number)
        return self.process.wait(timeout=10)

    def check_that_it_can(self) -> None:
        """Skip, or fail, where this machine lets its users make no namespaces."""
        can = subprocess.run([*self.box()[:-5], "true"], capture_output=True, text=True, check=False)
        if can.returncode:
            missing(f"needs namespaces that a user may make: {can.stderr.strip()}")
