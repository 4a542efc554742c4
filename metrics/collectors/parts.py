"""A part of a family that fails for itself."""

from collections.abc import Callable
from typing import TypeVar

import psutil

from metrics.collectors.base import NoData
from metrics.collectors.omissions import Omissions

T = TypeVar("T")

# What a file that says nonsense, or none at all, makes of its reader; anything else is a fault of the program.
_FAILURES = (OSError, ValueError, LookupError, ArithmeticError, RuntimeError, psutil.Error)


def read_part(name: str, read: Callable[[], T], otherwise: T, omissions: Omissions) -> T:
    """Return what `read` returns; `otherwise` where it fails, which is said among what is left out."""
    try:
        return read()
    except NoData:
        return otherwise
    except _FAILURES as error:
        omissions.say(f"{name}: {type(error).__name__}: {error}")
        return otherwise
