"""Starts Django for a benchmark, on the database that its environment names."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sysmon_project.settings")
django.setup()

if TYPE_CHECKING:
    from metrics.models import Host


def database_file() -> Path:
    """The SQLite file."""
    from django.conf import settings

    return Path(settings.DATABASES["default"]["NAME"])


def year_old_host() -> "Host":
    """The machine whose year was simulated."""
    from metrics import conf
    from metrics.models import Host

    return Host.objects.get(name=conf.host_name())


def newest_tick(host: "Host") -> int:
    """Its newest tick, in seconds since the epoch."""
    from metrics.models import Tick

    return int(Tick.objects.filter(host=host).latest("timestamp").timestamp.timestamp())


def now() -> int:
    """The time, in whole minutes."""
    return int(time.time()) // 60 * 60
