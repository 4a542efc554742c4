"""The resolutions in which history is kept: one table, read by all who need it.

Raw samples are bounded by their number (SYSMON_MAX_POINTS). Each roll-up tier is made from the one before it, divides
every wider one, and is kept for a span of time (SYSMON_TIERS). Beside the models and not among them: the settings are
parsed before a model can be loaded.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import log as logarithm

from django.conf import settings

from metrics.formatting.moments import SECONDS_OF_UNIT

log = logging.getLogger(__name__)

RAW = 0
RAW_NAME = "raw"
DEFAULT_TIERS = "1m=14d,5m=14d,15m=400d,1h=400d,6h=400d,1d=10y"
UNITS = {**{unit: SECONDS_OF_UNIT[unit] for unit in "smhd"}, "y": 365 * 86_400}
# The processes of each order that a bucket of a width keeps: fewer where there are many buckets for a year, and more of
# a wide one, which stands for many points.
TOP_PROCESSES = {60: 10, 300: 10, 900: 5, 3600: 5, 21_600: 10, 86_400: 25}
WIDTHS = tuple(TOP_PROCESSES)
WIDEST_SECONDS = WIDTHS[-1]


@dataclass(frozen=True, slots=True)
class Tier:
    """Points of `width_seconds`, made from those of `source_seconds` (RAW: the raw ones), kept for `kept_seconds`.

    `top_processes` is how many processes of each order are kept in a point.
    """

    width_seconds: int
    source_seconds: int
    kept_seconds: int
    top_processes: int


def tiers() -> tuple[Tier, ...]:
    """The roll-up tiers, finest first."""
    return parse_tiers(str(getattr(settings, "SYSMON_TIERS", "") or DEFAULT_TIERS))


@lru_cache(maxsize=8)
def parse_tiers(text: str) -> tuple[Tier, ...]:
    """Read `WIDTH=SPAN` pairs such as `1m=14d,15m=400d`; a ValueError says what is wrong.

    A width that is not named keeps its span of DEFAULT_TIERS. One that there is no more is taken for the nearest, with
    a line in the log; the longest of several spans counts then.
    """
    spans = _spans(DEFAULT_TIERS) | _of_today(_spans(text))
    for width, wider in pairwise((*WIDTHS, WIDEST_SECONDS)):
        if spans[width] < 2 * wider:
            raise ValueError(f"{name_of(width)} is kept for {name_of(2 * wider)} at the least")
    sources = (RAW, *WIDTHS)
    return tuple(Tier(width, sources[n], spans[width], TOP_PROCESSES[width]) for n, width in enumerate(WIDTHS))


def _spans(text: str) -> dict[int, int]:
    """The span of each width that is named, in seconds."""
    found: dict[int, int] = {}
    for pair in text.split(","):
        width, separator, span = pair.partition("=")
        if not separator:
            raise ValueError(f"“{pair.strip()}” is not a width and a span, such as 1m=14d")
        if _seconds(width) in found:
            raise ValueError(f"“{width.strip()}” is there twice")
        found[_seconds(width)] = _seconds(span)
    return found


def _of_today(spans: Mapping[int, int]) -> dict[int, int]:
    """The same by the widths that there are."""
    found: dict[int, int] = {}
    for width, span in spans.items():
        nearest = _nearest(width, WIDTHS)
        found[nearest] = max(span, found.get(nearest, 0))
    if others := [width for width in spans if width not in WIDTHS]:
        taken = ", ".join(f"{name_of(width)} is taken for {name_of(_nearest(width, WIDTHS))}" for width in others)
        log.warning("SYSMON_TIERS: the widths are %s; %s", ", ".join(map(name_of, WIDTHS)), taken)
    return found


def _nearest(width: int, widths: Iterable[int]) -> int:
    return min(widths, key=lambda other: abs(logarithm(other / width)))


def _seconds(text: str) -> int:
    match = re.fullmatch(r"([1-9][0-9]{0,6})([smhdy])", text.strip(), re.ASCII)
    if match is None:
        raise ValueError(f"“{text.strip()}” is not a number of s, m, h, d or y")
    return int(match[1]) * UNITS[match[2]]


def name_of(width_seconds: int) -> str:
    """What a tier is called in the settings, by its width: `1m`, `15m`, `1h`; `raw` for the raw samples."""
    unit, length = next((unit, length) for unit, length in reversed(UNITS.items()) if width_seconds % length == 0)
    return f"{width_seconds // length}{unit}" if width_seconds else RAW_NAME
