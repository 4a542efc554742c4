"""The boot that a host's samples are of: which one, and when it was by the wall clock of now.

The kernel counts from the boot on a clock that nobody can set, and so do the starts of processes. When that was by the
wall clock changes whenever that clock is set: on a board that starts in 1970 until it has found a time server, and in a
virtual machine that was halted for a while.
"""

from django.db import transaction

from metrics.collectors import machine
from metrics.formatting.units import duration
from metrics.models import Host, Process
from metrics.models.events import NewEvent, note_event
from metrics.recording.runner import uptime_seconds

# A clock that is slewed takes the time since the boot along; what is left is the time between two readings.
CLOCK_STEP_SECONDS = 1.0


def is_of_this_boot(host: Host) -> bool:
    """Whether a host is this machine since its last boot; never where the system has no id for a boot."""
    return bool(host.boot_id) and host.boot_id == machine.boot_id()


def follow_clock(host: Host, booted_at: float) -> None:
    """Where the clock was set, move the host's boot and the starts of the processes of this boot along with it."""
    if host.booted_at is None or abs(booted_at - host.booted_at.timestamp()) < CLOCK_STEP_SECONDS:
        return
    with transaction.atomic():
        known = Host.objects.select_for_update().get(pk=host.pk).booted_at
        if known is not None and abs(booted_at - known.timestamp()) >= CLOCK_STEP_SECONDS:
            moved = round(booted_at * 100) - round(known.timestamp() * 100)
            ends_at = known.timestamp() + uptime_seconds()
            Host.objects.filter(pk=host.pk).update(booted_at=booted_at)
            note_event(host.pk, _clock_step(host, booted_at, moved / 100))
            Process.move_starts(host.pk, host.boot, between=(known.timestamp(), ends_at), hundredths=moved)
    host.refresh_from_db(fields=["booted_at"])


def _clock_step(host: Host, booted_at: float, seconds: float) -> NewEvent:
    now, way = uptime_seconds(), "forward" if seconds > 0 else "back"
    return NewEvent(
        "clock_step",
        f"{host.boot}:{now:.2f}",
        booted_at + now,
        f"The clock was set {way} by {duration(round(abs(seconds), 1))}",
        details={"seconds": seconds},
    )
