"""Who may use a data directory: one web server, one recorder. The kernel keeps the locks, so that a process lets go of
them however it ends; a fork of it does not hold them."""

from collections.abc import Iterable
from contextlib import ExitStack

from filelock import FileLock, Timeout

from metrics import conf

WEB, WORKER = PARTS = "web", "worker"
# Held by the run that records, whatever process it is in, and by the one that waits for its turn.
RECORDER, NEXT = "recorder", "next"


class DirectoryInUse(Exception):
    """Another program holds the data directory; the text is for the user."""


def hold_data_directory(parts: Iterable[str]) -> ExitStack:
    """Lock the data directory for these parts until the stack is closed, or the process ends in whatever way."""
    with ExitStack() as held:
        for part in parts:
            try:
                held.enter_context(lock_of(part))
            except Timeout:
                message = f"another sysmon {user_of(part)} uses the data directory {conf.data_directory()}"
                raise DirectoryInUse(message) from None
        return held.pop_all()


def lock_of(part: str) -> FileLock:
    """A lock that nobody waits for: filelock.Timeout where another one of the same part is held, also by this process.

    flock, or what Windows has instead; on a file system without it a file that says which process made it.
    """
    return FileLock(conf.data_directory() / f"{part}.lock", timeout=0, mode=0o600)


def user_of(part: str) -> str:
    """What to call the program that holds a part."""
    if part == RECORDER:
        return "recorder (`qcluster`)"
    return "recorder (`up` or `collect`)" if part == WORKER else "web server (`up`)"
