"""Makes the database ready before anything is recorded."""

from django.core.management import call_command
from django.db import connections


def prepare_database() -> None:
    """Bring the tables up to date. A django.db.DatabaseError where the database cannot be used."""
    call_command("migrate", verbosity=0, interactive=False)
    connections.close_all()
