"""Reads what can still be read of a damaged file of SQLite into a new one with the same tables.

Both are open in one connection, each as a schema of it. A range of rows that meets a damaged page is halved until what
is around that page is read. A row counts only where its values have the types of their columns: pages may hold
anything. All names in statements are those of tables and columns of the new file, and are quoted.
"""

import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection, models

from metrics.storage.damage_report import is_damage

# SQLite's own, django-q2's queue, which the program makes anew, and what says which migrations the new file has.
OWN_TABLES = ("sqlite_", "django_q_", "django_migrations")
# Of a column's declared type: a part of its name, and what a value of it is.
TYPES = {"int": ("integer",), "bool": ("integer",), "real": ("real", "integer"), "char": ("text",), "text": ("text",)}
TYPES |= {"date": ("text",), "blob": ("blob",)}
MAX_ROW = 2**62
# Reads in vain after which a range is not halved any more: a damaged page that leads to many others costs a second.
MAX_FAILURES = 20_000


@dataclass
class Copied:
    """Rows that were brought over, and row ids behind which nothing could be read."""

    rows: int = 0
    unreadable: int = 0

    def __iadd__(self, other: "Copied") -> "Copied":
        self.rows += other.rows
        self.unreadable += other.unreadable
        return self


class Table(NamedTuple):
    """A table that both files have with the same columns."""

    name: str
    columns: tuple[str, ...]
    condition: str


class Salvage:
    """From one schema of a connection to another.

    Each statement is a transaction of its own: within a longer one SQLite 3.40 takes every statement that follows upon
    a damaged page for damaged too.
    """

    def __init__(self, connection: sqlite3.Connection, source: str, target: str) -> None:
        self._connection = connection
        self.source, self.target = source, target
        # What of the schema can be read counts, and a foreign key holds when all tables are there.
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("PRAGMA cell_size_check=ON")

    def tables(self, names: Iterable[str] | None = None) -> Iterator[Table]:
        """The tables of the target, or some of them, that the source has with the same columns."""
        wanted = self._names(self.target) if names is None else list(names)
        known = set(self._names(self.source))
        for name in wanted:
            if name in known and not name.startswith(OWN_TABLES):
                columns = self._columns(self.target, name)
                if columns.keys() == self._columns(self.source, name).keys():
                    typed = " AND ".join(filter(None, (_type_check(*column) for column in columns.items())))
                    yield Table(name, tuple(columns), typed or "TRUE")

    def last_row(self, table: str) -> int:
        """The highest row id that a table has or had, 0 where that cannot be read."""
        found = [
            self._number(f"SELECT seq FROM {self.source}.sqlite_sequence WHERE name = ?", table),  # noqa: S608
            self._number(f"SELECT MAX(rowid) FROM {self.source}.{_quoted(table)}"),  # noqa: S608
        ]
        return max(found)

    def replace(self, table: Table) -> Copied:
        """Bring over a whole table, in the place of the rows that the target has under the same keys."""
        return self._copy(table, "REPLACE", "TRUE", 1, max(self.last_row(table.name), 1))

    def add(self, table: Table, first: int, last: int) -> Copied:
        """Bring over the rows with these ids that the target does not have, and whose parents it has."""
        return self._copy(table, "IGNORE", self._has_parents(table), first, last)

    def highest(self, *columns: tuple[type[models.Model], str]) -> int:
        """The highest value of these columns in the target, such as the id of the last tick that was rolled up."""
        return max(
            self._number(f"SELECT MAX({_quoted(column)}) FROM {self.target}.{_quoted(model._meta.db_table)}")  # noqa: S608
            for model, column in columns
        )

    def continue_ids(self, tables: Iterable[Table], at_least: int) -> None:
        """Have new rows of the target get ids behind all that the source has given."""
        for table in tables:
            last = max(
                at_least,
                self.last_row(table.name),
                self._number(f"SELECT MAX(rowid) FROM {self._place(table)}"),  # noqa: S608
            )
            self._connection.execute(f"DELETE FROM {self.target}.sqlite_sequence WHERE name = ?", [table.name])  # noqa: S608
            if last < MAX_ROW:
                self._connection.execute(f"INSERT INTO {self.target}.sqlite_sequence VALUES (?, ?)", [table.name, last])  # noqa: S608

    def disagree(self, model: type[models.Model], *columns: str) -> bool:
        """Whether both have a row under one id that these columns tell apart."""
        table = _quoted(model._meta.db_table)
        differs = " OR ".join(f"s.{_quoted(column)} IS NOT t.{_quoted(column)}" for column in columns)
        places = f"{self.source}.{table} AS s JOIN {self.target}.{table} AS t USING (id)"
        return self._number(f"SELECT 1 FROM {places} WHERE {differs} LIMIT 1") == 1  # noqa: S608

    def set_back(self, model: type[models.Model], column: str) -> None:
        """Give rows of the target the value that the source has for them, where that is lower; 0 where it has none."""
        table, name = _quoted(model._meta.db_table), _quoted(column)
        value = f"(SELECT s.{name} FROM {self.source}.{table} AS s WHERE s.id = t.id)"  # noqa: S608
        statement = f"UPDATE {self.target}.{table} AS t SET {name} = MIN({name}, COALESCE(%s, 0))"  # noqa: S608
        try:
            self._connection.execute(statement % value)
        except sqlite3.DatabaseError as error:
            if not is_damage(error) and not isinstance(error, sqlite3.OperationalError):
                raise
            self._connection.execute(statement % 0)

    def missing(self, model: type[models.Model]) -> set[int]:
        """The ids that rows of the target point to, of rows of this model that could not be read."""
        parent, found = model._meta.db_table, set[int]()
        for table, row, to, key in self._connection.execute(f"PRAGMA {self.target}.foreign_key_check").fetchall():
            if to != parent:
                continue
            keys = self._connection.execute(f"PRAGMA {self.target}.foreign_key_list({_quoted(table)})").fetchall()
            column = next(column for number, _seq, _table, column, *_rest in keys if number == key)
            place = f"{self.target}.{_quoted(table)}"
            found.add(self._number(f"SELECT {_quoted(column)} FROM {place} WHERE rowid = ?", row))  # noqa: S608
        return found

    def by_id(self, schema: str, model: type[models.Model], column: str) -> dict[int, object]:
        """A column of one of both by the rows' ids, as far as it can be read. Where it has an index that is read, which
        may be sound where the rows are not."""
        name, found = _quoted(column), dict[int, object]()
        statement = f"SELECT id, {name} FROM {schema}.{_quoted(model._meta.db_table)} ORDER BY {name}"  # noqa: S608
        try:
            for pk, value in self._connection.execute(statement):
                found[pk] = value
        except sqlite3.DatabaseError as error:
            if not is_damage(error) and not isinstance(error, sqlite3.OperationalError):
                raise
        return found

    def insert(self, row: models.Model) -> None:
        """Put a row into the target."""
        fields = row._meta.concrete_fields
        names, places = ", ".join(_quoted(str(field.column)) for field in fields), ", ".join("?" * len(fields))
        values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
        place = f"{self.target}.{_quoted(row._meta.db_table)}"
        self._connection.execute(f"INSERT INTO {place} ({names}) VALUES ({places})", values)  # noqa: S608

    def drop_orphans(self) -> int:
        """Delete rows of the target that point to one which could not be read; return how many."""
        deleted = 0
        while orphans := self._connection.execute(f"PRAGMA {self.target}.foreign_key_check").fetchall():
            for table, row, *_parent in orphans:
                self._connection.execute(f"DELETE FROM {self.target}.{_quoted(table)} WHERE rowid = ?", [row])  # noqa: S608
            deleted += len(orphans)
        return deleted

    def _copy(self, table: Table, conflict: str, condition: str, first: int, last: int) -> Copied:
        names = ", ".join(map(_quoted, table.columns))
        statement = (
            f"INSERT OR {conflict} INTO {self._place(table)} ({names})"  # noqa: S608
            f" SELECT {names} FROM {self.source}.{_quoted(table.name)} AS s"
            f" WHERE rowid BETWEEN ? AND ? AND {table.condition} AND {condition} ORDER BY rowid"
        )
        copied, ranges, failures = Copied(), deque([(first, last)]), 0
        while ranges:
            low, high = ranges.popleft()
            try:
                copied.rows += max(0, self._connection.execute(statement, (low, high)).rowcount)
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                failures += 1
                middle = (low + high) // 2
                if low == high or failures > MAX_FAILURES:
                    copied.unreadable += high - low + 1
                else:
                    ranges += [(low, middle), (middle + 1, high)]
        return copied

    def _has_parents(self, table: Table) -> str:
        keys = self._connection.execute(f"PRAGMA {self.target}.foreign_key_list({_quoted(table.name)})").fetchall()
        return (
            " AND ".join(
                f"(s.{_quoted(key[3])} IS NULL OR EXISTS (SELECT 1 FROM {self.target}.{_quoted(key[2])} AS p"  # noqa: S608
                f" WHERE p.{_quoted(key[4])} = s.{_quoted(key[3])}))"
                for key in keys
            )
            or "TRUE"
        )

    def _names(self, schema: str) -> list[str]:
        """As many as can be read."""
        names = []
        try:
            for (name,) in self._connection.execute(f"SELECT name FROM {schema}.sqlite_master WHERE type = 'table'"):  # noqa: S608
                names.append(name)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
        return names

    def _columns(self, schema: str, table: str) -> dict[str, str]:
        found = self._connection.execute(f"PRAGMA {schema}.table_info({_quoted(table)})").fetchall()
        return {row[1]: row[2] for row in found}

    def _number(self, statement: str, *values: object) -> int:
        try:
            row = self._connection.execute(statement, values).fetchone()
        except sqlite3.DatabaseError as error:
            if not is_damage(error) and not isinstance(error, sqlite3.OperationalError):
                raise
            return 0
        return row[0] if row and isinstance(row[0], int) else 0

    def _place(self, table: Table) -> str:
        return f"{self.target}.{_quoted(table.name)}"


def _type_check(column: str, declared: str) -> str:
    types = next((types for part, types in TYPES.items() if part in declared.lower()), ())
    return f"typeof(s.{_quoted(column)}) IN {(*types, 'null')}" if types else ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
