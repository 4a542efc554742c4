"""File systems that turned read-only since the tick before, as the kernel does after an error of a disk."""

import hashlib

from metrics.models.events import NewEvent
from metrics.recording.samples import TakenReading


def remounts(new: TakenReading, old: TakenReading | None) -> list[NewEvent]:
    """One event for each device of which a mount could be written to before; none over a boot."""
    if old is None or old.boot_id != new.boot_id:
        return []
    key = ("device", "mountpoint")
    was_writable = {
        tuple(map(row.get, key)) for row in old.rows.get("filesystem", []) if row.get("is_read_only") is False
    }
    turned: dict[str, list[str]] = {}
    for row in new.rows.get("filesystem", []):
        if row.get("is_read_only") is True and tuple(map(row.get, key)) in was_writable:
            turned.setdefault(str(row["device"]), []).append(str(row["mountpoint"]))
    return [_event(new, device, mountpoints) for device, mountpoints in turned.items()]


def _event(new: TakenReading, device: str, mountpoints: list[str]) -> NewEvent:
    digest = hashlib.sha256(device.encode(errors="surrogatepass")).hexdigest()[:16]
    return NewEvent(
        "read_only",
        f"{new.boot_id}:{new.uptime_seconds:.2f}:{digest}",
        new.timestamp,
        f"{', '.join(mountpoints)} ({device}) turned read-only",
        details={"device": device, "mountpoints": mountpoints},
    )
