"""Fills a data directory: `python -m tests.dashboard.fill desktop`. With `desktop` it goes on recording until it is
ended, as a recorder would; it prints `filled` when the past is there."""

import sys
import time

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402

from tests.dashboard.machine import BASH, FFMPEG, GNOME_SHELL, PG_DUMP, PROCESSES, Machine  # noqa: E402

INTERVAL = 5
PASSWORD = "a password of the tests"
DAY = 86_400
# When the dump of the planted machine ran, in seconds before its newest tick.
SPIKES = (300, 20 * 3600)
# Longer than what counts as alive.
SILENT_SECONDS = 120


def desktop() -> None:
    """One machine that is alive, whose last hours have a gap and a burst."""
    machine = Machine("desktop", burst=(1500, 1200), gaps=((2700, 2130),))
    machine.record(7200, INTERVAL)
    User.objects.create_superuser("root", password=PASSWORD)
    print("filled", flush=True)
    while True:
        machine.wait_for_tick()
        machine.record_ticks()


def zoo() -> None:
    """Machines of every kind."""
    Machine("single-core", cores=1, interfaces=("lo", "eth0")).record(1800, 10)
    Machine(
        "many-cores",
        cores=64,
        disks=tuple(f"nvme{n}n1" for n in range(40)),
        interfaces=("lo", *(f"eth{n}" for n in range(40))),
        mountpoints=tuple(f"/srv/volume-{n}" for n in range(40)),
    ).record(600, 10)
    Machine("rebooted", booted=700, gaps=((900, 700),)).record(1800, 10, end=int(time.time()) - SILENT_SECONDS)
    few = {"disks": ("sda",), "interfaces": ("eth0",), "mountpoints": ("/",), "processes": [*PROCESSES[:2], FFMPEG]}
    Machine("burst-of-yesterday", burst=(DAY, DAY - 900), **few).record(DAY + 7200, 60)
    Machine("a-year").roll_up(365 * DAY)
    few["processes"] = [GNOME_SHELL, PG_DUMP, BASH]
    Machine("planted", spikes=SPIKES, **few).record(DAY + 7200, 30)
    workers = [(7000 + n, f"worker-{n}", "jin", f"worker --number {n}", 0.5, 9) for n in range(60)]
    Machine("crowded", processes=[*workers, BASH]).record(600, 10)
    print("filled", flush=True)


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    {"desktop": desktop, "zoo": zoo}[sys.argv[1]]()
