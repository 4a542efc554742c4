"""`manage.py up`: everything in the foreground."""

import logging
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection, connections

from metrics import conf
from metrics.access.first_user import hint
from metrics.dashboard.vendored import VendoredFinder
from metrics.formatting.units import MAX_LINE, visible
from metrics.recording.heartbeat import Heartbeat
from metrics.recording.runner import runners
from metrics.storage.locks import WEB, WORKER, DirectoryInUse, hold_data_directory
from metrics.storage.unusable import in_words
from metrics.supervision import address
from metrics.supervision.database import prepare_database
from metrics.supervision.limits import UP_KILOBYTES, check_limits
from metrics.supervision.process import CannotStart, SupervisedProcess, context
from metrics.supervision.supervisor import Supervisor
from metrics.supervision.web import answer_once, failure_reason_of_web, load_application, run_web
from metrics.supervision.worker import failure_reason_of, load_jobs, run_worker

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Run sysmon: prepare the database, then record samples and serve the web page and the API until Ctrl-C. "
        "What dies or gets stuck is started again. Settings come from the environment or from .env."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--only",
            choices=[WEB, WORKER],
            help="run only the web server, or only the worker that records; for containers and systemd",
        )

    def handle(self, *args: Any, only: str | None, **options: Any) -> None:
        names = [only] if only else [WORKER, WEB]
        try:
            check_limits(UP_KILOBYTES)
            with hold_data_directory(names):
                if WEB in names:
                    address.check_is_free()
                prepare_database(names)
                self._supervise(names)
        except (DirectoryInUse, address.AddressTaken, CannotStart) as error:
            raise CommandError(visible(str(error), MAX_LINE)) from None
        except DatabaseError as error:
            raise CommandError(f"the database cannot be used: {in_words(error)}") from None

    def _supervise(self, names: list[str]) -> None:
        heartbeat = Heartbeat(context(), conf.web_processes())
        parts = [self._part(name, heartbeat) for name in names]
        # Loaded before the fork, all processes share it.
        if WORKER in names:
            load_jobs()
            runners()
        if WEB in names:
            load_application()
            answer_once()
            for error in VendoredFinder().check():
                log.error("%s %s", error.msg, error.hint)
            first_step = hint()
            samples = WORKER in names
            is_ready, announce = address.answers, lambda: self._announce_address(first_step, samples=samples)
        else:
            is_ready, announce = (lambda: heartbeat.recorder_pid() is not None), self._announce_recording
        connections.close_all()
        Supervisor(parts, heartbeat, is_ready, announce).run()

    def _part(self, name: str, heartbeat: Heartbeat) -> SupervisedProcess:
        if name == WEB:
            failure_reason = partial(failure_reason_of_web, heartbeat)
            return SupervisedProcess(
                "web server", run_web, heartbeat, failure_reason, before_start=heartbeat.reset_web_beats
            )
        failure_reason = partial(failure_reason_of, heartbeat)
        return SupervisedProcess("worker", run_worker, heartbeat, failure_reason, before_start=heartbeat.reset)

    def _announce_address(self, first_step: str | None, *, samples: bool) -> None:
        # What the web server has loaded, and a worker alone does not need.
        from metrics.access.permissions import is_open_by_settings

        if conf.is_secret_key_generated() and connection.vendor == "postgresql":
            self.stdout.write(
                "the secret key is this machine's own; others on this PostgreSQL need one SYSMON_SECRET_KEY"
            )
        if first_step:
            self.stdout.write(first_step)
        if is_open_by_settings():
            self.stdout.write("Everybody on this machine may read. Behind a proxy set SYSMON_API_ACCESS=authenticated")
        does = f"samples {_what()}" if samples else f"shows what is recorded in {_where()}; it does not record itself"
        self.stdout.write(f"sysmon is at {address.url()} and {does}. Ctrl-C ends it.")
        self.stdout.flush()

    def _announce_recording(self) -> None:
        self.stdout.write(f"sysmon samples {_what()}. Ctrl-C ends it.")
        self.stdout.flush()


def _what() -> str:
    seconds = conf.interval_seconds()
    return f"{conf.host_name()} every {'second' if seconds == 1 else f'{seconds} seconds'} into {_where()}"


def _where() -> str:
    """Where the samples go; of an address nothing that could be a secret."""
    database = connection.settings_dict
    return (
        visible(str(conf.data_directory()), MAX_LINE)
        if connection.vendor == "sqlite"
        else f"PostgreSQL, {database['NAME']}"
    )
