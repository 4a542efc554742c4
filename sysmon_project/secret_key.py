"""The data directory, and the secret key that is made once and kept in it."""

import errno
import os
import secrets
import sys
import tempfile
from pathlib import Path

from metrics.storage.permissions import HAS_MODES, OTHERS, Mended, NotPrivateError, make_private
from sysmon_project.env import SettingError

FILE_NAME = "secret_key"


def data_directory(path: Path) -> Path:
    """Make the data directory (0700) where it is missing, and mend one that others could read, with one line.

    A SettingError where it cannot be used, or is in the hand of another user.
    """
    try:
        mended = make_private(path)
        is_new_key = _drop_exposed_key(path, mended)
    except NotPrivateError as error:
        raise SettingError("SYSMON_DATA_DIR", path, str(error)) from None
    except OSError as error:
        raise SettingError("SYSMON_DATA_DIR", path, f"cannot be used: {error.strerror}") from None
    except ValueError:
        raise SettingError("SYSMON_DATA_DIR", repr(str(path)), "must be a path") from None
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise SettingError("SYSMON_DATA_DIR", path, "must be a directory that this user may read and write")
    if line := _what_was_mended(mended, is_new_key):
        print(f"sysmon: {SettingError('SYSMON_DATA_DIR', path, line).line}", file=sys.stderr)
    return path


def _drop_exposed_key(directory: Path, mended: Mended) -> bool:
    """Remove a key that others could read or write: it is a secret no more. True where there was one."""
    file = directory / FILE_NAME
    is_exposed = mended.others_entered and file in mended.files
    if is_exposed:
        file.unlink(missing_ok=True)
    return is_exposed


def _what_was_mended(mended: Mended, is_new_key: bool) -> str:
    """One line for the user; empty where there is nothing to say."""
    said = []
    if mended.was_open:
        said.append(f"was open to other users (mode {mended.mode:04o}) and is 0700 now")
    if mended.files:
        names = mended.files[0].name if len(mended.files) == 1 else f"{len(mended.files)} files"
        said.append(f"{names} in it {'is' if len(mended.files) == 1 else 'are'} 0600 now")
    if is_new_key:
        said.append("the secret key could be read by them: a new one is made, and people sign in anew")
    return "; ".join(said)


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
    except ValueError:
        raise SettingError("SYSMON_DATA_DIR", directory, f"{FILE_NAME} is damaged; remove it for a new one") from None


def _kept(file: Path) -> str:
    try:
        _check_is_nobody_elses(file)
        return file.read_text("ascii").strip()
    except FileNotFoundError:
        return ""


def _check_is_nobody_elses(file: Path) -> None:
    """Raise an OSError for a key that is behind a link and not this user's or root's alone."""
    if file.is_symlink() and HAS_MODES:
        found = file.stat()
        if found.st_uid not in {0, os.geteuid()} or found.st_mode & OTHERS:
            raise PermissionError(errno.EACCES, "is a link to a file that others may read or write")


def _create(file: Path) -> str:
    descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{FILE_NAME}-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_urlsafe(48))
        if file.exists() and not file.read_text("ascii").strip():
            Path(draft).replace(file)
        else:
            os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink(missing_ok=True)
    return file.read_text("ascii").strip()
