"""The settings that this app reads, with their defaults, looked up when they are needed and never at import."""

import socket
from typing import Any

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


def forward_destinations() -> tuple[Any, ...]:
    """Where ticks are forwarded to: a `metrics.forwarding.destinations.Destination` each."""
    return tuple(getattr(settings, "SYSMON_FORWARD_URL", ()))


def keeps_tick_readings() -> bool:
    """Whether a destination wants the counters of every tick, which no sample holds."""
    return any(destination.needs_readings for destination in forward_destinations())


def stale_after_seconds(resolution: int) -> int:
    """The age at which the newest tick says that nothing is being recorded: three intervals and five seconds."""
    return 3 * resolution + 5


def commands() -> str:
    """What is stored of command lines: `safe`, `masked` or `names`."""
    return str(getattr(settings, "SYSMON_COMMANDS", "masked"))
