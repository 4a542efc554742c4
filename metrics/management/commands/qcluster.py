"""`manage.py qcluster`: django-q2's own, which first looks at the database, and ends a recording run before it ends."""

import contextlib
import os
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django_q.management.commands import qcluster

from metrics.storage.versions import NewerDatabaseError
from metrics.supervision.shared_cluster import SharedCluster


class Command(qcluster.Command):
    def handle(self, *args: Any, run_once: bool, cluster_name: str | None, **options: Any) -> None:
        """Refuse a newer database before there are processes, each of which would fail by itself. For one that does not
        answer yet they wait."""
        with contextlib.suppress(DatabaseError):
            try:
                connection.ensure_connection()
            except NewerDatabaseError as error:
                raise SystemExit(f"sysmon: the database cannot be used: {error}") from None
        if cluster_name:
            os.environ["Q_CLUSTER_NAME"] = cluster_name
        cluster = SharedCluster()
        cluster.start()
        if run_once:
            cluster.stop()
        elif not cluster.join():
            raise CommandError("the cluster's own process was killed; start it anew")
