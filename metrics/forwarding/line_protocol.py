"""InfluxDB's line protocol: a measurement for each table of samples, its fields named as in the API.

A sample is the line `sysmon_KIND,host=…,LABEL=… FIELD=…,… SECONDS`. A list of numbers, as of the cores, becomes
a line for each: `sysmon_KIND_LIST,host=…,index=0 UNIT=…`. The same sample is always the same line, so one that is sent
twice is stored once.
"""

import gzip
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from metrics.forwarding.batches import Batch
from metrics.history.metadata import value_type
from metrics.history.ticks import StoredTick, samples_at, shipped_tables
from metrics.models import Host, Sample
from metrics.models.fields import Label, ShareList

HEADERS = {"Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip"}
# Quick: the far side is near, or the line is slow, and text of this kind shrinks to a tenth either way.
COMPRESSION_LEVEL = 3

# A backslash before one of these, or at the end, would hide it.
_HIDING = re.compile(r"\\+(?=[,= ]|$)")


def encode(host: Host, ticks: Sequence[StoredTick]) -> Batch:
    """The samples of ticks."""
    lines = [line for model in shipped_tables() for line in lines_of(host, model, [tick.timestamp for tick in ticks])]
    return Batch(gzip.compress("\n".join(lines).encode(), COMPRESSION_LEVEL, mtime=0), len(lines), HEADERS)


def lines_of(host: Host, model: type[Sample], timestamps: Sequence[int]) -> Iterator[str]:
    """A table's lines at some moments."""
    fields = model.measures()
    # A tag that changes makes another series: a label that may be unknown is none.
    labels = [field.name for field in fields if isinstance(field, Label) and not field.null]
    lists = [field for field in fields if isinstance(field, ShareList)]
    numbers = [field for field in fields if not isinstance(field, Label | ShareList)]
    measurement = f"sysmon_{model.kind}"
    for sample in samples_at(host, model, timestamps):
        tags = _tags({"host": host.name, **{label: sample[label] for label in labels}})
        timestamp = sample["timestamp"]
        if values := _values(numbers, sample):
            yield f"{measurement}{tags} {values} {timestamp}"
        for field in lists:
            yield from _list_lines(f"{measurement}_{field.name}{tags}", field, sample[field.name] or (), timestamp)


def _list_lines(start: str, field: ShareList, values: Iterable[float | None], timestamp: int) -> Iterator[str]:
    for index, value in enumerate(values):
        if value is not None:
            yield f"{start},index={index} {field.unit}={float(value)!r} {timestamp}"


def _tags(tags: dict[str, str]) -> str:
    """Tags in a fixed order; an empty one is left out, which the protocol cannot say."""
    return "".join(f",{name}={escaped(value)}" for name, value in sorted(tags.items()) if value)


def escaped(text: str) -> str:
    """A tag's value. A line break becomes the two characters that stand for it elsewhere."""
    text = text.replace("\r", "\\r").replace("\n", "\\n")
    text = _HIDING.sub(lambda match: match[0] * 2, text)
    return re.sub(r"([,= ])", r"\\\1", text)


def _values(fields: Iterable[Any], sample: dict[str, Any]) -> str:
    known = [(field, sample[field.name]) for field in fields if sample[field.name] is not None]
    return ",".join(f"{field.name}={_literal(value_type(field), value)}" for field, value in known)


def _literal(kind: type, value: Any) -> str:
    """A field keeps its type for ever, so that of the model decides and not the value."""
    if kind is bool:
        return "true" if value else "false"
    return f"{int(value)}i" if kind is int else repr(float(value))
