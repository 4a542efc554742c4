"""What PostgreSQL keeps about its tables: what its planner knows of them, and which space in them is free."""

from django.apps import apps
from django.db import connection


def refresh_statistics() -> None:
    """Have PostgreSQL look at its tables now, and not when it next does so by itself: a plan that was made for empty
    tables takes minutes on full ones. SQLite plans by its indexes."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def vacuum_tables() -> None:
    """Have PostgreSQL free the space of deleted rows for new ones, and cut what is free off the ends of the tables; it
    holds up neither readers nor writers. Not within a transaction."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for model in apps.get_app_config("metrics").get_models():
                cursor.execute(f"VACUUM {connection.ops.quote_name(model._meta.db_table)}")
