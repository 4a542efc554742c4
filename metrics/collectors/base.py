"""What every collector is: a family name and one method that returns a reading."""

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias

Value: TypeAlias = int | float | str | bool | None | list[float | None]
"""A raw value: a gauge as it is, a counter cumulative. None where the platform has none."""

Row: TypeAlias = dict[str, Value]
"""One thing measured (a machine, a partition, a process): flat, with the same keys in every row of a kind."""

Reading: TypeAlias = dict[str, list[Row]]
"""What a collector returns: kind -> rows. JSON-serialisable."""


class NoData(Exception):
    """Raised by `read` when this platform has nothing for the family: an outcome, not a failure."""


class Collector(ABC):
    """Reads one family. A subclass that names its `family` is registered by being defined.

    An instance may remember things between readings, so keep it; it is not safe to call from two threads.
    An intermediate class leaves `family` out and `read` abstract.
    """

    family: ClassVar[str]
    warning: str = ""
    """What keeps the newest reading from being whole, such as a part that had to wait; empty where nothing does."""
    excluded: Mapping[str, Sequence[str]] = MappingProxyType({})
    """The names that a setting left out of the newest reading, by what they are, such as `interfaces`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "family" in cls.__dict__:
            _register(cls)
        elif not getattr(cls.read, "__isabstractmethod__", False) and not hasattr(cls, "family"):
            raise TypeError(f"{cls.__qualname__} can read but names no family")

    def set_up(self, settings: Mapping[str, str]) -> None:  # noqa: B027 (most have nothing to set up)
        """Take over what the program's settings say, before the first reading: `commands` is SYSMON_COMMANDS,
        `exclude_interfaces` SYSMON_EXCLUDE_INTERFACES, and so on."""

    def resume(self, reading: Reading) -> None:  # noqa: B027 (most have nothing to go on from)
        """Go on from the newest reading of this boot that was stored, before the first reading of this process."""

    @abstractmethod
    def read(self) -> Reading:
        """Read the family now.

        Times are in seconds (float), sizes in bytes (int); a key is never left out.
        Raises NoData where the platform has nothing for this family; anything else raised is a failure.
        """


_registry: dict[str, type[Collector]] = {}


def _register(collector: type[Collector]) -> None:
    known = _registry.setdefault(collector.family, collector)
    if known is not collector and _identity(known) != _identity(collector):
        raise TypeError(f"family {collector.family!r} is already read by {known.__module__}.{known.__qualname__}")
    _registry[collector.family] = collector  # the same class again is a reloaded module


def _identity(collector: type[Collector]) -> tuple[str, str]:
    return collector.__module__, collector.__qualname__


def collectors() -> dict[str, type[Collector]]:
    """Return family -> collector class, ordered by family, after importing every module of this package.

    A module that cannot be imported raises ImportError: a family never goes missing silently.
    """
    package = importlib.import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    return dict(sorted(_registry.items()))
