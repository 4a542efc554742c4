"""What `manage.py check` says of a project: what this app needs, what cannot work, and what to do about it."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import cpu_count
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.core.management import get_commands
from django.db import DEFAULT_DB_ALIAS, connections, router
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

from metrics import conf
from metrics.models import Host
from metrics.schedules import shares_cluster
from metrics.tiers import tiers

TAG = "metrics"
RATE = re.compile(r"[1-9][0-9]*/[smhd]\w*")
# The scheduler of django-q2 looks every 30 s: a recording run begins 60 to 90 s after the one before it, and ends after
# the next tick.
LONGEST_RUN_SECONDS = 120
QUEUES = ("orm", "redis", "django_redis", "broker_class", "sqs", "iron_mq", "mongo")
FINDER = "metrics.dashboard.vendored.VendoredFinder"
NOTICE = "metrics.access.permissions.ProxyNoticeMiddleware"


def _within(read: Callable[[], int], least: int, most: int) -> Callable[[], None]:
    def look() -> None:
        if not least <= read() <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")

    return look


def _one_of(read: Callable[[], str], *choices: str) -> Callable[[], None]:
    def look() -> None:
        if read() not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")

    return look


def _excluded(what: str) -> Callable[[], object]:
    return lambda: conf.excluded(what)


def _as_rate(name: str) -> Callable[[], None]:
    def look() -> None:
        if (rate := conf.rate(name)) and not RATE.fullmatch(rate):
            raise ValueError("must be a number and a unit of time, such as 5/min")

    return look


# Each raises a ValueError, a TypeError or an OSError where its setting cannot be used.
SETTINGS: dict[str, Callable[[], object]] = {
    "SYSMON_INTERVAL": _within(conf.interval_seconds, 1, 60),
    "SYSMON_MAX_POINTS": _within(conf.max_points, 1, 10_000_000),
    "SYSMON_TIERS": tiers,
    "SYSMON_COMMANDS": _one_of(conf.commands, "safe", "masked", "names"),
    "SYSMON_API_ACCESS": _one_of(conf.api_access, "auto", "public", "authenticated"),
    "SYSMON_TRUSTED_PROXIES": conf.trusted_proxies,
    "SYSMON_FORWARD_URL": conf.forward_destinations,
    "SYSMON_DATA_DIR": conf.data_directory,
    **{f"SYSMON_EXCLUDE_{what.upper()}": _excluded(what) for what in conf.EXCLUDABLE},
    **{f"SYSMON_RATE_{name}": _as_rate(name) for name in ("ANON", "USER", "LOGIN")},
}


@register(TAG)
def check_settings(**_options: Any) -> Iterator[CheckMessage]:
    """An error for each setting of the app that cannot be used."""
    for name, look in SETTINGS.items():
        try:
            look()
        except (ValueError, TypeError, OSError) as error:
            yield Error(
                f"{name} cannot be used: {error}", hint="docs/settings.md says what is allowed.", id="metrics.E003"
            )
    if not settings.USE_TZ:
        yield Error("USE_TZ is False, and a sample's time is in UTC.", hint="Set USE_TZ = True.", id="metrics.E004")


@register(TAG)
def check_database(**_options: Any) -> Iterator[CheckMessage]:
    """Where the samples are kept: in the default database, of SQLite or PostgreSQL, which two can write at a time."""
    if (alias := router.db_for_write(Host)) != DEFAULT_DB_ALIAS:
        yield Error(
            f"The samples would be kept in the database {alias}, and are read from {DEFAULT_DB_ALIAS}.",
            hint="Have the routers leave the app metrics in the default database.",
            id="metrics.E005",
        )
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor not in {"sqlite", "postgresql"}:
        yield Error(
            f"The samples cannot be kept in {connection.display_name}.",
            hint="Use SQLite or PostgreSQL as the default database.",
            id="metrics.E006",
        )
    options = connection.settings_dict["OPTIONS"]
    has_wal = "journal_mode" in options.get("init_command", "") or getattr(
        apps.get_app_config("metrics"), "sets_up_sqlite", False
    )
    if connection.vendor == "sqlite" and not (has_wal and options.get("transaction_mode") == "IMMEDIATE"):
        yield checks.Warning(
            "Who reads the database and who records would wait for each other.",
            hint='In OPTIONS of the default database set "transaction_mode": "IMMEDIATE" and'
            ' "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL".',
            id="metrics.W001",
        )


@register(TAG)
def check_cluster(**_options: Any) -> Iterator[CheckMessage]:
    """Values of Q_CLUSTER with which no recording run takes over from the one before it."""
    cluster: dict[str, Any] = getattr(settings, "Q_CLUSTER", {})
    if not any(cluster.get(name) for name in QUEUES):
        yield checks.Warning(
            "Q_CLUSTER names no queue, so that `qcluster` looks for Redis on this machine.",
            hint='Set Q_CLUSTER = {"orm": "default", "workers": 4, "timeout": 90, "retry": 120}, or another queue.',
            id="metrics.W002",
        )
    if (workers := cluster.get("workers") or cpu_count()) < 2:
        yield checks.Warning(
            f"With {workers} worker nothing is recorded after the first minute: who takes over needs a second one.",
            hint='Set "workers": 2 in Q_CLUSTER, or more.',
            id="metrics.W008",
        )
    if (retry := cluster.get("retry", 60)) < LONGEST_RUN_SECONDS:
        yield checks.Warning(
            f"A recording run takes up to {LONGEST_RUN_SECONDS} s; after {retry} s django-q2 runs a task once more.",
            hint=f'Set "retry": {LONGEST_RUN_SECONDS} in Q_CLUSTER, or more.',
            id="metrics.W003",
        )
    timeout = cluster.get("timeout")
    if timeout and timeout < LONGEST_RUN_SECONDS and not shares_cluster():
        yield checks.Warning(
            f"A recording run takes up to {LONGEST_RUN_SECONDS} s, and django-q2 ends a task after {timeout} s.",
            hint=f'Set "timeout": {LONGEST_RUN_SECONDS} in Q_CLUSTER, or more.',
            id="metrics.W009",
        )
    if cluster.get("sync") or not cluster.get("scheduler", True):
        yield checks.Warning(
            "Q_CLUSTER has the schedule run by nobody, or every task by whoever plans it.",
            hint='Leave "sync" and "scheduler" out of Q_CLUSTER.',
            id="metrics.W010",
        )
    if get_commands().get("qcluster") != "metrics":
        yield checks.Warning(
            "When it is to end, the `qcluster` of django-q2 itself waits for a recording run, which may take for ever.",
            hint='Put "metrics" before "django_q" in INSTALLED_APPS.',
            id="metrics.W004",
        )


@register(TAG)
def check_pages(**_options: Any) -> Iterator[CheckMessage]:
    """What the pages need of the project."""
    # Not above: every command has these checks, and few of them an answer to give.
    from metrics.access.permissions import is_open_by_settings

    for app, what in (
        ("rest_framework", "the pages of the API need its templates"),
        ("django.contrib.staticfiles", "the pages have no styles and no scripts without it"),
        ("drf_spectacular_sidecar", "it has the scripts of /docs and /redoc"),
    ):
        if not apps.is_installed(app):
            yield checks.Warning(
                f"{app} is not installed: {what}.", hint=f'Add "{app}" to INSTALLED_APPS.', id="metrics.W005"
            )
    if FINDER not in settings.STATICFILES_FINDERS:
        yield checks.Warning(
            "The page draws no charts: the library for them is published by a finder of its own.",
            hint=f'Add "{FINDER}" to STATICFILES_FINDERS, after those that Django has by default.',
            id="metrics.W006",
        )
    try:
        get_template("metrics/dashboard.html")
    except TemplateDoesNotExist:
        yield checks.Warning(
            "The templates of the app are not found.",
            hint='Set "APP_DIRS": True in TEMPLATES, for the backend DjangoTemplates.',
            id="metrics.W011",
        )
    is_open = False
    # What is wrong with a setting, check_settings says.
    with suppress(ValueError):
        is_open = is_open_by_settings()
    if is_open and NOTICE not in settings.MIDDLEWARE:
        yield checks.Warning(
            "Everybody on this machine may read, and a proxy that shows nothing of itself would not be noticed.",
            hint=f'Add "{NOTICE}" to MIDDLEWARE as the first, or set SYSMON_API_ACCESS = "authenticated".',
            id="metrics.W007",
        )
