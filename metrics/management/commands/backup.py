"""`manage.py backup`: a copy of the database while it is in use."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from metrics.formatting.moments import iso
from metrics.formatting.units import MAX_LINE, size, visible
from metrics.storage.backup import BackupError, Contents, back_up
from metrics.storage.damage import database_file


class Command(BaseCommand):
    help = "Copy the database into a file while sysmon goes on recording. `restore` brings it back."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="where to put the copy")
        parser.add_argument("--force", action="store_true", help="replace FILE if it is there")

    def handle(self, *args: Any, file: Path, force: bool, **options: Any) -> None:
        source = database_file()
        if source is None:
            raise CommandError(
                "the database is not a file; for PostgreSQL: pg_dump --format=custom --file=FILE DATABASE"
            )
        if not source.exists():
            raise CommandError(f"there is no database yet in {visible(str(source.parent), MAX_LINE)}")
        try:
            found = back_up(source, file, may_replace=force)
        except BackupError as error:
            raise CommandError(visible(str(error), MAX_LINE)) from None
        self.stdout.write(f"{visible(str(file), MAX_LINE)}: {described(found)}")


def described(found: Contents) -> str:
    """What is in a copy, for people."""
    newest = "" if found.newest is None else f", the newest of {iso(found.newest)}"
    return f"{size(found.size_bytes)}, {found.ticks} {'tick' if found.ticks == 1 else 'ticks'}{newest}"
