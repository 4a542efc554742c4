"""`manage.py forget-host`: a machine or a container that is gone, with all that it has."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from metrics import conf
from metrics.formatting.moments import iso
from metrics.formatting.units import MAX_LINE, size, visible
from metrics.management.progress import progress_on
from metrics.models import Host
from metrics.recording.heartbeat import Interruptible
from metrics.retention.forgetting import Holding, forget, holdings_of, is_alive, recorded_since
from metrics.retention.pruning import give_space_back
from metrics.storage.locks import RECORDER, WORKER, DirectoryInUse, hold_data_directory
from metrics.storage.table_sizes import bytes_of_tables
from metrics.storage.unusable import in_words


class Command(BaseCommand):
    help = (
        "Delete a machine or a container that is gone, with all of its history. It says beforehand what goes, and "
        "asks. Others may be recorded meanwhile; what was interrupted goes on when it is called again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the host, as `/api/v1/hosts` lists it")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, name: str, yes: bool, **options: Any) -> None:
        try:
            host = self._host(name)
            if name == conf.host_name():
                with hold_data_directory([WORKER, RECORDER]):
                    self._forget(host, yes)
            else:
                self._forget(host, yes)
        except DirectoryInUse as error:
            raise CommandError(f"{_shown(name)} is this machine itself, and {visible(str(error), MAX_LINE)}") from None
        except DatabaseError as error:
            raise CommandError(f"the database cannot be used: {in_words(error)}") from None

    def _host(self, name: str) -> Host:
        host = Host.objects.filter(name=name).first()
        if host is None:
            known = ", ".join(Host.objects.values_list("name", flat=True)) or "none"
            raise CommandError(f"there is no host {_shown(name)}; there are: {visible(known, MAX_LINE)}")
        if is_alive(host):
            raise CommandError(f"{_shown(name)} is being recorded; end its sysmon first")
        return host

    def _forget(self, host: Host, is_confirmed: bool) -> None:
        holdings = holdings_of(host)
        self._say_what_goes(host, holdings)
        if not is_confirmed and not self._confirms():
            self.stdout.write("nothing was deleted")
            return
        deleted = 0
        with Interruptible() as line, progress_on(self.stdout) as progress:
            bar = progress.add_task(_shown(host.name), total=sum(holding.rows for holding in holdings))
            began = time.monotonic()
            for rows in forget(host):
                deleted += rows
                progress.advance(bar, rows)
                give_space_back()
                # As long again as it took: whoever records finds the database free.
                if line.wait(time.monotonic() - began):
                    break
                began = time.monotonic()
        if Host.objects.filter(pk=host.pk).exists():
            raise CommandError(f"ended after {deleted} rows; call it again for the rest")
        self.stdout.write(f"{deleted} rows deleted; {_shown(host.name)} is forgotten")

    def _say_what_goes(self, host: Host, holdings: list[Holding]) -> None:
        sizes = bytes_of_tables()
        for holding in holdings:
            self.stdout.write(f"{holding.rows:>10}  {holding.model._meta.verbose_name_plural}")
        rows = sum(holding.rows for holding in holdings)
        freed = sum(sizes.get(holding.model._meta.db_table, 0) * holding.share for holding in holdings)
        since = recorded_since(host) or host.first_seen_at
        room = f", some {size(freed)}" if sizes else ""
        began = f", recorded since {iso(since.timestamp())}" if since else ""
        self.stdout.write(f"{rows:>10}  rows of {_shown(host.name)} would go{room}{began}")

    def _confirms(self) -> bool:
        try:
            return input("Delete them? [y/N] ").strip().lower() in {"y", "yes"}
        except EOFError:
            self.stdout.write("")
            return False


def _shown(name: str) -> str:
    return visible(name, MAX_LINE)
