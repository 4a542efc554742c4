"""Which file a path names now: a file that was removed or replaced while it is open has another device or inode."""

import os
import threading
from pathlib import Path
from typing import NamedTuple

PathName = str | Path

# What belongs to a file: the last pages written are in the first of these until they are copied back.
SIDECARS = ("-wal", "-shm")


class FileId(NamedTuple):
    """What tells a file from all others, whatever it is called."""

    device: int
    inode: int


_lock = threading.Lock()
_opened: dict[str, FileId] = {}
_changes = 0


def file_id(path: PathName) -> FileId | None:
    """The file that a path names; None where there is none. An OSError where that cannot be found out."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return FileId(found.st_dev, found.st_ino)


def note_opened(path: PathName, file: FileId) -> None:
    """Count a change where this process has had another file open by that path."""
    global _changes
    with _lock:
        _changes += _opened.get(str(path), file) != file
        _opened[str(path)] = file


def was_opened(path: PathName) -> bool:
    """Whether this process has had the path open."""
    return str(path) in _opened


def file_changes() -> int:
    """How often this process found another file where it had had one open: what it remembers of rows by their ids holds
    as long as this number stays."""
    return _changes
