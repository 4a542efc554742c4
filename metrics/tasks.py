"""What django-q2 runs. Its rows hold these dotted paths, so a name here stays what it is."""

from contextlib import suppress

from metrics import conf
from metrics.models import Host
from metrics.recording.heartbeat import attached
from metrics.recording.recording import recording_of_process, this_host
from metrics.recording.run import RecordingRun
from metrics.retention.maintenance import maintain_hosts
from metrics.retention.pruning import prune_task_results
from metrics.schedules import ensure_schedules
from metrics.storage.saved_history import AlreadyRunning, save_history


def record_window() -> str:
    """Record until the next run takes over."""
    line = attached()
    recording = recording_of_process(this_host(), conf.interval_seconds())
    ticks = RecordingRun(recording, line, at_set_back=ensure_schedules).run()
    return f"{ticks} ticks"


def forward() -> str:
    """Ship what is new to where SYSMON_FORWARD_URL says."""
    # Here, because whoever forwards nothing is spared the libraries for it.
    from metrics.forwarding.shipping import forward as ship

    hosts = Host.objects.filter(name=conf.host_name())
    return f"{sum(map(ship, hosts))} points"


def prune() -> str:
    """Keep the storage within its bounds. What is not rolled up yet stays, so that comes first."""
    deleted = maintain_hosts() + prune_task_results()
    with suppress(AlreadyRunning):
        save_history()
    return f"{deleted} rows"
