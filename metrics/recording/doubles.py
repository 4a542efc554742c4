"""Rows of a reading that have the same key: two things of one name, as odd bytes are shown like others' names.

Neither a table nor an exporter has room for both, and of two rates nobody could say whose they are.
"""

from metrics.collectors.base import Reading
from metrics.collectors.omissions import Omissions
from metrics.models.samples import sample_models


def drop_doubles(family: str, reading: Reading) -> str:
    """Keep the first row of each key; return what was left out, "" for nothing."""
    omissions = Omissions()
    for model in sample_models(family):
        rows = reading.get(model.kind, ())
        keys = [tuple(map(row.get, model.reading_key)) for row in rows] if len(rows) > 1 else ()
        if len(set(keys)) == len(keys):
            continue
        first: dict[tuple[object, ...], int] = {}
        for place, key in enumerate(keys):
            if first.setdefault(key, place) != place:
                omissions.add(f"the {model.kind} rows, for another of the same name", " ".join(map(str, key)))
        reading[model.kind] = [rows[place] for place in first.values()]
    return str(omissions)
