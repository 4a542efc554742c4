"""`manage.py collect`: record in the foreground without django-q2, or look once."""

import json
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from metrics import conf
from metrics.formatting.moments import iso
from metrics.formatting.tables import print_tick
from metrics.formatting.units import MAX_LINE, visible
from metrics.models import Host
from metrics.recording.hand_over import is_recorder_here
from metrics.recording.heartbeat import Interruptible
from metrics.recording.once import look_once
from metrics.recording.recording import recording_of_process, this_host
from metrics.recording.rivals import is_recorded_elsewhere
from metrics.recording.run import RecordingRun
from metrics.storage.locks import WORKER, DirectoryInUse, hold_data_directory
from metrics.storage.unusable import in_words
from metrics.storage.versions import check_version
from metrics.supervision.database import prepare_database
from metrics.supervision.limits import COLLECT_KILOBYTES, check_limits
from metrics.supervision.process import CannotStart


class Command(BaseCommand):
    help = "Record samples in the foreground until Ctrl-C, without django-q2; or show one reading and store nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="show one reading as a table; nothing is stored")
        parser.add_argument("--json", action="store_true", dest="as_json", help="with --once: show it as JSON")
        parser.add_argument(
            "--interval", type=_interval, metavar="SECONDS", help="between samples, 1 to 60 (default: SYSMON_INTERVAL)"
        )
        parser.add_argument("--duration", type=_duration, metavar="SECONDS", help="end after so long (default: never)")

    def handle(
        self, *args: Any, once: bool, as_json: bool, interval: int | None, duration: float | None, **options: Any
    ) -> None:
        if as_json and not once:
            raise CommandError("--json goes with --once")
        if once and (interval or duration):
            raise CommandError("--once takes neither --interval nor --duration")
        if once:
            self._show_once(as_json)
        else:
            self._record(interval or conf.interval_seconds(), duration)

    def _show_once(self, as_json: bool) -> None:
        check_version()
        found = look_once()
        found["timestamp"] = iso(found["timestamp"])
        if as_json:
            self.stdout.write(json.dumps(found))
        else:
            print_tick(found, self.stdout)  # type: ignore[arg-type]

    def _record(self, interval_seconds: int, duration_seconds: float | None) -> None:
        try:
            check_limits(COLLECT_KILOBYTES)
            with hold_data_directory([WORKER]), Interruptible() as line:
                prepare_database([WORKER])
                found = Host.objects.filter(name=conf.host_name()).first()
                if found and (is_recorder_here() or is_recorded_elsewhere(found)):
                    raise CommandError(f"another recorder samples {found} now")
                host = this_host()
                self.stdout.write(f"samples {host} every {interval_seconds} s; Ctrl-C ends it")
                recording = recording_of_process(host, interval_seconds)
                ticks = RecordingRun(recording, line).run(duration_seconds)
        except (DirectoryInUse, CannotStart) as error:
            raise CommandError(visible(str(error), MAX_LINE)) from None
        except DatabaseError as error:
            raise CommandError(f"the database cannot be used: {in_words(error)}") from None
        self.stdout.write(f"{ticks} ticks recorded")


def _interval(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 60:
        raise ArgumentTypeError("must be a whole number from 1 to 60")
    return int(text)


def _duration(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ArgumentTypeError("must be a number of seconds above 0")
    return seconds
