"""How whoever meets a damaged page says so to the recorder, which alone decides: by a small file beside the database.

A file, since the web server may be another container, and the database itself takes nothing.
"""

import contextlib
import sqlite3
from pathlib import Path

# A page that is none, a file that is none, a write-ahead log that ends too early.
DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
CUT = sqlite3.SQLITE_IOERR_SHORT_READ
MAX_REASON_BYTES = 500


def is_damage(error: BaseException | None) -> bool:
    """Whether an error of SQLite says that the file is damaged, and not that it cannot be used now."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF in DAMAGE or code == CUT)


def report_damage(database: Path | str, reason: str) -> None:
    """Leave word. Where that cannot be written, whoever meets the damage next tries again."""
    with contextlib.suppress(OSError), _report(database).open("xb") as stream:
        stream.write(reason.encode()[:MAX_REASON_BYTES])


def reported_damage(database: Path) -> str | None:
    """What was reported; None where nothing was."""
    try:
        return _report(database).read_bytes().decode(errors="replace")
    except OSError:
        return None


def forget_report(database: Path) -> None:
    """It was looked into."""
    _report(database).unlink(missing_ok=True)


def _report(database: Path | str) -> Path:
    return Path(f"{database}.damage-reported")
