"""`manage.py simulate`: a made-up history, to try the program with."""

import time
from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from metrics import conf
from metrics.formatting.moments import iso
from metrics.formatting.units import MAX_LINE, visible
from metrics.recording.heartbeat import Interruptible
from metrics.retention.pruning import apply_retention
from metrics.simulation.history import History
from metrics.simulation.hosts import clear, recorded_hosts, simulated_hosts
from metrics.simulation.machine import Machine
from metrics.storage.locks import RECORDER, WORKER, DirectoryInUse, hold_data_directory
from metrics.storage.statistics import refresh_statistics
from metrics.storage.unusable import in_words
from metrics.supervision.database import prepare_database
from metrics.tiers import tiers

DAY = 86_400
MAX_DAYS, MAX_HOSTS = 3660, 100


class Command(BaseCommand):
    help = """Fill the database with a made-up history that ends now, to try the program with.

The machine of the story has 8 cores, 4 partitions, 3 disks, 3 network interfaces and 300 processes.
Its days and weeks have a rhythm; there are bursts whose culprit `top` and the peaks can find, processes
that live for seconds, a disk that fills up, gaps and reboots. It is stored like a recorded history: raw
points and roll-ups from a minute to a day, each for as long as the settings say.

It is the history of this machine's own name (SYSMON_HOSTNAME), so that the page and every default query
show it. It is refused where a real machine was recorded; try it in a data directory of its own:

    SYSMON_DATA_DIR=./try python manage.py simulate --days 30
    SYSMON_DATA_DIR=./try python manage.py up"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days", type=_whole(1, MAX_DAYS), required=True, metavar="N", help="how far back it goes, such as 365"
        )
        parser.add_argument(
            "--hosts",
            type=_whole(0, MAX_HOSTS),
            default=0,
            metavar="M",
            help="as many more machines: sim-01, sim-02, …",
        )
        parser.add_argument(
            "--interval",
            type=_interval,
            metavar="SECONDS",
            help="between samples; a divisor of 60 (default: SYSMON_INTERVAL)",
        )
        parser.add_argument("--seed", default="1", metavar="TEXT", help="another seed is another story (default: 1)")
        parser.add_argument(
            "--force",
            action="store_true",
            help="also where other machines were recorded; replaces what was simulated before, and never anything real",
        )

    def handle(
        self, *args: Any, days: int, hosts: int, interval: int | None, seed: str, force: bool, **options: Any
    ) -> None:
        interval = interval or _interval(str(conf.interval_seconds()), CommandError)
        try:
            with hold_data_directory([WORKER, RECORDER]), Interruptible() as line:
                prepare_database([WORKER, RECORDER])
                names = self._names(hosts, force)
                for name in names:
                    machine = Machine(name, seed, interval, zone=timezone.get_default_timezone())
                    if not self._simulate(machine, days, line):
                        break
        except DirectoryInUse as error:
            raise CommandError(visible(str(error), MAX_LINE)) from None
        except DatabaseError as error:
            raise CommandError(f"the database cannot be used: {in_words(error)}") from None

    def _names(self, hosts: int, force: bool) -> list[str]:
        """The names to be simulated: this machine's own and as many more, but none that was really recorded."""
        recorded = [host.name for host in recorded_hosts()]
        if recorded and not force:
            raise CommandError(
                f"the database has real samples of {', '.join(recorded)}; take another SYSMON_DATA_DIR, or --force to"
                " simulate other machines beside them"
            )
        if simulated_hosts() and not force:
            raise CommandError("the database has a simulated history already; --force replaces it")
        names = [conf.host_name(), *(f"sim-{number:02}" for number in range(1, hosts + 1))]
        chosen = [name for name in names if name not in recorded]
        if not chosen:
            raise CommandError(f"{recorded[0]} was really recorded and stays as it is; --hosts simulates others")
        return chosen

    def _simulate(self, machine: Machine, days: int, line: Interruptible) -> bool:
        """Write the history of one machine; False where the user has ended it."""
        for host in simulated_hosts():
            if host.name == machine.name:
                self.stdout.write(f"replaces the simulated history of {host}")
        clear(machine.name)
        end = int(time.time())
        history = History(machine, end - self._kept(days) * DAY, end)
        done = self._write(history, line)
        if done < history.end:
            history.finish(done)
        refresh_statistics()
        apply_retention()
        if done < history.end:
            self.stdout.write(
                f"ended; the history of {machine.name} goes from {iso(history.start)} to {iso(done)};"
                " run it again with --force for a whole one"
            )
            return False
        self.stdout.write(f"{machine.name}: {days} days up to {iso(history.end)}, every {machine.interval_seconds} s")
        return True

    def _kept(self, days: int) -> int:
        """No more days than the tier is kept for that is."""
        most = max(tier.kept_seconds for tier in tiers()) // DAY
        if days > most:
            self.stdout.write(f"nothing is kept for more than {most} days (SYSMON_TIERS): no more are simulated")
        return min(days, most)

    def _write(self, history: History, line: Interruptible) -> int:
        """Write with a progress bar; return up to when, `history.end` at the most."""
        done = history.start
        with self._progress() as progress:
            bar = progress.add_task(history.machine.name, total=len(history.quarters))
            for start in history.write():
                progress.advance(bar)
                done = min(start + 900, history.end)
                if line.wait(0):
                    break
        return done

    def _progress(self) -> Progress:
        console = Console(file=self.stdout)  # type: ignore[arg-type]
        columns = ("{task.description}", BarColumn(), "{task.percentage:>3.0f} %", TimeRemainingColumn())
        return Progress(*(TextColumn(c, markup=False) if isinstance(c, str) else c for c in columns), console=console)


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise ArgumentTypeError(f"must be a whole number from {least} to {most}")
        return int(text)

    return parse


def _interval(text: str, error: type[Exception] = ArgumentTypeError) -> int:
    if not text.isascii() or not text.isdigit() or not int(text) or 60 % int(text):
        raise error(
            "the interval of a simulated history must divide a minute: 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60"
        )
    return int(text)
