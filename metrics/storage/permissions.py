"""Who may look into what the program writes: the user that runs it, and nobody else.

What others could read or write is mended where it is this user's own, and refused where it is not: the rules are those
of sshd's StrictModes and of PostgreSQL. Windows has no modes; there nothing is looked at.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HAS_MODES = hasattr(os, "geteuid")
ROOT = 0
OTHERS = 0o077
OTHERS_ENTER = 0o011
OTHERS_WRITE = 0o022
MAX_LINKS = 40
ABOVE_THE_PROGRAM = frozenset(Path(__file__).resolve().parents)
# What SQLite makes beside a database, in its mode.
COMPANIONS = ("-wal", "-shm", "-journal")
# By these an open directory is known for one of sysmon's.
MARKS = frozenset({"secret_key", "sysmon.sqlite3"})
OTHER_NAMES = ("lost+found", "static")
OTHER_BEGINNINGS = (".", "sysmon.sqlite3", "attempts.sqlite3", "queue.sqlite3")


class NotPrivateError(Exception):
    """A directory or a file that others have in hand; the text is for the user."""


@dataclass(frozen=True, slots=True)
class Mended:
    """What others could have read or written: the mode that the directory had, and files that were not 0600."""

    mode: int
    files: list[Path]

    @property
    def was_open(self) -> bool:
        """Whether others could read or enter the directory."""
        return bool(self.mode & OTHERS)

    @property
    def others_entered(self) -> bool:
        """Whether others could reach the files in the directory."""
        return bool(self.mode & OTHERS_ENTER)


def use_private_umask() -> None:
    """From here on this process and those that it starts make files that are 0600 and directories that are 0700 from
    the first moment, whatever the umask was."""
    if HAS_MODES:
        os.umask(OTHERS)


def make_private(directory: Path) -> Mended:
    """Make a directory that is this user's alone (0700), or make it so with all that is in it; return what was mended.

    A NotPrivateError where it, something in it or a directory above it is in the hand of another user; an OSError where
    it cannot be used.
    """
    if not HAS_MODES:
        directory.mkdir(parents=True, exist_ok=True)
        return Mended(0, [])
    if directory.exists():
        # Whose it is says more than whose the directories above it are.
        _check_owner(directory, directory.stat())
    check_way(directory)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.stat()
    _check_owner(directory, found)
    if found.st_mode & OTHERS:
        _check_is_a_data_directory(directory, found)
        _close(directory, found.st_mode & stat.S_IRWXU)
    files = [file for file in _entries(directory) if _mend(file, was_writable=bool(found.st_mode & OTHERS_WRITE))]
    return Mended(stat.S_IMODE(found.st_mode), files)


def make_database_private(file: Path) -> list[Path]:
    """Make a database and what SQLite made beside it this user's alone (0600), wherever it is; return what was mended.

    A NotPrivateError where one of them, or the way to it, is in the hand of another user. The directory may be open for
    reading, but not for writing, be it sticky: SQLite would take what others put beside the database for its own.
    """
    if not HAS_MODES:
        return []
    check_way(file)
    place = Path(os.path.realpath(file))
    if place.parent.is_dir() and (reason := _may_be_written(place.parent.stat())):
        raise NotPrivateError(f"its directory {place.parent} {reason}; take one of its own")
    files = [Path(f"{place}{ending}") for ending in ("", *COMPANIONS)]
    return [one for one in files if os.path.lexists(one) and _mend(one, was_writable=False)]


def check_place_for_a_copy(directory: Path) -> None:
    """Raise a NotPrivateError for a directory in which everybody could put another file into the place of a new one."""
    if HAS_MODES and directory.is_dir():
        mode = directory.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise NotPrivateError(
                f"{directory} may be written by everybody (mode {stat.S_IMODE(mode):04o}), and what is in it replaced"
            )


def check_way(path: Path) -> None:
    """Raise a NotPrivateError where another user than root could put something else into the place of `path`: owns a
    directory or a link on the way, or may write into one. In a sticky directory, such as /tmp, only owners rename.

    Whom a directory above the program itself belongs to is trusted with that anyway, as where root runs a copy in
    somebody's home.
    """
    end = Path(os.path.realpath(path))
    for place, found in _steps(path.absolute()):
        if place == end or (place in ABOVE_THE_PROGRAM and not found.st_mode & stat.S_IWOTH):
            continue
        if not _is_trusted(found.st_uid):
            raise NotPrivateError(f"{place}, on the way to it, belongs to {_user(found.st_uid)}")
        is_shut = not stat.S_ISDIR(found.st_mode) or found.st_mode & stat.S_ISVTX
        if not is_shut and (reason := _may_be_written(found)):
            raise NotPrivateError(f"{place}, on the way to it, {reason}: what is in it can be replaced")


def _steps(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Every directory and link that is passed on the way to a path and is there, with its own state."""
    current = Path(path.anchor)
    yield current, current.lstat()
    parts, links = list(reversed(path.parts[1:])), 0
    while parts:
        if (part := parts.pop()) == "..":
            current = current.parent
            continue
        try:
            found = (current / part).lstat()
        except FileNotFoundError:
            return
        yield current / part, found
        if not stat.S_ISLNK(found.st_mode):
            current /= part
            continue
        links += 1
        if links > MAX_LINKS:
            raise NotPrivateError(f"{current / part} is a link to itself")
        target = (current / part).readlink()
        parts.extend(reversed(target.parts[1:] if target.is_absolute() else target.parts))
        current = Path(target.anchor) if target.is_absolute() else current


def _entries(directory: Path) -> Iterator[Path]:
    """All that is in a directory and below it, but not behind links."""
    for folder, folders, files in os.walk(directory):
        yield from (Path(folder, name) for name in (*folders, *files))


def _mend(file: Path, *, was_writable: bool) -> bool:
    """Make what is in a private directory private too; True where it was not. What is root's stays as it is."""
    try:
        found = file.lstat()
    except FileNotFoundError:
        return False
    if found.st_uid == ROOT != os.geteuid():
        return False
    _check_owner(file, found)
    is_directory = stat.S_ISDIR(found.st_mode)
    allowed = 0o700 if is_directory else 0o600
    if not (is_directory or stat.S_ISREG(found.st_mode)) or not stat.S_IMODE(found.st_mode) & ~allowed:
        return False
    if not is_directory and found.st_nlink > 1 and was_writable:
        raise NotPrivateError(f"{file} has a second name, which others may have given it; remove one of the two")
    _close(file, found.st_mode & allowed)
    return bool(found.st_mode & OTHERS) and not is_directory


def _close(place: Path, mode: int) -> None:
    try:
        place.chmod(mode)
    except FileNotFoundError:
        return
    except OSError as error:
        raise NotPrivateError(f"{place} may be read by others, and cannot be mended: {error.strerror}") from None
    if place.stat().st_mode & OTHERS:
        raise NotPrivateError(f"{place} may be read by others, and its file system keeps no modes; take another one")


def _check_owner(place: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        owner = _user(found.st_uid)
        raise NotPrivateError(
            f"{place} belongs to {owner}, and this program runs as {_user(os.geteuid())}:"
            " start it as that user, or take another directory"
        )


def _check_is_a_data_directory(directory: Path, found: os.stat_result) -> None:
    """Raise a NotPrivateError where others would miss an open directory: it is everybody's, or has files of others."""
    open_to = f"is open to other users (mode {stat.S_IMODE(found.st_mode):04o})"
    if (found.st_mode & stat.S_ISVTX and found.st_mode & stat.S_IWOTH) or directory.resolve() == Path(directory.anchor):
        raise NotPrivateError(f"{directory} {open_to} and everybody's; take a directory of its own")
    names = {entry.name for entry in directory.iterdir()}
    foreign = sorted(name for name in names if not _is_one_of_ours(name))
    if foreign and not names & MARKS:
        raise NotPrivateError(
            f"{directory} {open_to} and has files that are not sysmon's ({foreign[0]}):"
            " take a directory of its own, or close this one (chmod 700)"
        )


def _is_one_of_ours(name: str) -> bool:
    return name in OTHER_NAMES or name.startswith(OTHER_BEGINNINGS) or name.endswith(".lock")


def _may_be_written(found: os.stat_result) -> str | None:
    """By whom else than its owner a directory may be written; None where that is nobody."""
    mode = stat.S_IMODE(found.st_mode)
    if mode & stat.S_IWOTH:
        return f"may be written by everybody (mode {mode:04o})"
    if mode & stat.S_IWGRP and not _is_private_group(found.st_gid):
        return f"may be written by its group {_group(found.st_gid)} (mode {mode:04o})"
    return None


def _is_private_group(gid: int) -> bool:
    """Whether nobody but root and this user is known to be in a group, as where each user has a group of its own."""
    # Windows has neither of them.
    import grp
    import pwd

    if gid == ROOT:
        return True
    try:
        members = set(grp.getgrgid(gid).gr_mem)
    except KeyError:
        members = set()
    trusted = {ROOT, os.geteuid()}
    users = pwd.getpwall()
    by_group = {user.pw_uid for user in users if user.pw_gid == gid}
    by_name = {user.pw_uid for user in users if user.pw_name in members}
    return by_group | by_name <= trusted and members <= {user.pw_name for user in users}


def _is_trusted(uid: int) -> bool:
    return uid in (ROOT, os.geteuid()) or uid == _unknown_user()


def _unknown_user() -> int | None:
    """As whom root appears in a namespace of users that has no name for it; None where every user has one."""
    try:
        mapped = Path("/proc/self/uid_map").read_text().split()
        return int(Path("/proc/sys/kernel/overflowuid").read_text()) if mapped[2:] != ["4294967295"] else None
    except (OSError, ValueError):
        return None


def _user(uid: int) -> str:
    import pwd

    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def _group(gid: int) -> str:
    import grp

    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
