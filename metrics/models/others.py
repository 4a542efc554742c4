"""The row that stands for all things of a list but the busiest: what it is called, and what is in it."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from metrics.models.fields import Label
from metrics.models.samples import Sample

# So many things of a list are kept by name.
MAX_NAMED = 64
# A name that no thing has: interfaces and disks have no slash in theirs, and a mount point begins with one, or with the
# letter of a drive.
PREFIX = "others/"
# What a total counts, what it does not, and what nobody says of: a sum each, so that a total stays what it is.
GROUPS: Mapping[bool | None, str] = {True: "counted", False: "uncounted", None: "unknown"}
ALL = "all"
NAMES = tuple(PREFIX + word for word in (*GROUPS.values(), ALL))


class LeftOut(TypedDict):
    """Things of one sort that are not kept by name of the newest tick. `names` has the first of them, `setting` what
    excludes them; "" where they are in a sum."""

    what: str
    reason: Literal["excluded", "summed"]
    setting: str
    count: int
    names: list[str]


def others_name(model: type[Sample], values: Mapping[str, Any]) -> str:
    """Return the name of the row that a thing's values go into where it is not kept by its own."""
    is_told_apart = any(field.name == "is_counted" for field in model.measures())
    return PREFIX + (GROUPS[values["is_counted"]] if is_told_apart else ALL)


def others_row(model: type[Sample], name: str) -> dict[str, Any]:
    """Return the values of such a row before anything is summed: null for what a sum does not have."""
    row: dict[str, Any] = {
        field.name: "" if isinstance(field, Label) and not field.null else None for field in model.measures()
    }
    row[model.named_by] = name
    if "is_counted" in row:
        row["is_counted"] = next(flag for flag, word in GROUPS.items() if name == PREFIX + word)
    return row
