"""What PostgreSQL's planner knows of the tables."""

from django.db import connection


def refresh_statistics() -> None:
    """Have PostgreSQL look at its tables now, and not when it next does so by itself: a plan that was made for empty
    tables takes minutes on full ones. SQLite plans by its indexes."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
