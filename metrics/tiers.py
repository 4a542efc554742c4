"""The resolutions in which history is kept: one table, read by all who need it.

Raw samples are bounded by their number (SYSMON_MAX_POINTS). Each coarser tier is made from the one before it and is
kept for a span of time (SYSMON_TIERS). Between and beyond those are summaries, which nobody asks for by name: a query
about a year would have to add up every quarter of an hour otherwise.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from django.conf import settings

from metrics.formatting.moments import SECONDS_OF_UNIT

RAW = 0
DEFAULT_TIERS = "1m=14d,15m=400d"
RAW_NAME = "raw"
# The processes that a row of a tier is worth: the highest of each order; fewer where a row is kept for a year.
TOP_OF_THE_FINEST, TOP_OF_THE_OTHERS = 10, 5
# Summaries of the coarsest tier: their widths as multiples of its own. Only the last of them has single processes, and
# more of them, for it stands for many points.
SUMMARY_FACTORS = (6, 36)
TOP_OF_A_SUMMARY = 25
# No tier and no summary is wider than a day.
WIDEST_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Tier:
    """Points of `width_seconds`, made from those of `source_seconds` (RAW: the raw ones), kept for `kept_seconds`.

    `top_processes` is how many processes of each order are kept in a point. A summary is no resolution of the history:
    it only stands for the points that it was made from where these are added up.
    """

    width_seconds: int
    source_seconds: int
    kept_seconds: int
    top_processes: int
    is_summary: bool = False


def tiers() -> tuple[Tier, ...]:
    """The roll-up tiers, finest first."""
    return parse_tiers(str(getattr(settings, "SYSMON_TIERS", "") or DEFAULT_TIERS))


def stored_tiers() -> tuple[Tier, ...]:
    """The roll-up tiers, and then the summaries: each after what it is made from."""
    return (*tiers(), *summaries())


def summaries() -> tuple[Tier, ...]:
    """Between two tiers one that is about as far from either, beyond the coarsest tier those of SUMMARY_FACTORS."""
    known = tiers()
    last = known[-1]
    found = [_between(*pair) for pair in pairwise(known)]
    for factor in SUMMARY_FACTORS:
        top_processes = TOP_OF_A_SUMMARY if factor == SUMMARY_FACTORS[-1] else 0
        found.append(Tier(last.width_seconds * factor, last.width_seconds, last.kept_seconds, top_processes, True))
    return tuple(tier for tier in found if tier and tier.width_seconds <= min(WIDEST_SECONDS, tier.kept_seconds // 2))


def _between(finer: Tier, coarser: Tier) -> Tier | None:
    ratio = coarser.width_seconds // finer.width_seconds
    factor = next(factor for factor in range(2, ratio + 1) if ratio % factor == 0 and factor * factor >= ratio)
    return (
        Tier(finer.width_seconds * factor, finer.width_seconds, finer.kept_seconds, 0, True) if factor < ratio else None
    )


@lru_cache(maxsize=8)
def parse_tiers(text: str) -> tuple[Tier, ...]:
    """Read `WIDTH=SPAN` pairs such as `1m=14d,15m=400d`; a ValueError says what is wrong."""
    found: list[Tier] = []
    for pair in text.split(","):
        width, separator, span = pair.partition("=")
        if not separator:
            raise ValueError(f"“{pair.strip()}” is not a width and a span, such as 1m=14d")
        source = found[-1].width_seconds if found else RAW
        top = TOP_OF_THE_OTHERS if found else TOP_OF_THE_FINEST
        found.append(_checked(Tier(_seconds(width), source, _seconds(span), top)))
    return tuple(found)


def _checked(tier: Tier) -> Tier:
    finest = tier.source_seconds or 60
    if tier.width_seconds % finest or tier.width_seconds <= tier.source_seconds or 86_400 % tier.width_seconds:
        raise ValueError("each width is a multiple of the one before it, a minute at the least, and divides a day")
    if tier.kept_seconds < 2 * tier.width_seconds:
        raise ValueError("a tier is kept for two of its widths at the least")
    return tier


def _seconds(text: str) -> int:
    match = re.fullmatch(r"([1-9][0-9]{0,6})([smhd])", text.strip(), re.ASCII)
    if match is None:
        raise ValueError(f"“{text.strip()}” is not a number of s, m, h or d")
    return int(match[1]) * SECONDS_OF_UNIT[match[2]]


def name_of(width_seconds: int) -> str:
    """What a tier is called in the settings, by its width: `1m`, `15m`, `1h`; `raw` for the raw samples."""
    unit, length = next(
        (unit, length) for unit, length in reversed(SECONDS_OF_UNIT.items()) if width_seconds % length == 0
    )
    return f"{width_seconds // length}{unit}" if width_seconds else RAW_NAME
