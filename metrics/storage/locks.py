"""Who may use a data directory: one web server, one recorder."""

from collections.abc import Iterable
from contextlib import ExitStack

from filelock import FileLock, Timeout

from metrics import conf

WEB, WORKER = PARTS = "web", "worker"


class DirectoryInUse(Exception):
    """Another program holds the data directory; the text is for the user."""


def hold_data_directory(parts: Iterable[str]) -> ExitStack:
    """Lock the data directory for these parts until the stack is closed, or the process ends in whatever way."""
    directory = conf.data_directory()
    with ExitStack() as held:
        for part in parts:
            lock = FileLock(directory / f"{part}.lock", timeout=0, mode=0o600)
            try:
                held.enter_context(lock)
            except Timeout:
                message = f"another sysmon {user_of(part)} uses the data directory {directory}"
                raise DirectoryInUse(message) from None
        return held.pop_all()


def user_of(part: str) -> str:
    """What to call the program that holds a part."""
    return "recorder (`up` or `collect`)" if part == WORKER else "web server (`up`)"
