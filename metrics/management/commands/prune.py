"""`manage.py prune`: the retention policy, now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from metrics import conf
from metrics.models import Host
from metrics.retention.pruning import apply_retention, outlived
from metrics.retention.rollup import roll_up


class Command(BaseCommand):
    help = "Delete what has outlived its retention. This runs by itself every minute while `up` does."

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
        except DatabaseError as error:
            raise CommandError(f"the database cannot be used: {error}") from None

    def _say_what_would_go(self) -> None:
        counts = [(rows.model._meta.verbose_name_plural, rows.count()) for rows in outlived()]
        for name, count in counts:
            if count:
                self.stdout.write(f"{count:>10}  {name}")
        total = sum(count for _name, count in counts)
        self.stdout.write(f"{total:>10}  rows would be deleted; {conf.max_points()} raw points a family and host stay")
