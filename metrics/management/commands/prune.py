"""`manage.py prune`: the retention policy, now."""

import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from metrics import conf
from metrics.formatting.units import size
from metrics.management.progress import progress_on
from metrics.models import Host
from metrics.retention.pruning import apply_retention, outlived
from metrics.retention.rollup import roll_up
from metrics.storage.free_pages import Space, SpaceError, bytes_of_rows, rewrite, shrink
from metrics.storage.locks import WORKER, DirectoryInUse, hold_data_directory
from metrics.storage.statistics import vacuum_tables
from metrics.storage.unusable import in_words

ENDS_FIRST = (
    "this file was made without auto_vacuum and can only be written anew as a whole: end `up`, then prune again"
)


class Command(BaseCommand):
    help = (
        "Delete what has outlived its retention, and give the space back. The first runs by itself every minute while"
        " `up` does; recording goes on meanwhile."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and delete nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        try:
            if dry_run:
                self._say_what_would_go()
            else:
                for host in Host.objects.all():
                    roll_up(host)
                self.stdout.write(f"{apply_retention()} rows deleted")
                self._give_space_back()
        except (DatabaseError, sqlite3.Error) as error:
            raise CommandError(f"the database cannot be used: {in_words(error)}") from None
        except SpaceError as error:
            raise CommandError(str(error)) from None

    def _say_what_would_go(self) -> None:
        counts: Counter[Any] = Counter()
        for rows in outlived():
            counts[rows.model] += rows.count()
        for model, count in counts.items():
            if count:
                self.stdout.write(f"{count:>10}  {model._meta.verbose_name_plural}")
        total = sum(counts.values())
        self.stdout.write(f"{total:>10}  rows would be deleted; {conf.max_points()} raw points a family and host stay")
        if connection.vendor == "sqlite":
            self._say_what_would_be_free({model._meta.db_table: count for model, count in counts.items()})

    def _say_what_would_be_free(self, rows: dict[str, int]) -> None:
        space = Space.of(self._file())
        freed = bytes_of_rows(self._file(), rows)
        of_rows = "" if freed is None else f"about {size(freed)} of these rows and "
        self.stdout.write(f"{of_rows}{size(space.free_bytes)} that are free already, of {size(space.file_bytes)}")

    def _give_space_back(self) -> None:
        """Within a transaction, where nothing can be given back, nothing is."""
        if connection.in_atomic_block:
            return
        if connection.vendor == "sqlite":
            self._shrink(self._file())
        else:
            vacuum_tables()
            self.stdout.write("vacuumed: PostgreSQL uses the space of what went for new rows")

    def _shrink(self, file: sqlite3.Connection) -> None:
        before = Space.of(file)
        if before.can_shrink:
            with progress_on(self.stdout) as progress:
                bar = progress.add_task("give space back", total=before.free_pages)
                shrink(file, lambda pages: progress.advance(bar, pages), time.sleep)
        elif before.has_enough_free and not self._rewrite(file):
            return
        after = Space.of(file)
        freed = size(max(0, before.file_bytes - after.file_bytes))
        self.stdout.write(f"{freed} given back; the file has {size(after.file_bytes)}, {size(after.free_bytes)} free")

    def _rewrite(self, file: sqlite3.Connection) -> bool:
        """Only while nothing records: it cannot be done in steps."""
        try:
            with hold_data_directory([WORKER]):
                rewrite(file, Path(connection.settings_dict["NAME"]))
        except DirectoryInUse:
            self.stdout.write(ENDS_FIRST)
            return False
        return True

    def _file(self) -> sqlite3.Connection:
        connection.ensure_connection()
        file: sqlite3.Connection = connection.connection
        return file
