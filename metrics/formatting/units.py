"""Values as people read them: for the admin and for the terminal's commands. All functions are plain and pure.

Sizes of memory and of disks count in 1024 (GiB), rates in 1000 (MB/s), as the tools do that people compare with.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

EMPTY = "-"
MAX_CHARACTERS = 80
# For what is not cut, such as a message with the path of a file in it.
MAX_LINE = 8192
MAX_LISTED = 16

_BINARY_PREFIXES = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_SI_PREFIXES = ("", "k", "M", "G", "T", "P", "E")
_SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def _prefixed(value: float, base: int, prefixes: Sequence[str], unit: str) -> str:
    """The number with the highest prefix that leaves at least 1 of it, after rounding to one decimal."""
    power = 0
    while power < len(prefixes) - 1 and abs(round(value, 1 if power else 0)) >= base:
        value, power = value / base, power + 1
    return f"{value:,.{1 if power else 0}f} {prefixes[power]}{unit}"


def size(value: float) -> str:
    """Bytes of memory or of a disk: `1536` is `1.5 KiB`."""
    return _prefixed(value, 1024, _BINARY_PREFIXES, "B")


def byte_rate(value: float) -> str:
    """Bytes a second: `3400000` is `3.4 MB/s`."""
    return _prefixed(value, 1000, _SI_PREFIXES, "B/s")


def rate(value: float) -> str:
    """How often a second: `1234.5` is `1,234.5 /s`."""
    return f"{number(round(value, 1))} /s"


def percent(value: float) -> str:
    """A share: `12.345` is `12.3 %`."""
    return f"{value:,.1f} %"


def megahertz(value: float) -> str:
    """A clock: `2400.4` is `2,400 MHz`."""
    return f"{value:,.0f} MHz"


def link_speed(megabits: float) -> str:
    """The speed of a link: `2500` is `2.5 Gbit/s`, `100` is `100 Mbit/s`."""
    return f"{number(megabits / 1000)} Gbit/s" if megabits >= 1000 else f"{number(megabits)} Mbit/s"


def celsius(value: float) -> str:
    """A temperature: `48.25` is `48.2 °C`."""
    return f"{value:,.1f} °C"


def number(value: float) -> str:
    """A bare number, with two decimals at the most: `1234567` is `1,234,567`."""
    text = f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration(seconds: float) -> str:
    """A length of time by its two highest parts: `93784` is `1 d 2 h`, `0.35` is `350 ms`."""
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if 0 < seconds < 1:
        return milliseconds(seconds * 1000)
    if seconds < 60:
        return f"{number(round(seconds, 1))} s"
    parts, rest = [], round(seconds)
    for length, name in _SPANS:
        count, rest = divmod(rest, length)
        parts.append((count, name))
    first = next(index for index, (count, _name) in enumerate(parts) if count)
    return " ".join(f"{count} {name}" for count, name in parts[first : first + 2] if count)


def milliseconds(value: float) -> str:
    """A short time: `12.34` is `12 ms`, `2.34` is `2.3 ms`."""
    return f"{value:,.0f} ms" if value >= 10 else f"{number(round(value, 1))} ms"


def local_time(moment: datetime | None, *, offset: bool = False) -> str:
    """A moment in the program's time zone, to the second; with `offset` it says how far that is from UTC."""
    if moment is None:
        return EMPTY
    here = timezone.localtime(moment).replace(microsecond=0)
    return (here if offset else here.replace(tzinfo=None)).isoformat(sep=" ")


def visible(text: str, limit: int = MAX_CHARACTERS) -> str:
    """Text of unknown origin on one line, as `printable`, and cut at `limit` characters."""
    return printable(text if len(text) <= limit else text[: limit - 1] + "…")


def printable(text: str) -> str:
    """Text of unknown origin on one line: whatever could steer a terminal or turn the reading direction is written out
    (`\\x1b`)."""
    return text if text.isprintable() else "".join(c if c.isprintable() else _written_out(c) for c in text)


def visible_lines(text: str, limit: int) -> str:
    """As `visible`, for text of several lines; the cut says how much is missing."""
    lines = "\n".join(visible(line, limit) for line in text[:limit].split("\n"))
    missing = len(text) - limit
    return lines if missing <= 0 else lines + "\n… " + _("%(count)s more characters") % {"count": number(missing)}


def _written_out(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


# By the unit that a field of a model says it has; another unit is written behind the number.
_BY_UNIT: dict[str, Callable[[float], str]] = {
    "": number,
    "bytes": size,
    "bytes_per_second": byte_rate,
    "celsius": celsius,
    "mbps": link_speed,
    "mhz": megahertz,
    "per_second": rate,
    "percent": percent,
    "seconds": duration,
}


def measured(value: Any, unit: str = "", limit: int = MAX_LISTED) -> str:
    """Any value that a sample holds, in its unit; None, which says that the platform does not report it, is `-`."""
    if value is None:
        return EMPTY
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return _listed(value, unit, limit)
    form = _BY_UNIT.get(unit)
    return form(value) if form else f"{number(value)} {unit_words(unit)}"


def _listed(values: list[Any], unit: str, limit: int) -> str:
    """`12.3, 4.5 %`: the unit once where all have the same; what is too much is counted."""
    texts = [measured(value, unit) for value in values[:limit]]
    known = [place for place, text in enumerate(texts) if text != EMPTY]
    units = {texts[place].partition(" ")[2] for place in known}
    if len(units) == 1:
        (common,) = units
        for place in known[:-1]:
            texts[place] = texts[place].removesuffix(f" {common}")
    return ", ".join(texts if len(values) <= limit else [*texts, f"… ({len(values)})"])


def unit_words(unit: str) -> str:
    """A unit of the contract as words: `bytes_per_second` is `bytes per second`."""
    return unit.replace("_", " ")
