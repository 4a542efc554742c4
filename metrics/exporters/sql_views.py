"""The samples for programs that speak SQL, such as Grafana: a view a kind in the schema `panels` of PostgreSQL.

A table keeps scaled integers and every tier. A view has the values of the API under the API's names, one row a moment
and thing, from the finest tier that still has it. Beside them stand `host`, `time` (a timestamp), `timestamp` (seconds,
by which an index finds a stretch), `resolution`, `seconds` (what a row stands for: the weight of a mean) and `tier`.
Names and users of processes are in it, command lines are not. `host` has a row a machine.

The schema is sysmon's: its views are made anew with the tables.
"""

import logging
from collections.abc import Iterator
from typing import Any

from django.db import connections, transaction
from django.db.migrations.loader import MigrationLoader

from metrics.history.metadata import all_tables
from metrics.history.processes import IDENTITY, NOT_OTHERS
from metrics.models import Host
from metrics.models.fields import ShareList
from metrics.models.sql import WEIGHT, column, decoded, table
from metrics.tiers import RAW, WIDTHS

log = logging.getLogger(__name__)

SCHEMA = "panels"
ENGINE = "postgresql"
HOST_FACTS = ("os_name", "kernel", "architecture", "cpu_model", "logical_cores", "physical_cores", "memory_bytes")
# Two programs that start at once would replace a view at once, which PostgreSQL refuses to one of them.
LOCK = "SELECT pg_advisory_xact_lock(hashtext('sysmon panels'))"
MAY_HAVE_IT = (
    "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)"
    " OR has_database_privilege(current_database(), 'CREATE')"
)


def _is_migrated(using: str) -> bool:
    loader = MigrationLoader(connections[using])
    return all(node in loader.applied_migrations for node in loader.graph.leaf_nodes("metrics"))


def create_views(using: str, **_signal: Any) -> None:
    """Make the views anew, after tables or settings have changed; without the right to make a schema, say so.

    Tables of an older version, as after `migrate` back to one, have none: the views are those of today's models.
    """
    if connections[using].vendor != ENGINE:
        return
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(LOCK)
        cursor.execute(MAY_HAVE_IT, [SCHEMA])
        if not cursor.fetchone()[0]:
            log.warning("no views for panels: this database user may not make the schema %s", SCHEMA)
            return
        if not _is_migrated(using):
            return
        if not _exists(cursor):
            cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        for kind, query in views().items():
            cursor.execute(f"CREATE OR REPLACE VIEW {SCHEMA}.{kind} AS {query}")


def drop_views(using: str, plan: Any = (), **_signal: Any) -> None:
    """Take the views away before tables change: PostgreSQL alters no column that a view shows."""
    changes = any(migration.app_label == Host._meta.app_label for migration, _backwards in plan)
    if changes and connections[using].vendor == ENGINE:
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT viewname FROM pg_views WHERE schemaname = %s", [SCHEMA])
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP VIEW {SCHEMA}.{connections[using].ops.quote_name(name)}")


def views() -> dict[str, str]:
    """The query of each view by its name: the kind of its table, or `host`."""
    facts = ", ".join(column(field) for field in Host._meta.concrete_fields if field.name in HOST_FACTS)
    hosts = f"SELECT name AS host, {facts} FROM {table(Host)}"  # noqa: S608
    return {"host": hosts, **{model.kind: " UNION ALL ".join(_selects(model)) for model in all_tables()}}


def _exists(cursor: Any) -> bool:
    cursor.execute("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)", [SCHEMA])
    return bool(cursor.fetchone()[0])


def _selects(model: Any) -> Iterator[str]:
    """A query a tier: of a coarser one only buckets that are over before all that the finer ones have, so that no
    moment counts twice in a sum.

    OFFSET 0 has PostgreSQL look for the oldest once a host, and not once a row.
    """
    finer: list[int] = []
    for width in (RAW, *WIDTHS):
        first = f"(SELECT MIN(timestamp) FROM {table(model)} WHERE host_id = h.id AND tier = %s)"  # noqa: S608
        oldest = ", ".join(first % tier for tier in finer)
        before = f" CROSS JOIN LATERAL (SELECT LEAST({oldest}) AS oldest OFFSET 0) finer" if finer else ""
        ends = f"s.timestamp + {width} <= finer.oldest"
        condition = f" AND (finer.oldest IS NULL OR {ends})" if finer else ""
        yield (
            f"SELECT h.name AS host, to_timestamp(s.timestamp) AS time, s.timestamp, s.resolution, {WEIGHT} AS seconds,"  # noqa: S608
            f" s.tier{''.join(_columns(model))} FROM {table(Host)} h{before}"
            f" JOIN {table(model)} s ON s.host_id = h.id AND s.tier = {width}{condition}{_identities(model)}"
        )
        finer.append(width)


def _columns(model: Any) -> Iterator[str]:
    """What is measured, with its extremes; a list of numbers is left out, for it is text in the database."""
    if "process" in model.key:
        yield "".join(f", p.{name}" for name in ("id AS process", *IDENTITY))
        yield ", to_timestamp(p.started_at / 100.0) AS started_at"
    for field in (*model.measures(), *model.extremes()):
        if not isinstance(field, ShareList):
            yield f", {decoded(field, f's.{column(field)}')} AS {column(field)}"


def _identities(model: Any) -> str:
    """The join with who a process is, for the table that has processes."""
    if "process" not in model.key:
        return ""
    processes = table(model._meta.get_field("process").related_model)
    return f" JOIN {processes} p ON p.id = s.process_id AND {NOT_OTHERS}"
