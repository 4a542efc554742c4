"""Why a database cannot be used, in one line that says what to do about it."""

from django.db import DatabaseError, connection

# PostgreSQL's codes of a table, a column and a function that are not there; its texts are in the server's language.
MISSING = {"42P01", "42703", "42883"}
# Of SQLite, which has no codes for them and one language.
MISSING_TEXTS = ("no such table", "no such column", "no such view")


def in_words(error: Exception) -> str:
    """Return what an error of the database says, without line breaks, and what is to be done where that is known."""
    text = " ".join(str(error).split())
    if is_without_tables(error):
        return f"{text}; its tables are made by `up`, or by `migrate`"
    if isinstance(error, DatabaseError) and connection.vendor == "postgresql" and connection.connection is None:
        return f"{text}; DATABASE_URL names it"
    return text


def is_without_tables(error: Exception) -> bool:
    """Whether the tables are not there, or of an older version."""
    state = getattr(error.__cause__, "sqlstate", None)
    return state in MISSING or (state is None and str(error).startswith(MISSING_TEXTS))
