"""Typed readers of the environment and of a `.env` file; each fails with one line that a user can act on."""

import os
import re
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values

Parsed = TypeVar("Parsed")

PREFIX = "SYSMON_"
# Of the tests and the benchmarks, which read them by themselves.
OF_DEVELOPERS = ("SYSMON_TEST_", "SYSMON_BENCH_")
TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})
RATE = re.compile(r"[1-9][0-9]*/(s|sec|second|m|min|minute|h|hour|d|day)")


class SettingError(ImproperlyConfigured):
    """A setting that cannot be used; its text names the setting, its value and what is allowed."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(f"{name}={value!s}: {allowed}")

    @property
    def line(self) -> str:
        """The text as one line, whatever is in the value."""
        return " ".join(str(self).split())


class Env:
    """The program's settings as text, and readers that turn them into typed values.

    A variable of the environment beats the same name in the file. An empty value counts as not set.
    """

    def __init__(self, base_dir: Path, environ: Mapping[str, str] | None = None) -> None:
        self.base_dir = base_dir
        in_file = dotenv_values(base_dir / ".env", encoding="utf-8")
        self._values: dict[str, str | None] = {**in_file, **(os.environ if environ is None else environ)}
        self._names: set[str] = set()

    def text(self, name: str, default: str = "") -> str:
        """The value without surrounding blanks, or the default."""
        return self._raw(name).strip() or default

    @property
    def unknown_names(self) -> list[str]:
        """A line for each name of ours that is set and that nothing has read: misspelt, as a rule. Its value is not
        repeated: it may be a secret."""
        ours = sorted(name for name in self._values if name.upper().startswith(PREFIX))
        lines = []
        for name in ours:
            if name not in self._names and not name.startswith(OF_DEVELOPERS):
                near = get_close_matches(name.upper(), sorted(self._names), n=1)
                lines.append(
                    f"{ascii(name)[1:-1]} is no setting" + (f"; is {near[0]} meant?" if near else ", and is ignored")
                )
        return lines

    def _raw(self, name: str) -> str:
        self._names.add(name)
        return self._values.get(name) or ""

    def integer(self, name: str, default: int, minimum: int, maximum: int) -> int:
        """A whole number between `minimum` and `maximum`, both included."""
        value = self.text(name, str(default))
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", value) or not minimum <= int(value) <= maximum:
            raise SettingError(name, value, f"must be a whole number from {minimum} to {maximum}")
        return int(value)

    def boolean(self, name: str, default: bool) -> bool:
        """1, true, yes, on or 0, false, no, off, in any case."""
        value = self.text(name, "1" if default else "0").lower()
        if value not in TRUE | FALSE:
            raise SettingError(name, value, "must be 1 or 0")
        return value in TRUE

    def parsed(self, name: str, default: str, parse: Callable[[str], object]) -> str:
        """Text that `parse` takes; what its ValueError says is what the user reads."""
        value = self.text(name, default)
        try:
            parse(value)
        except ValueError as error:
            raise SettingError(name, value, str(error)) from None
        return value

    def secret(self, name: str, *, parse: Callable[[str], Parsed]) -> Parsed:
        """What `parse` makes of a text that may hold a password: the value is never repeated in the error."""
        try:
            return parse(self.text(name))
        except ValueError as error:
            raise SettingError(name, "…", str(error)) from None

    def choice(self, name: str, default: str, allowed: Sequence[str]) -> str:
        """One word of `allowed`."""
        value = self.text(name, default)
        if value not in allowed:
            raise SettingError(name, value, f"must be one of {', '.join(allowed)}")
        return value

    def words(self, name: str) -> list[str]:
        """A comma-separated list; empty parts are dropped."""
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    def hosts(self, name: str) -> list[str]:
        """Host names as Django's ALLOWED_HOSTS takes them, but never the wildcard `*`."""
        for host in (found := self.words(name)):
            if host == "*" or not re.fullmatch(r"\.?[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]", host):
                raise SettingError(name, host, "must be host names or addresses joined by commas, never *")
        return found

    def host_name(self, name: str, default: str) -> str:
        """The name under which samples are stored: up to 100 printable characters, no blank."""
        value = self.text(name, default)
        if len(value) > 100 or not value.isprintable() or " " in value:
            raise SettingError(name, repr(value), "must be at most 100 printable characters without a blank")
        return value

    def origins(self, name: str) -> list[str]:
        """Web origins: scheme, host and perhaps a port."""
        for origin in (found := self.words(name)):
            parts = urlsplit(origin)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or "*" in origin:
                raise SettingError(name, origin, "must be origins such as https://example.org, joined by commas")
        return found

    def rate(self, name: str, default: str = "") -> str | None:
        """A rate such as `1000/min` in DRF's notation; None is off."""
        value = self.text(name, default)
        if value and not RATE.fullmatch(value):
            raise SettingError(name, value, "must be a number of requests a time, such as 1000/min, or empty")
        return value or None

    def path(self, name: str, default: str) -> Path:
        """A path as it is, blanks at its ends included; `~` is a home, and a relative one counts from the project's
        folder."""
        text = self._raw(name)
        path = Path(text if text.strip() else default)
        try:
            return (self.base_dir / path.expanduser()).absolute()
        except RuntimeError:
            raise SettingError(
                name, path, f"there is no home for {path.parts[0]}; write ./{path} for the name"
            ) from None

    def time_zone(self, name: str) -> str:
        """The name of a time zone, such as Asia/Seoul; "" where none is set."""
        value = self.text(name)
        try:
            if value:
                zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise SettingError(name, value, "must be a time zone's name, such as Europe/Berlin") from None
        return value

    def url(self, name: str, schemes: Sequence[str]) -> str:
        """A URL with one of the schemes; its value is never repeated in the error: it may hold a password."""
        value = self.text(name)
        scheme, separator, _rest = value.partition("://")
        if value and (not separator or scheme.lower() not in schemes):
            raise SettingError(name, "…", f"must begin with one of {', '.join(s + '://' for s in schemes)}")
        return value
