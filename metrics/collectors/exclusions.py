"""What a setting leaves out: the interfaces, mounts and disks whose names match one of its shell patterns."""

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import translate
from functools import lru_cache

# What each setting leaves out where it is not set, by the last word of its name. In containers' own mounts nobody looks
# for space; the host's ends of their cables, and these mounts, come and go with each of them.
EXCLUDED_INTERFACES = "veth*"
EXCLUDED_MOUNTS = "/var/lib/docker/*,/var/lib/containers/storage/*"
EXCLUDED_DISKS = "none"
DEFAULTS = {"interfaces": EXCLUDED_INTERFACES, "mounts": EXCLUDED_MOUNTS, "disks": EXCLUDED_DISKS}
# An empty value counts as not set.
NOTHING = "none"
MAX_CHARACTERS = 4096
_CLOSED_BRACKET = re.compile(r"\[!?.[^\]]*\]")


def parse_patterns(what: str, text: str) -> tuple[str, ...]:
    """Return the patterns of a comma-separated list for the names of `what`, a key of DEFAULTS; `none` is none at all.

    Raises ValueError for a text that holds one which cannot be meant: it would match nothing, ever.
    """
    if text.strip() == NOTHING:
        return ()
    patterns = tuple(pattern for part in text.split(",") if (pattern := part.strip()))
    if not patterns:
        raise ValueError(f"must be shell patterns joined by commas, or {NOTHING}")
    for pattern in patterns:
        if not pattern.isprintable() or len(pattern) > MAX_CHARACTERS:
            raise ValueError(
                f"the pattern {pattern[:40]!a} is no printable text of {MAX_CHARACTERS} characters at most"
            )
        if "[" in _CLOSED_BRACKET.sub("", pattern):
            raise ValueError(f"the pattern {pattern} opens a bracket that it does not close; [[] stands for a bracket")
        if complaint := _COMPLAINTS[what](pattern):
            raise ValueError(f"the pattern {pattern} {complaint}")
    return patterns


def _is_no_interface(pattern: str) -> str:
    return "has a / in it, and no interface has one in its name" if "/" in pattern else ""


def _is_no_disk(pattern: str) -> str:
    return "is a path; disks are named as in lsblk, such as sdb or loop*" if pattern.startswith("/") else ""


def _is_no_mount(pattern: str) -> str:
    """Elsewhere than on Unix a mount point begins with the letter of a drive."""
    is_path = re.match(r"[/*?\[]|[A-Za-z]:", pattern)
    return "" if is_path else "must begin with / or *, as the whole path of a mount point is compared"


_COMPLAINTS = {"interfaces": _is_no_interface, "mounts": _is_no_mount, "disks": _is_no_disk}


class Exclusion:
    """Leaves out what a setting's patterns match, and remembers the names of it of the newest reading."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._names: dict[str, None] = {}
        self._pattern = _joined(parse_patterns(what, DEFAULTS[what]))

    def set_up(self, settings: Mapping[str, str]) -> None:
        """Take over the patterns of the settings, where these name any."""
        if (text := settings.get(f"exclude_{self._what}")) is not None:
            self._pattern = _joined(parse_patterns(self._what, text))

    def begin(self) -> None:
        """Forget the names of the reading before."""
        self._names = {}

    def leaves_out(self, *names: str) -> bool:
        """Whether a thing is left out for any of the names that it goes by; it is listed by the last of them."""
        is_out = self._pattern is not None and any(self._pattern.match(name) for name in names)
        if is_out:
            self._names[names[-1]] = None
        return is_out

    def names(self) -> Mapping[str, Sequence[str]]:
        """Return what was left out since the beginning of the reading, by what it is; nothing where that was none."""
        return {self._what: list(self._names)} if self._names else {}


@lru_cache
def _joined(patterns: Iterable[str]) -> "re.Pattern[str] | None":
    """One expression for all patterns: two hundred names are matched at each reading."""
    return re.compile("|".join(map(translate, patterns))) if patterns else None
