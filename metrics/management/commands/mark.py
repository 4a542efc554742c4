"""`manage.py mark`: an event made by hand or by a script, such as a deployment."""

import hashlib
import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from metrics import conf
from metrics.formatting.units import local_time
from metrics.management.arguments import TIME_HELP, RawHelpFormatter, TimeCommand, moment
from metrics.models import Event, Host
from metrics.models.events import NewEvent, note_event
from metrics.storage.unusable import in_words

MAX_CHARACTERS = 500
# Clocks of two machines differ; what is planned for later has not happened.
MAX_AHEAD_SECONDS = 60
EXAMPLES = f"""
examples:
  manage.py mark "deployed 1.2"
  manage.py mark "new disk" --at "yesterday 14:00"

{TIME_HELP}
"""


class Command(TimeCommand):
    help = "Mark a moment in the history of this machine, such as a deployment. /api/v1/events has it, and the page."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawHelpFormatter, epilog=EXAMPLES, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("text", help=f"what happened, in one line of at most {MAX_CHARACTERS} characters")
        parser.add_argument("--at", type=moment, metavar="TIME", help="when it was (default: now)")

    def handle(self, *args: Any, text: str, at: float | None, **options: Any) -> None:
        title, now = text.strip(), time.time()
        if not title:
            raise CommandError("the text is empty: say what happened")
        if len(title) > MAX_CHARACTERS or not title.isprintable():
            raise CommandError(f"the text must be one line of at most {MAX_CHARACTERS} characters that can be shown")
        if at is not None and at > now + MAX_AHEAD_SECONDS:
            raise CommandError("--at lies in the future: mark it when it happens")
        try:
            event = _store(title, now if at is None else at)
        except DatabaseError as error:
            raise CommandError(f"the database cannot be used: {in_words(error)}") from None
        self.stdout.write(f"{local_time(event.started_at)}  {event.title}")


def _store(title: str, at: float) -> Event:
    """The mark; the same text at the same moment is one, however often it is said."""
    name = conf.host_name()
    host = Host.objects.filter(name=name).first()
    if host is None:
        raise CommandError(f"nothing has been recorded of {name} yet: start `manage.py up` first")
    digest = hashlib.sha256(title.encode()).hexdigest()
    key = f"{round(at * 1000)}:{digest}"
    note_event(host.pk, NewEvent("mark", key, at, title))
    return Event.objects.get(host=host, kind="mark", key=key)
