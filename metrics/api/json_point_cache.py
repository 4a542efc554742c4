"""Raw points as JSON that was made once: a series with another start, end or limit is joined from the bytes.

A row of a raw sample never changes once it is written. So which rows an answer has is found out after each commit
(metrics/history/rows.py), and only what they look like is remembered: a tick that came late is among the rows, and one
that was pruned is not.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from metrics.formatting.moments import iso
from metrics.history.rows import PointRow, RowIndex, read_raw_points, row_index
from metrics.history.series import Series, SeriesQuery
from metrics.storage.commit_watch import database_changes

# Of each of two generations: some seven thousand points of all fields of a family.
MAX_BYTES = 4_194_304
# What Python needs for one more point: the row, the head of the bytes, a place in a dictionary.
OVERHEAD_BYTES = 280
# Families and choices of fields whose points are at hand in the order of the rows; eight bytes a point, no more: the
# points themselves are the ones above.
MAX_STRETCHES = 16

# A family, some of its fields or all, and the file whose rows they are, counted.
Shape = tuple[str, tuple[str, ...] | None, int]
Texts = list[bytes | None]


@dataclass(frozen=True, slots=True)
class EncodedSeries:
    """A series without its points, how many those are, and what they are in JSON. `identity` is what that follows from:
    the rows, and how one of them is shown."""

    series: Series
    count: int
    results: orjson.Fragment
    identity: bytes


class EncodedPoints:
    """Points by the shape in which they are shown and by their row. What was not asked for since the last time that
    there was too much goes first."""

    def __init__(self, most_bytes: int = MAX_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._bytes = 0
        # How often too much has been dropped.
        self.generation = 0
        self._young: dict[Shape, dict[PointRow, bytes]] = {}
        self._old: dict[Shape, dict[PointRow, bytes]] = {}

    def find(self, shape: Shape, rows: Sequence[PointRow]) -> Texts:
        """What is known of each row."""
        with self._lock:
            young, old = self._young.get(shape, {}), self._old.get(shape, {})
            found = [young.get(row) or old.get(row) for row in rows]
            self._add(shape, {row: old[row] for row in rows if row in old and row not in young})
            return found

    def keep(self, shape: Shape, points: dict[PointRow, bytes]) -> None:
        """Remember points that are new."""
        with self._lock:
            self._add(shape, points)

    def _add(self, shape: Shape, points: dict[PointRow, bytes]) -> None:
        self._bytes += sum(map(len, points.values())) + len(points) * OVERHEAD_BYTES
        if self._bytes > self._most_bytes:
            self._old, self._young, self._bytes = self._young, {}, 0
            self.generation += 1
        self._young.setdefault(shape, {}).update(points)


class EncodedRows:
    """The points of an index in the order of its rows, as far as they were asked for."""

    def __init__(self, points: EncodedPoints) -> None:
        self._points = points
        self._generation = 0
        self._stretches: dict[tuple[int, Shape], tuple[RowIndex, Texts]] = {}

    def texts(self, query: SeriesQuery, index: RowIndex, start: int, stop: int) -> list[bytes] | None:
        """The points of some rows; None where one of them has gone meanwhile."""
        shape = _shape(query)
        known, texts = self._stretches.get((query.host.pk, shape), (None, []))
        if known is not index:
            texts = self._points.find(shape, index.rows)
            if len(self._stretches) >= MAX_STRETCHES or self._generation != self._points.generation:
                # What was dropped there must not live on here.
                self._generation = self._points.generation
                self._stretches.clear()
            self._stretches[query.host.pk, shape] = index, texts
        if None in texts[start:stop]:
            self._fill(query, index, texts, start, stop)
        found = [text for text in texts[start:stop] if text is not None]
        return found if len(found) == stop - start else None

    def _fill(self, query: SeriesQuery, index: RowIndex, texts: Texts, start: int, stop: int) -> None:
        missing = [place for place in range(start, stop) if texts[place] is None]
        if not missing:
            # Another thread has been faster.
            return
        points = read_raw_points(query, index.rows[missing[0]][0], index.rows[missing[-1]][0])
        made = {}
        for place in missing:
            row = index.rows[place]
            if row[0] in points:
                texts[place] = made[row] = orjson.dumps(points[row[0]] | {"timestamp": iso(row[0])})
        self._points.keep(_shape(query), made)


def _shape(query: SeriesQuery) -> Shape:
    return query.family, query.fields, database_changes()


_rows = EncodedRows(EncodedPoints())


def read_encoded(query: SeriesQuery) -> EncodedSeries | None:
    """The newest points of the range; None where they have to be read and put together."""
    index = row_index(query)
    found = None if index is None else index.find(query)
    if index is None or found is None:
        return None
    texts = _rows.texts(query, index, found.start, found.stop)
    if texts is None:
        return None
    rows = index.rows[found.start : found.stop]
    identity = orjson.dumps([query.fields, query.descending, rows]) + texts[0]
    if query.descending:
        texts.reverse()
    series = Series([], rows[0][0], found.has_older, None)
    return EncodedSeries(series, len(texts), orjson.Fragment(b"[%b]" % b",".join(texts)), identity)
