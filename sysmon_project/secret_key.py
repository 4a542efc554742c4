"""The secret key that is made once and kept in the data directory."""

import os
import secrets
import tempfile
from pathlib import Path

from sysmon_project.env import SettingError

FILE_NAME = "secret_key"


def data_directory(path: Path) -> Path:
    """Make the data directory (0700) where it is missing; a SettingError where that cannot be."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError("SYSMON_DATA_DIR", path, f"cannot be used: {error.strerror}") from None
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise SettingError("SYSMON_DATA_DIR", path, "must be a directory that this user may read and write")
    return path


def generated_secret_key(directory: Path) -> str:
    """The key of this data directory, made at the first call (0600).

    Two processes that start at once get the same key: the file is written under another name and then linked,
    so that it is never seen half written, and the first one wins.
    """
    file = directory / FILE_NAME
    try:
        return _kept(file) or _create(file)
    except OSError as error:
        raise SettingError("SYSMON_DATA_DIR", directory, f"{FILE_NAME}: {error.strerror}") from None


def _kept(file: Path) -> str:
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        return ""


def _create(file: Path) -> str:
    descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{FILE_NAME}-")
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(48))
        if file.exists() and not file.read_text().strip():
            Path(draft).replace(file)
        else:
            os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink(missing_ok=True)
    return file.read_text().strip()
