"""The memory of the rate limits: how often an address or a user has asked of late, counted for all processes at once.

No rate is passed by a single request, whatever stretch of time is looked at: the time of each attempt is kept until it
no longer counts. The memory is a small file of its own, so that counting never waits for the samples' database nor
makes it wait; losing it costs nothing but the counts.
"""

import sqlite3
import time
from pathlib import Path

WAIT_FOR_LOCK_SECONDS = 0.2
PAUSE_SECONDS = 0.002
# So often, in attempts, what no longer counts is deleted.
TIDY_EVERY = 500
SCHEMA = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=OFF;
CREATE TABLE IF NOT EXISTS subjects (subject TEXT PRIMARY KEY, attempts INTEGER, until REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempts (subject TEXT, slot INTEGER, until REAL, PRIMARY KEY (subject, slot)) WITHOUT ROWID;
"""


class RateLimiter:
    """Attempts by subject, a text such as `login 192.0.2.1`; one object a thread.

    A subject with a rate of N has N slots, used in turn: an attempt is admitted when its slot, which holds the attempt
    before the last N - 1, no longer counts.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._connection: sqlite3.Connection | None = None
        self._spare: sqlite3.Connection | None = None
        self._until_tidied = TIDY_EVERY

    def acquire(self, subject: str, most: int, seconds: float) -> float:
        """Count an attempt, and return 0; or do not, and return after how many seconds there is room for one.

        Where the file cannot be used, as on a full disk, this thread counts by itself.
        """
        try:
            return self._acquire(self._shared(), subject, most, seconds)
        except sqlite3.Error:
            self._connection = None
            return self._acquire(self._own(), subject, most, seconds)

    def wait(self, subject: str, most: int, seconds: float) -> float:
        """After how many seconds there is room for an attempt, 0 where there is; counts none."""
        try:
            return self._wait(self._shared(), subject, most, seconds)[0]
        except sqlite3.Error:
            self._connection = None
            return self._wait(self._own(), subject, most, seconds)[0]

    def _shared(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = _opened(str(self._file))
        return self._connection

    def _own(self) -> sqlite3.Connection:
        if self._spare is None:
            self._spare = _opened(":memory:")
        return self._spare

    def _acquire(self, connection: sqlite3.Connection, subject: str, most: int, seconds: float) -> float:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            wait, attempts = self._wait(connection, subject, most, seconds)
            if wait:
                return wait
            now, slot = time.monotonic(), attempts % most
            connection.execute("REPLACE INTO subjects VALUES (?, ?, ?)", (subject, attempts + 1, now + seconds))
            connection.execute("REPLACE INTO attempts VALUES (?, ?, ?)", (subject, slot, now + seconds))
            self._tidy(connection, now)
        return 0

    def _wait(self, connection: sqlite3.Connection, subject: str, most: int, seconds: float) -> tuple[float, int]:
        """After how many seconds there is room, and how many attempts there were."""
        # All processes of a machine share this clock, and nobody can set it.
        now = time.monotonic()
        attempts = int(_one(connection, "SELECT attempts FROM subjects WHERE subject = ?", subject) or 0)
        slot = attempts % most
        until = _one(connection, "SELECT until FROM attempts WHERE subject = ? AND slot = ?", subject, slot)
        # Later than any attempt of now: it was written before a restart of the machine, when the clock began anew.
        is_full = until is not None and now < until <= now + seconds
        return (float(until - now) if is_full and until is not None else 0.0), attempts

    def _tidy(self, connection: sqlite3.Connection, now: float) -> None:
        self._until_tidied -= 1
        if not self._until_tidied:
            self._until_tidied = TIDY_EVERY
            connection.execute("DELETE FROM subjects WHERE until <= ?", (now,))
            connection.execute("DELETE FROM attempts WHERE until <= ?", (now,))


def _opened(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=WAIT_FOR_LOCK_SECONDS, isolation_level=None)
    give_up_at = time.monotonic() + WAIT_FOR_LOCK_SECONDS
    while True:
        try:
            connection.executescript(SCHEMA)
        except sqlite3.OperationalError as error:
            # Where several make the file at once, SQLite does not wait for the one that switches it to a log.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= give_up_at:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return connection


def _one(connection: sqlite3.Connection, statement: str, *parameters: object) -> float | None:
    row = connection.execute(statement, parameters).fetchone()
    return None if row is None else row[0]
