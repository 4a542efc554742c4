"""Two recorders of one host's name, on two machines that share a database or with two data directories of one.

Neither sees the lock of the other. Each tick is stored once all the same, of whichever comes first.
"""

import hashlib
import logging
import time

from metrics import conf
from metrics.collectors import machine
from metrics.models import Host, Recorder, Tick

log = logging.getLogger(__name__)

ID_CHARACTERS = 32
# The boot that this process has noted in the row of its host; None before.
_noted_boot: str | None = None
_is_said = False


def recorder_id() -> str:
    """What tells the recorders of this data directory from others. Hashed: a machine's own id is nobody's business."""
    text = f"sysmon {machine.machine_id()} {conf.data_directory()}"
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:ID_CHARACTERS]


def is_recorded_elsewhere(host: Host) -> bool:
    """Whether a recorder of another machine or data directory has stored a tick of the host a moment ago, and has not
    ended. `host` is its row as it was found, before this process changed it."""
    if host.machine_id in {"", recorder_id()} and _noted_boot in {None, host.boot_id}:
        return False
    newest = Tick.objects.filter(host=host).order_by("-pk").first()
    if newest is None or not Recorder.objects.filter(host=host, released_at=None).exists():
        return False
    age_seconds: float = abs(time.time() - newest.timestamp.timestamp())
    return age_seconds <= conf.stale_after_seconds(newest.resolution)


def note_recorder(host: Host) -> None:
    """Note in the host's row whose it is, before a run records it; and where it is another's too, say so, once."""
    global _noted_boot, _is_said
    contested = {"contested_at": time.time()} if is_recorded_elsewhere(host) else {}
    if contested and not _is_said:
        _is_said = True
        log.error(
            "another machine, or another data directory, records %s too: set SYSMON_HOSTNAME in one of them", host
        )
    if contested or host.machine_id != recorder_id():
        Host.objects.filter(pk=host.pk).update(machine_id=recorder_id(), **contested)
    _noted_boot = machine.boot_id()
