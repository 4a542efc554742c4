"""Copies a history from one database to another, whatever their engines, and proves that both hold the same.

Rows keep their ids, and go in the order of these, a chunk a transaction. What is there already is compared first, in
every table, and not written again: so a copy that was interrupted goes on, and a target with anything else in it is
refused before a row is written.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.core.management.color import no_style
from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from metrics.models import (
    CollectorState,
    Event,
    ForwardCursor,
    Host,
    NewestProcesses,
    NewestReading,
    Process,
    RollUpState,
    Tick,
    TickReading,
)
from metrics.models.samples import sample_models

CHUNK_ROWS = 5000
Row = tuple[Any, ...]


class CopyError(Exception):
    """A history that cannot be copied; the text is for the user."""


@dataclass(frozen=True, slots=True)
class Contents:
    """How many rows a table has, and the checksum of all of them."""

    rows: int
    checksum: str


def copied_models() -> list[type[models.Model]]:
    """The tables of a history, those that others point to first. Who records, who may sign in and what is queued belong
    to the machine and not to its history."""
    first: list[type[models.Model]] = [Host, Process]
    states = [NewestReading, NewestProcesses, CollectorState, RollUpState, ForwardCursor]
    return [*first, *sample_models(), Tick, TickReading, Event, *states]


class Table:
    """One table in one of the databases."""

    def __init__(self, model: type[models.Model], alias: str) -> None:
        self.model = model
        self._connection: BaseDatabaseWrapper = connections[alias]
        self._fields = list(model._meta.concrete_fields)
        quote = self._connection.ops.quote_name
        columns = [quote(str(field.column)) for field in self._fields]
        # The id is the first of them.
        self._name, self._key, self._columns = quote(model._meta.db_table), columns[0], ", ".join(columns)

    @property
    def label(self) -> str:
        """What to call it."""
        return str(self.model._meta.verbose_name_plural)

    def count(self) -> int:
        """How many rows there are."""
        return int(self._fetch(f"SELECT COUNT(*) FROM {self._name}")[0][0])  # noqa: S608

    def last_key(self) -> int:
        """The highest id, 0 where there is no row."""
        return int(self._fetch(f"SELECT MAX({self._key}) FROM {self._name}")[0][0] or 0)  # noqa: S608

    def chunks(self, after: int = 0) -> Iterator[list[Row]]:
        """All rows with an id above `after`, in the order of their ids, as every engine has them."""
        rows = self._after(after)
        while rows:
            yield rows
            rows = self._after(rows[-1][0])

    def between(self, after: int, last: int) -> list[Row]:
        """The rows with an id above `after`, up to `last`."""
        return self._rows(f"WHERE {self._key} > %s AND {self._key} <= %s ORDER BY {self._key}", after, last)

    def insert(self, rows: Sequence[Row]) -> None:
        """Add rows."""
        places = ", ".join(["%s"] * len(self._fields))
        with self._connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {self._name} ({self._columns}) VALUES ({places})", rows)  # noqa: S608

    def contents(self, advance: Callable[[int], None]) -> Contents:
        """Count and add up all rows; `advance` is told how many have been read."""
        digest, count = hashlib.blake2b(digest_size=8), 0
        for rows in self.chunks():
            digest.update(b"".join(map(_as_bytes, rows)))
            count += len(rows)
            advance(len(rows))
        return Contents(count, digest.hexdigest())

    def _after(self, key: int) -> list[Row]:
        return self._rows(f"WHERE {self._key} > %s ORDER BY {self._key} LIMIT %s", key, CHUNK_ROWS)

    def _rows(self, condition: str, *values: int) -> list[Row]:
        found = self._fetch(f"SELECT {self._columns} FROM {self._name} {condition}", *values)  # noqa: S608
        return [self._in_common(row) for row in found]

    def _in_common(self, row: Row) -> Row:
        """SQLite gives a flag as a number, PostgreSQL bytes as a view of them."""
        values = list(row)
        for place, field in enumerate(self._fields):
            if values[place] is None:
                continue
            if isinstance(field, models.BooleanField):
                values[place] = bool(values[place])
            elif isinstance(field, models.BinaryField):
                values[place] = bytes(values[place])
        return tuple(values)

    def _fetch(self, statement: str, *values: int) -> list[Row]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            rows: list[Row] = cursor.fetchall()
        return rows


class HistoryCopy:
    """From the database of one alias to that of another, whose tables are there."""

    def __init__(self, source: str, target: str) -> None:
        self._target = target
        self.tables = [(Table(model, source), Table(model, target)) for model in copied_models()]

    def check(self, source: Table, target: Table) -> Iterator[int]:
        """Look whether what the target has of a table is where a copy of the source would stand, and write nothing;
        yield how many rows were looked at, chunk by chunk. A CopyError where it has anything else."""
        before = 0
        for rows in target.chunks():
            last = rows[-1][0]
            if source.between(before, last) != rows:
                raise CopyError(f"the database to copy to has other {target.label}; it must be a new one")
            before = last
            yield len(rows)

    def copy(self, source: Table, target: Table) -> Iterator[int]:
        """Copy what is missing of a table that was checked; yield how many rows were copied, chunk by chunk."""
        for rows in source.chunks(after=target.last_key()):
            with transaction.atomic(using=self._target):
                target.insert(rows)
            yield len(rows)

    def finish(self) -> None:
        """Have new rows get ids behind those that were copied."""
        connection = connections[self._target]
        statements = connection.ops.sequence_reset_sql(no_style(), copied_models())
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def _as_bytes(row: Row) -> bytes:
    """The same for the same values, whatever the engine."""
    return orjson.dumps([value.hex() if isinstance(value, bytes) else value for value in row]) + b"\n"
