"""In which of Prometheus' formats a scraper wants the text: by the quality values of Accept, as RFC 9110 has them."""

from collections.abc import Sequence

from django.http.request import MediaType

PLAIN, OPENMETRICS = "text/plain", "application/openmetrics-text"


def preferred(accept: str) -> str:
    """Return what of an Accept header speaks of the format that it prefers, the best first; "" for plain text in its
    oldest version, which also stands where two are wanted as much and neither is named, or none is wanted at all.

    The client library knows formats and versions, and takes the first that it can make, whatever its weight is.
    """
    ranges = [MediaType(part) for part in accept.lower().split(",") if part.strip()]
    named = [one for one in ranges if str(one).partition(";")[0] in (PLAIN, OPENMETRICS) and one.quality > 0]
    weights = {kind: quality(ranges, kind) for kind in (PLAIN, OPENMETRICS)}
    if weights[OPENMETRICS] > weights[PLAIN]:
        named = [one for one in named if one.sub_type == "openmetrics-text"] or [MediaType(OPENMETRICS)]
    elif weights[PLAIN] > weights[OPENMETRICS]:
        named = [one for one in named if one.sub_type == "plain"]
    return ", ".join(str(one) for one in sorted(named, key=lambda one: -one.quality))


def quality(ranges: Sequence[MediaType], kind: str) -> float:
    """Return how much a format is wanted, from 0 to 1: what speaks of it by name goes before `text/*`, and that before
    `*/*`; of several versions of it the highest."""
    main, _slash, sub = kind.partition("/")
    for wanted in ((main, sub), (main, "*"), ("*", "*")):
        found = [one.quality for one in ranges if (one.main_type, one.sub_type) == wanted]
        if found:
            return max(found)
    return 0.0
