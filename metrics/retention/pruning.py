"""Keeps storage bounded: raw points by number, roll-ups by age, identities by use, events by number of
each kind, django-q2's own rows by number."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction
from django_q.models import Failure

from metrics import conf
from metrics.models import Event, Host, NewestProcesses, Process, ProcessSample, RollUpState, Sample, Tick, TickReading
from metrics.models.events import KINDS
from metrics.models.samples import sample_models
from metrics.models.sql import delete, execute
from metrics.retention.clock import DAY_SECONDS, BelievedClock
from metrics.tiers import RAW, Tier, tiers

# Rows deleted by one transaction: a few milliseconds, less than a tick can be late.
BATCH_ROWS = 500
# Pages given back to the file system by one step of the incremental vacuum.
VACUUM_PAGES = 500
KEPT_FAILURES = 100
# Of each tier, what a run in the background deletes at the most, an hour of history a minute. A clock that is a year
# ahead for some minutes would cost a year otherwise.
MAX_IN_BACKGROUND_SECONDS = 3600


def apply_retention(
    max_points: int | None = None, hosts: Iterable[Host] | None = None, most_seconds: int | None = None
) -> int:
    """Delete what has outlived its retention, of some hosts or of all, in small transactions; return how many rows
    went. With `most_seconds` no more of each tier than its oldest points over so long a time."""
    hosts = Host.objects.all() if hosts is None else hosts
    deleted = sum(_delete_in_batches(rows) for rows in outlived_rows(hosts, max_points, most_seconds))
    deleted += sum(_delete_unused_processes(host) for host in hosts)
    if deleted:
        give_space_back()
    return deleted


def outlived(max_points: int | None = None) -> Iterator[models.QuerySet[models.Model]]:
    """What the policy would delete now, a query for each table and host that has something to lose."""
    yield from outlived_rows(Host.objects.all(), max_points)
    yield from map(_unused_processes, Host.objects.all())


def outlived_rows(
    hosts: Iterable[Host], max_points: int | None = None, most_seconds: int | None = None
) -> Iterator[models.QuerySet[models.Model]]:
    """Samples and ticks that have outlived their retention."""
    points = conf.max_points() if max_points is None else max_points
    for host in hosts:
        clock = BelievedClock.of(host)
        tables: list[type[models.Model]] = [*sample_models(), Tick, TickReading]
        for model in tables:
            yield from _outlived_points(model, host, points, clock)
        for tier in tiers():
            for model in sample_models():
                yield _outlived_roll_ups(model, host, tier, clock, most_seconds)
                yield from _roll_ups_far_ahead(model, host, tier, clock, most_seconds)
        # Of another machine nobody here knows whether it forwards.
        if host.name == conf.host_name() and not conf.keeps_tick_readings():
            yield TickReading.objects.filter(host=host)
        for kind in KINDS:
            if (events := _outlived_events(host, kind)) is not None:
                yield events


def _raw(model: type[models.Model], host: Host) -> models.QuerySet[models.Model]:
    rows = model._default_manager.filter(host=host)
    return rows.filter(tier=RAW) if issubclass(model, Sample) else rows


def _outlived_points(
    model: type[models.Model], host: Host, points: int, clock: BelievedClock
) -> Iterator[models.QuerySet[models.Model]]:
    """Rows older than the newest `points` moments at which this table has any, as far as they are rolled up.

    What lies ahead is not among the newest: it has the room that they leave, and so it goes first.
    """
    rows = _raw(model, host)
    present, ahead = rows.filter(timestamp__lte=clock.last_present), rows.filter(timestamp__gt=clock.last_present)
    if clock.protects_what_was_before:
        yield from _behind_the_newest(present.filter(timestamp__lt=clock.jumped_at), host, points)
        present = present.filter(timestamp__gte=clock.jumped_at)
    yield from _behind_the_newest(present, host, points)
    if ahead.exists():
        yield from _behind_the_newest(ahead, host, points - _moments(present, points) if clock.is_plausible else points)


def _behind_the_newest(
    rows: models.QuerySet[models.Model], host: Host, points: int
) -> Iterator[models.QuerySet[models.Model]]:
    first_to_go = _newest_moments(rows)[points : points + 1].first()
    if first_to_go is None:
        return
    rows = rows.filter(timestamp__lte=first_to_go)
    not_rolled_up = _oldest_not_rolled_up(host)
    yield rows if not_rolled_up is None else rows.filter(timestamp__lt=not_rolled_up)


def _newest_moments(rows: models.QuerySet[models.Model]) -> models.QuerySet[Any]:
    return rows.order_by("-timestamp").values_list("timestamp", flat=True).distinct()


def _moments(rows: models.QuerySet[models.Model], most: int) -> int:
    """How many moments the rows are of, up to a number."""
    return _newest_moments(rows)[:most].count()


def _oldest_not_rolled_up(host: Host) -> datetime | None:
    """The oldest tick that no roll-up has seen; None where there is none."""
    state = RollUpState.objects.filter(host=host).first()
    unseen = Tick.objects.filter(host=host, pk__gt=state.last_tick if state else 0)
    oldest: datetime | None = unseen.aggregate(oldest=models.Min("timestamp"))["oldest"]
    return oldest


def _outlived_events(host: Host, kind: str) -> models.QuerySet[models.Model] | None:
    """The events of a kind older than the newest that are kept of it."""
    events, kept = Event.objects.filter(host=host, kind=kind), KINDS[kind].kept
    first_to_go = events.order_by("-started_at", "-pk")[kept : kept + 1].first()
    if first_to_go is None:
        return None
    same_moment = models.Q(started_at=first_to_go.started_at, pk__lte=first_to_go.pk)
    return events.filter(models.Q(started_at__lt=first_to_go.started_at) | same_moment)


def _outlived_roll_ups(
    model: type[Sample], host: Host, tier: Tier, clock: BelievedClock, most_seconds: int | None
) -> models.QuerySet[models.Model]:
    points = model._default_manager.filter(host=host, tier=tier.width_seconds)
    cut = clock.now - tier.kept_seconds
    if most_seconds is not None:
        oldest = points.order_by("timestamp").values_list("timestamp", flat=True).first()
        cut = min(cut, oldest.timestamp() + most_seconds) if oldest else cut
    return points.filter(timestamp__lt=cut)


def _roll_ups_far_ahead(
    model: type[Sample], host: Host, tier: Tier, clock: BelievedClock, most_seconds: int | None
) -> Iterator[models.QuerySet[models.Model]]:
    """Those of a clock that was ahead by more than a day: what is nearer will be the present soon.

    In the background only where the clock has been steady for a day, and from the far end: whoever starts in the past
    must not lose the present.
    """
    points = model._default_manager.filter(host=host, tier=tier.width_seconds)
    cut = float(clock.last_present + DAY_SECONDS)
    if not (clock.is_plausible if most_seconds is None else clock.may_drop_far_ahead):
        return
    newest = points.filter(timestamp__gt=cut).order_by("-timestamp").values_list("timestamp", flat=True).first()
    if newest is not None:
        cut = cut if most_seconds is None else max(cut, newest.timestamp() - most_seconds)
        yield points.filter(timestamp__gt=cut)


def _unused_processes(host: Host) -> models.QuerySet[Process]:
    """Identities that neither a sample nor the newest tick points to any more."""
    has_samples = ProcessSample.objects.filter(process=models.OuterRef("pk"))
    newest = NewestProcesses.objects.filter(host=host).first()
    named = [row["process"] for row in NewestProcesses.decoded(newest.rows)] if newest else []
    return Process.objects.filter(~models.Exists(has_samples), host=host).exclude(pk__in=named)


def _delete_unused_processes(host: Host) -> int:
    """A tick that comes meanwhile waits for each batch: it may name one of them again."""
    deleted, batch_deleted = 0, BATCH_ROWS
    while batch_deleted == BATCH_ROWS:
        with transaction.atomic():
            NewestProcesses.objects.select_for_update().filter(host=host).first()
            batch_deleted = delete_batch(_unused_processes(host))
        deleted += batch_deleted
    return deleted


def _delete_in_batches(rows: models.QuerySet[models.Model]) -> int:
    deleted, batch_deleted = 0, BATCH_ROWS
    while batch_deleted == BATCH_ROWS:
        batch_deleted = delete_batch(rows)
        deleted += batch_deleted
    return deleted


def delete_batch(rows: models.QuerySet[Any]) -> int:
    """Delete some of these rows; return how many. Found and deleted in one statement: what has got a use again in
    between stays."""
    found, values = rows.order_by().values("pk")[:BATCH_ROWS].query.sql_with_params()
    pk = connection.ops.quote_name(rows.model._meta.pk.column)
    # Nothing hangs on the rows. An array is looked for once; what is IN a subquery PostgreSQL may look for once for
    # each row of a table that it takes for empty.
    batch = f"= ANY(ARRAY({found}))" if connection.vendor == "postgresql" else f"IN ({found})"
    return execute(delete(rows.model, f"{pk} {batch}"), values)


def give_space_back() -> None:
    """Return free pages to the file system, some at a time; a full VACUUM would lock everybody out."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return
    connection.ensure_connection()
    # executescript, because a Django cursor's execute frees one page only.
    connection.connection.executescript(f"PRAGMA incremental_vacuum({VACUUM_PAGES})")


def prune_task_results() -> int:
    """django-q2 keeps every failure for ever; keep the newest ones of the program's own jobs. What others have run in
    the same cluster is theirs. By columns: a row that is loaded whole is unpickled."""
    failures = Failure.objects.filter(func__startswith="metrics.tasks.")
    newest = failures.order_by("-stopped").values_list("stopped", flat=True)
    cut = newest[KEPT_FAILURES : KEPT_FAILURES + 1].first()
    return failures.filter(stopped__lte=cut)._raw_delete(failures.db) if cut else 0
