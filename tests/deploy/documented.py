"""What the documentation tells people to type, and a terminal in which a test types it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.skips import needs
from tests.source import ROOT
from tests.supervision.running import eventually, free_port

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What root types looks like a heading.
ANY_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
# What a copy of the program consists of.
PROGRAM = ("manage.py", "metrics", "sysmon_project", "deploy", "requirements.txt")


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of one block of a page, without their prompts and without what is printed, and the heading above."""

    page: str
    heading: str
    lines: tuple[str, ...]


def blocks(page: str) -> list[Block]:
    """The blocks of a page that show a terminal."""
    text = (ROOT / page).read_text("utf-8")
    found = []
    for match in BLOCK.finditer(text):
        headings = re.findall(r"^#+ (.*)$", ANY_BLOCK.sub("", text[: match.start()]), re.MULTILINE)
        lines = tuple(line[2:] for line in match[1].splitlines() if line.startswith(("$ ", "# ")))
        found.append(Block(page, headings[-1], lines))
    return found


def below(page: str, heading: str) -> list[Block]:
    """Those below one heading of a page, which has at least one."""
    found = [block for block in blocks(page) if block.heading == heading]
    assert found, f"{page} has no commands below {heading!r} any more"
    return found


def installed(directory: Path, **settings: str) -> Path:
    """A copy of the program as somebody has it who has just fetched it; settings go into its `.env`."""
    for name in PROGRAM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            directory.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, directory / name)
    (directory / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return directory


class Terminal:
    """A shell in a directory, in which lines are typed one after the other as they stand in a page.

    `places` are names of the page that mean something else here, such as the address of a server; `box` is what to
    write before the shell, so that it has directories of its own.
    """

    def __init__(
        self,
        directory: Path,
        places: Mapping[str, str],
        path: Sequence[Path] = (),
        box: Sequence[str] = (),
        **environment: str,
    ) -> None:
        self.port = free_port()
        self._places = places
        self._log = directory.parent / f"{directory.name}.terminal"
        inherited = {name: os.environ[name] for name in ("HOME", "LANG", "TZ") if name in os.environ}
        folders = [*path, Path(sys.executable).parent, Path(os.environ["PATH"])]
        command = [*box, needs("bash")]
        with self._log.open("wb") as log:
            self._shell = subprocess.Popen(
                command, cwd=directory, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True,
                env={**inherited, "PATH": ":".join(map(str, folders)), "PYTHONUNBUFFERED": "1", **environment},
            )  # fmt: skip

    def type(self, line: str, *answers: str) -> None:
        """Type a line, and what its program asks for; return when it has ended well."""
        printed = self._typed(line, *answers)
        assert eventually(lambda: b"[status " in self._after(printed), 60), self.screen()
        assert b"[status 0]" in self._after(printed), self.screen()

    def start(self, line: str) -> None:
        """Type a line that starts sysmon in the foreground; return when it says that it is there."""
        printed = self._typed(line)
        assert eventually(lambda: b"Ctrl-C ends it" in self._after(printed), 40), self.screen()

    def press_ctrl_c(self) -> None:
        """End what runs in the foreground; return when it has ended well."""
        printed = self._log.stat().st_size
        [running] = psutil.Process(self._shell.pid).children()
        running.send_signal(signal.SIGINT)
        assert eventually(lambda: b"[status 0]" in self._after(printed), 15), self.screen()

    def screen(self) -> str:
        """All that was printed so far."""
        return self._log.read_text("utf-8", "replace")

    def close(self) -> None:
        """End the shell and all that it has started."""
        shell = psutil.Process(self._shell.pid)
        for process in [*shell.children(recursive=True), shell]:
            process.kill()
        self._shell.wait(10)

    def _typed(self, line: str, *answers: str) -> int:
        assert self._shell.stdin is not None
        printed = self._log.stat().st_size
        for place, own in self._places.items():
            line = line.replace(place, own)
        # On the same line: a program that asks something reads all that waits.
        self._shell.stdin.write("\n".join([f'{line}; echo "[status $?]"', *answers, ""]).encode())
        self._shell.stdin.flush()
        return printed

    def _after(self, printed: int) -> bytes:
        return self._log.read_bytes()[printed:]
