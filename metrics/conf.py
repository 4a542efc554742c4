"""The settings that this app reads, with their defaults, looked up when they are needed and never at import."""

import socket

from django.conf import settings


def interval_seconds() -> int:
    """Whole seconds between two ticks."""
    return int(getattr(settings, "SYSMON_INTERVAL", 5))


def max_points() -> int:
    """Raw points kept for each family and host."""
    return int(getattr(settings, "SYSMON_MAX_POINTS", 3600))


def host_name() -> str:
    """The name under which this machine's samples are stored."""
    return str(getattr(settings, "SYSMON_HOSTNAME", "") or socket.gethostname())


def stale_after_seconds(resolution: int) -> int:
    """The age at which the newest tick says that nothing is being recorded: three intervals and five seconds."""
    return 3 * resolution + 5
