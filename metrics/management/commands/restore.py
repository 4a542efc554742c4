"""`manage.py restore`: a copy that `backup` made becomes the database."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader

from metrics.management.commands.backup import described
from metrics.storage.backup import APP, BackupError, contents_of, put_back
from metrics.storage.damage import database_file
from metrics.supervision.database import prepare_database
from metrics.supervision.locks import PARTS, DirectoryInUse, hold_data_directory


class Command(BaseCommand):
    help = (
        "Make a file that `backup` wrote the database, while sysmon is not running. The database that is there is kept "
        "beside it, under a name with the date."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="what `backup` wrote, also an older sysmon's")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        database = database_file()
        if database is None:
            raise CommandError("the database is not a file; for PostgreSQL: pg_restore --clean --dbname=DATABASE FILE")
        try:
            with hold_data_directory(PARTS):
                connections.close_all()
                kept = put_back(file, database, _known_migrations())
                prepare_database(PARTS)
        except (BackupError, DirectoryInUse) as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            raise CommandError(f"the database cannot be used: {error}") from None
        if kept:
            self.stdout.write(f"what was there is kept as {kept}")
        self.stdout.write(f"restored {file}: {described(contents_of(database))}")


def _known_migrations() -> set[str]:
    """The names of this program's migrations."""
    return {name for app, name in MigrationLoader(None).disk_migrations if app == APP}
