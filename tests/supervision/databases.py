"""The database of a real program: a file in its data directory, or one of its own on the server that
SYSMON_TEST_DATABASE_URL names. What a test asks of it is the same for both."""

import atexit
import hashlib
import itertools
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests.skips import needs
from tests.source import ROOT

# The databases of this run begin with it.
RUN = f"sysmon_{os.getpid()}_"
_copies = itertools.count()

Columns = dict[str, list[str]]


class FileDatabase:
    """SQLite's."""

    def __init__(self, file: Path) -> None:
        self.file, self.url = file, ""

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask it, from outside; nothing while there is none, or no such table in it."""
        if not self.file.exists():
            return []
        with closing(self._opened()) as connection, suppress(sqlite3.OperationalError):
            return connection.execute(statement).fetchall()
        return []

    @contextmanager
    def snapshot(self) -> Iterator[Any]:
        """A connection that sees one moment of it."""
        with closing(self._opened(timeout=30, isolation_level=None)) as connection:
            connection.execute("BEGIN")
            yield connection

    def tables(self, connection: Any) -> Columns:
        """Every table with its columns, as the database itself says."""
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')] for name in names}

    def damage(self) -> list[str]:
        """What is wrong with its pages and indexes, in sentences."""
        try:
            with self.snapshot() as connection:
                return [row[0] for row in connection.execute("PRAGMA integrity_check") if row != ("ok",)]
        except sqlite3.DatabaseError as error:
            return [str(error)]

    @contextmanager
    def copied(self) -> Iterator[dict[str, str]]:
        """The settings of a program on a copy, which is gone afterwards."""
        with tempfile.TemporaryDirectory() as directory:
            with closing(self._opened()) as source, closing(sqlite3.connect(f"{directory}/{self.file.name}")) as copy:
                source.backup(copy)
            yield {"SYSMON_DATA_DIR": directory, "DATABASE_URL": ""}

    @contextmanager
    def no_tick_can_be_stored(self) -> Iterator[None]:
        """Another program locks it for writing."""
        with closing(sqlite3.connect(self.file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    def drop(self) -> None:
        """It goes with its directory."""

    def _opened(self, **options: Any) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, **options)


class ServerDatabase:
    """PostgreSQL's."""

    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask it, from outside; nothing while there is none, or no such table in it."""
        with suppress(psycopg.OperationalError, psycopg.errors.UndefinedTable):
            return _ask(self.url, statement)
        return []

    @contextmanager
    def snapshot(self) -> Iterator[Any]:
        """A connection that sees one moment of it."""
        with psycopg.connect(self.url) as connection:
            connection.isolation_level, connection.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
            yield connection

    def tables(self, connection: Any) -> Columns:
        """Every table with its columns, as the database itself says."""
        found: Columns = {}
        for table, column in connection.execute(COLUMNS):
            found.setdefault(table, []).append(column)
        return found

    def damage(self) -> list[str]:
        """What is wrong with its pages and indexes, in sentences; without the extension that looks for it, only what
        keeps a row from being read."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            tables = [row[0] for row in connection.execute(TABLES)]
            try:
                if connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'amcheck'").fetchone():
                    connection.execute(CHECK_INDEXES)
                    return [
                        f"{table}: {row[-1]}" for table in tables for row in connection.execute(CHECK_ROWS, [table])
                    ]
                for table in tables:
                    connection.execute(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table)))
            except (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted) as error:
                return [str(error)]
        return []

    @contextmanager
    def copied(self) -> Iterator[dict[str, str]]:
        """The settings of a program on a copy, which is gone afterwards."""
        copy = ServerDatabase(_created(f"{RUN}copy_{next(_copies)}", template="template1"))
        dump = subprocess.Popen([needs("pg_dump"), "--dbname", self.url], stdout=subprocess.PIPE)
        command = [needs("psql"), "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", copy.url]
        subprocess.run(command, stdin=dump.stdout, stdout=subprocess.DEVNULL, check=True, timeout=120)
        assert dump.wait(10) == 0
        with tempfile.TemporaryDirectory() as directory:
            yield {"SYSMON_DATA_DIR": directory, "DATABASE_URL": copy.url}
        copy.drop()

    @contextmanager
    def no_tick_can_be_stored(self) -> Iterator[None]:
        """Another program locks the table of ticks for writing."""
        with psycopg.connect(self.url) as other:
            other.execute("LOCK TABLE metrics_tick IN EXCLUSIVE MODE")
            yield
            other.rollback()

    def drop(self) -> None:
        """Nothing of it is left; one that this run has not made stays."""
        name = _name(self.url)
        if name.startswith(RUN):
            _ask(_server(), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


Database = FileDatabase | ServerDatabase

COLUMNS = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' ORDER BY table_name, ordinal_position
"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
# With every row looked for in its indexes.
CHECK_INDEXES = """
    SELECT bt_index_check(indexrelid, true) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relnamespace = 'public'::regnamespace AND relam = (SELECT oid FROM pg_am WHERE amname = 'btree')
"""
CHECK_ROWS = "SELECT * FROM verify_heapam(%s::regclass)"


def database_of(directory: Path, url: str | None) -> Database:
    """What a program uses with this data directory: what its settings name, and where they name nothing (None) one of
    its own, which is empty but for its tables, on the server of this run if it has one."""
    if url is None and _server():
        name = RUN + hashlib.sha256(str(directory).encode()).hexdigest()[:16]
        return ServerDatabase(_created(name, template=_template()))
    return ServerDatabase(url) if url else FileDatabase(directory / "sysmon.sqlite3")


def _server() -> str:
    """Any database of the server of this run; empty where it runs on SQLite."""
    url = os.environ.get("SYSMON_TEST_DATABASE_URL", "")
    return url if url.startswith("postgres") else ""


@cache
def _template() -> str:
    """A database with the tables of the program, from which others are copied: to make them takes seconds."""
    atexit.register(_drop_all)
    url = _created(f"{RUN}template", template="template1")
    with tempfile.TemporaryDirectory() as directory:
        settings = {"DJANGO_SETTINGS_MODULE": "sysmon_project.settings", "SYSMON_DATA_DIR": directory}
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity=0"],
            cwd=ROOT, env={**os.environ, **settings, "DATABASE_URL": url}, check=True, timeout=120,
        )  # fmt: skip
    # Not there, or not for this user: see ServerDatabase.damage.
    with suppress(psycopg.errors.FeatureNotSupported, psycopg.errors.InsufficientPrivilege):
        _ask(url, "CREATE EXTENSION amcheck")
    return _name(url)


def _created(name: str, template: str) -> str:
    """The address of a database of this run, made where it is not there yet."""
    if not _ask(_server(), f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
        _ask(_server(), f"CREATE DATABASE {name} TEMPLATE {template}")
    return urlsplit(_server())._replace(path=f"/{name}").geturl()


def _drop_all() -> None:
    """At the end of the run. The server may be gone before."""
    with suppress(psycopg.OperationalError):
        for (name,) in _ask(_server(), f"SELECT datname FROM pg_database WHERE datname LIKE '{RUN}%'"):
            _ask(_server(), f"DROP DATABASE {name} WITH (FORCE)")


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def _ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []
