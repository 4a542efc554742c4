"""`manage.py repair`: what a damaged file still holds, into the one that took its place."""

import sqlite3
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from metrics.formatting.units import MAX_LINE, visible
from metrics.management.progress import progress_on
from metrics.storage.damage import damage_in, database_file
from metrics.storage.file_identity import SIDECARS
from metrics.storage.incidents import Incident
from metrics.storage.locks import PARTS, DirectoryInUse, hold_data_directory
from metrics.storage.saved_history import AlreadyRunning, OtherDatabase, save_history_of
from metrics.storage.versions import check_version
from metrics.supervision.database import prepare_database


class Command(BaseCommand):
    help = (
        "Bring over into the database what can still be read of damaged files that were set aside. `up` does so by "
        "itself, and may run meanwhile. A database that is damaged itself is set aside first, while sysmon does not "
        "run. No damaged file is changed or deleted."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", type=Path, nargs="?", metavar="FILE", help="a damaged file (default: each that was set aside)"
        )

    def handle(self, *args: Any, file: Path | None, **options: Any) -> None:
        check_version()
        database = database_file()
        if database is None:
            raise CommandError("the database is not a file; PostgreSQL has tools of its own, such as pg_amcheck")
        if file and not file.is_file():
            raise CommandError(f"{visible(str(file), MAX_LINE)} is not there")
        is_own = file is None or file.resolve() == database.resolve()
        try:
            files = [file] if file and not is_own else self._set_aside(database)
            for old in files:
                self._save(old)
        except AlreadyRunning:
            raise CommandError("a history is being brought over already; health says how far it is") from None
        except (OtherDatabase, DirectoryInUse) as error:
            raise CommandError(visible(str(error), MAX_LINE)) from None
        except (sqlite3.Error, OSError) as error:
            raise CommandError(f"nothing can be brought over: {' '.join(str(error).split())}") from None
        if not files:
            self.stdout.write("the database is sound, and no damaged file was set aside")

    def _set_aside(self, database: Path) -> list[Path]:
        """The files that were set aside, the newest first: also the database, where it is damaged."""
        if damage_in(database, None):
            with hold_data_directory(PARTS):
                prepare_database(PARTS)
        kept = database.parent.glob(f"{database.name}.damaged-*")
        return sorted((file for file in kept if not file.name.endswith(SIDECARS)), reverse=True)

    def _save(self, old: Path) -> None:
        with progress_on(self.stdout) as progress:
            bar = progress.add_task(visible(old.name, MAX_LINE), total=None)

            def advance(incident: Incident) -> None:
                done = incident.total_rows - sum(incident.left.values())
                progress.update(bar, total=incident.total_rows, completed=done)

            saved = save_history_of(old, advance)
        lost = f"; {saved.unreadable_rows} could not be read" if saved.unreadable_rows else ""
        self.stdout.write(f"{visible(str(old), MAX_LINE)}: {saved.history_rows} rows of the history were saved{lost}")
