"""`manage.py qcluster`: django-q2's own, which first looks at the database."""

import contextlib
from typing import Any

from django.db import DatabaseError, connection, connections
from django_q.management.commands import qcluster

from metrics.storage.versions import NewerDatabaseError


class Command(qcluster.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse a newer database before there are processes, each of which would fail by itself. For one that does not
        answer yet they wait."""
        with contextlib.suppress(DatabaseError):
            try:
                connection.ensure_connection()
            except NewerDatabaseError as error:
                raise SystemExit(f"sysmon: the database cannot be used: {error}") from None
        # None may be shared with a fork.
        connections.close_all()
        super().handle(*args, **options)  # type: ignore[no-untyped-call]
