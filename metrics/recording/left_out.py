"""What of a tick is not kept by its own name, so that health and the page can say where it went."""

from collections.abc import Mapping, Sequence

from metrics.models.others import LeftOut

# So many are listed, and so much of each: a row of these is written at every tick.
MAX_LISTED = 100
MAX_CHARACTERS = 200


def left_out(excluded: Mapping[str, Sequence[str]], summed: Mapping[str, Sequence[str]]) -> list[LeftOut]:
    """Return what settings excluded, and what is kept in a sum only; both come as names by their plural."""
    return [
        *(_listed(what, names, f"SYSMON_EXCLUDE_{what.upper()}") for what, names in excluded.items()),
        *(_listed(what, names) for what, names in summed.items()),
    ]


def _listed(what: str, names: Sequence[str], setting: str = "") -> LeftOut:
    return {
        "what": what,
        "reason": "excluded" if setting else "summed",
        "setting": setting,
        "count": len(names),
        "names": [name if len(name) <= MAX_CHARACTERS else name[:MAX_CHARACTERS] + "…" for name in names[:MAX_LISTED]],
    }
