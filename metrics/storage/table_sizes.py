"""How much room the tables of the database take."""

from django.db import OperationalError, connection

OF_POSTGRESQL = "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r'"
OF_SQLITE = (
    "SELECT tbl_name, SUM(pgsize) FROM dbstat('main', 1) JOIN sqlite_master USING (name) WHERE tbl_name IS NOT NULL"
    " GROUP BY tbl_name"
)


def bytes_of_tables() -> dict[str, int]:
    """Name of a table -> bytes, with its indexes. Nothing where a build of SQLite does not count them."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(OF_POSTGRESQL if connection.vendor == "postgresql" else OF_SQLITE)
        except OperationalError:
            return {}
        return {name: int(size) for name, size in cursor.fetchall()}
