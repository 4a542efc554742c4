"""`manage.py restore`: a copy that `backup` made becomes the database."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connections

from metrics.formatting.units import MAX_LINE, visible
from metrics.management.commands.backup import described
from metrics.storage.backup import BackupError, contents_of, put_back
from metrics.storage.damage import database_file
from metrics.storage.locks import PARTS, RECORDER, DirectoryInUse, hold_data_directory
from metrics.storage.unusable import in_words
from metrics.supervision.database import prepare_database


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
            with hold_data_directory([*PARTS, RECORDER]):
                connections.close_all()
                kept = put_back(file, database)
                prepare_database([*PARTS, RECORDER])
        except (BackupError, DirectoryInUse) as error:
            raise CommandError(visible(str(error), MAX_LINE)) from None
        except DatabaseError as error:
            raise CommandError(f"the database cannot be used: {in_words(error)}") from None
        if kept:
            self.stdout.write(f"what was there is kept as {visible(str(kept), MAX_LINE)}")
        self.stdout.write(f"restored {visible(str(file), MAX_LINE)}: {described(contents_of(database))}")
