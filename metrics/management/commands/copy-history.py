"""`manage.py copy-history`: to another engine and back."""

import time
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection, connections
from django.db.migrations.recorder import MigrationRecorder
from rich.progress import Progress

from metrics import conf
from metrics.formatting.units import MAX_LINE, visible
from metrics.management.progress import progress_on
from metrics.models import Host, Tick
from metrics.models.present import not_ahead
from metrics.storage.copy_history import CopyError, HistoryCopy, Table
from metrics.storage.damage import database_file, set_aside
from metrics.storage.location import is_address, is_sqlite_address, sqlite_file
from metrics.storage.locks import PARTS, RECORDER, WORKER, DirectoryInUse, hold_data_directory
from metrics.storage.statistics import refresh_statistics
from metrics.storage.unusable import in_words
from metrics.storage.versions import APP, known_migrations
from metrics.supervision.database import prepare_database

SOURCE, TARGET = "source", "default"


class Command(BaseCommand):
    help = (
        "Copy the history of another database into that of the settings (DATABASE_URL), and compare every row. "
        "A copy that was interrupted goes on when it is called again. Users, tokens and settings are not copied."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "source", metavar="SOURCE", help="a file such as data/sysmon.sqlite3, or postgres://USER:PASSWORD@HOST/NAME"
        )
        parser.add_argument(
            "--replace",
            action="store_true",
            help="where the target is a file that is there already: begin a new one; the old one is kept beside it,"
            " under a name with the date",
        )

    def handle(self, *args: Any, source: str, replace: bool, **options: Any) -> None:
        parts = [*(PARTS if replace else [WORKER]), RECORDER]
        try:
            with hold_data_directory(parts):
                open_source(source)
                check_source()
                check_nobody_records()
                if replace:
                    self._set_aside()
                prepare_database(parts)
                self._copy(HistoryCopy(SOURCE, TARGET))
        except (DirectoryInUse, CopyError) as error:
            raise CommandError(visible(str(error), MAX_LINE)) from None
        except DatabaseError as error:
            raise CommandError(f"a database cannot be used: {in_words(error)}") from None
        finally:
            connections.close_all()

    def _set_aside(self) -> None:
        file = database_file()
        if file is None:
            raise CopyError("--replace is for a file; on PostgreSQL make a new database (createdb)")
        connections[TARGET].close()
        if file.exists():
            kept = visible(str(set_aside(file, "replaced")), MAX_LINE)
            self.stdout.write(f"what was there is kept as {kept}")

    def _copy(self, history: HistoryCopy) -> None:
        self._check_target(history)
        with progress_on(self.stdout) as progress:
            for source, target in history.tables:
                bar = progress.add_task(source.label, total=source.count() - target.count())
                for rows in history.copy(source, target):
                    progress.advance(bar, rows)
        history.finish()
        refresh_statistics()
        with progress_on(self.stdout) as progress:
            lines = [self._compared(progress, *tables) for tables in history.tables]
        for line in lines:
            self.stdout.write(line)
        self.stdout.write("every row is the same in both databases")

    def _check_target(self, history: HistoryCopy) -> None:
        """Before a row is written; of a new database there is nothing to show."""
        with progress_on(self.stdout) as progress:
            for source, target in history.tables:
                if present := target.count():
                    bar = progress.add_task(f"look at {target.label}", total=present)
                    try:
                        for rows in history.check(source, target):
                            progress.advance(bar, rows)
                    except CopyError as error:
                        way_out = "; --replace keeps it under another name" if database_file() else ""
                        raise CopyError(f"{error}{way_out}") from None

    def _compared(self, progress: Progress, source: Table, target: Table) -> str:
        bar = progress.add_task(f"compare {source.label}", total=source.count() + target.count())
        ours, theirs = (table.contents(lambda rows: progress.advance(bar, rows)) for table in (source, target))
        if ours != theirs:
            raise CopyError(
                f"{source.label} differ: {ours.rows} rows ({ours.checksum}) and {theirs.rows} ({theirs.checksum})"
            )
        return f"{ours.rows:>10}  {ours.checksum}  {source.label}"


def open_source(source: str) -> None:
    """Make the other database known to Django."""
    parsed: dict[str, Any]
    if is_address(source) and not is_sqlite_address(source):
        try:
            parsed = {**dj_database_url.parse(source)}
        except ValueError:
            raise CopyError("the database to copy from must be a file or begin with postgres://") from None
    else:
        parsed = {"ENGINE": "django.db.backends.sqlite3", "NAME": _file(source), "HOST": ""}
    own = connection.settings_dict
    if (str(parsed["NAME"]), parsed["HOST"]) == (str(own["NAME"]), own["HOST"]):
        raise CopyError("that is the database of the settings itself; DATABASE_URL says where to copy to")
    options = {"OPTIONS": {}, "CONN_HEALTH_CHECKS": False}
    connections.databases[SOURCE] = {**own, **options, **parsed}


def _file(source: str) -> Path:
    """A path, or the file of an address. SQLite would make one that is not there."""
    try:
        named = sqlite_file(source, conf.base_directory()) if is_sqlite_address(source) else source
    except ValueError as error:
        raise CopyError(f"the address of the database to copy from {error}") from None
    file = Path(named).absolute()
    if not file.is_file():
        raise CopyError(f"{source} is no file")
    return file


def check_source() -> None:
    """Raise CopyError for a database without the tables of this version."""
    applied = {name for app, name in MigrationRecorder(connections[SOURCE]).applied_migrations() if app == APP}
    if not applied:
        raise CopyError("the database to copy from is none of sysmon")
    if applied != known_migrations():
        raise CopyError("the database to copy from is of another version; bring it up to date with `migrate` first")


def check_nobody_records() -> None:
    """A history that grows cannot be compared: of no host may the newest tick be as new as it should be, unless its
    recorder has noted that it ended."""
    for host in Host.objects.using(SOURCE).exclude(recorder__released_at__isnull=False):
        newest = not_ahead(Tick.objects.using(SOURCE).filter(host=host)).order_by("-timestamp").first()
        if newest is None:
            continue
        patience = conf.stale_after_seconds(newest.resolution)
        if time.time() - newest.timestamp.timestamp() <= patience:
            raise CopyError(f"{host} is being recorded there; end that first (after a kill: wait for {patience} s)")
