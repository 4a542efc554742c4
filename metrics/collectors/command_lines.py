"""How much of a command line is looked at. Any user can start thousands of processes with lines of megabytes, so a
line is cut before it is masked, and where a part of a secret could be left, the cut falls in front of it."""

import os
import re
from collections.abc import Sequence

from metrics.collectors.text import decode

MAX_COMMAND_BYTES = 4096

_BLANKS = (b" ", b"\t", b"\n")
# The paths of a Java program may be longer than all that is kept, and no path is a secret.
_PATH_LIST = re.compile(rb"(?:--?[\w-]+=)?(?:(?:[~.]{0,2}/[\w./+*-]*+|[\w./+*-]+\.jar):)+")


def split_arguments(raw: bytes) -> list[str]:
    """Return the arguments within the first MAX_COMMAND_BYTES of what /proc/PID/cmdline holds, as valid text.

    An argument that does not fit goes whole, or is cut at its last blank, or between two paths: what is left of
    `user:secret@host` or of a token could not be told from harmless text.
    """
    if len(raw) > MAX_COMMAND_BYTES:
        raw = _cut(raw[:MAX_COMMAND_BYTES])
    raw = raw.rstrip(b"\0")  # who rewrites his arguments leaves NULs behind
    return _within([decode(argument) for argument in raw.split(b"\0")]) if raw else []


def cut_arguments(arguments: Sequence[str]) -> list[str]:
    """Cut arguments from psutil in the same way."""
    raw = b"\0".join(os.fsencode(argument) for argument in arguments[:MAX_COMMAND_BYTES])
    return split_arguments(raw)


def _cut(raw: bytes) -> bytes:
    first = raw.rfind(b"\0") + 1
    paths = _PATH_LIST.match(raw, first)
    if paths:
        return raw[: paths.end() - 1]
    return raw[: max(first, *(raw.rfind(blank) for blank in _BLANKS))]


def _within(arguments: list[str]) -> list[str]:
    """Without those that became too long as text: a byte that is no UTF-8 is four characters."""
    left = MAX_COMMAND_BYTES
    for index, argument in enumerate(arguments):
        left -= len(argument)
        if left < 0:
            return arguments[:index]
    return arguments
