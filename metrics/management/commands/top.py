"""`manage.py top`: the process table, for now and for any moment in the history."""

import json
import time
from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone
from rich.console import Console
from rich.text import Text

from metrics.api import presentation
from metrics.formatting.tables import OF_A_MOMENT, OF_A_RANGE, process_table
from metrics.formatting.units import MAX_LINE, duration, local_time, measured, number, visible
from metrics.history.metadata import series_families
from metrics.history.newest import find_host, nearest_moment
from metrics.history.peaks import PeakQuery, headline, peak_fields, read_peaks
from metrics.history.points import Point
from metrics.history.processes import ProcessQuery, RankedProcesses, read_processes, sort_orders
from metrics.management.arguments import TIME_HELP, RawHelpFormatter, TimeCommand, duration_seconds, last_moment, moment
from metrics.models import Host, ProcessSample
from metrics.status.health import read_warnings
from metrics.storage.unusable import in_words

DAY = 86_400
MOST, USUAL = 100, 20
# Older than this, the newest tick is not what people take for now.
STALE_SECONDS = 60
EXAMPLES = f"""
examples:
  manage.py top --at "yesterday 03:12"          what was eating the CPU at that moment
  manage.py top --from 09:00 --to 12:00 --sort memory
  manage.py top --last 2h                       over the last two hours
  manage.py top --peak                          the worst moment of the last 24 hours

{TIME_HELP}
"""


class Command(TimeCommand):
    help = (
        "Show the processes that used the most: now, at a moment, over a stretch of time, or when it was worst."
        "\nEverything comes from what was recorded; nothing is measured."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawHelpFormatter, epilog=EXAMPLES, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--at", type=moment, metavar="TIME", help="at this moment (default: now)")
        parser.add_argument("--from", type=moment, dest="start", metavar="TIME", help="from this moment on")
        parser.add_argument("--to", type=last_moment, dest="end", metavar="TIME", help="up to this moment")
        parser.add_argument(
            "--last", type=duration_seconds, metavar="DURATION", help="over so long up to now: 90m, 2h, 1h30m, 7d"
        )
        parser.add_argument(
            "--peak",
            nargs="?",
            const=series_families()[0],
            choices=series_families(),
            metavar="FAMILY",
            help="when it was worst in the last 24 hours, or from --from to --to: "
            f"{', '.join(series_families())} (default: %(const)s)",
        )
        parser.add_argument(
            "--sort", choices=sort_orders(), help="what to rank by (default: cpu; with --peak what the family is about)"
        )
        parser.add_argument(
            "--limit", type=_limit, default=USUAL, metavar="N", help=f"processes, 1 to {MOST} (default: %(default)s)"
        )
        parser.add_argument("--host", metavar="NAME", help="another host that is in the database")
        parser.add_argument("--json", action="store_true", dest="as_json", help="the API's answer as JSON")

    def handle(self, *args: Any, host: str | None, as_json: bool, **options: Any) -> None:
        if options["end"] is not None:
            options["end"] = options["end"].from_start(options["start"])
        _check(options)
        if options["last"]:
            options["start"] = time.time() - options["last"]
        try:
            found = _find(_known_host(host), options)
        except DatabaseError as error:
            raise CommandError(f"the database cannot be used: {in_words(error)}") from None
        if as_json:
            # ASCII, since not only the first 32 characters can steer a terminal.
            self.stdout.write(json.dumps(found.answer))
        else:
            _print(found, Console(file=self.stdout, highlight=False, no_color=options["no_color"]))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Found:
    """Lines about the moment, the ranked processes of it, and the API's answer."""

    lines: list[str]
    query: ProcessQuery
    ranked: RankedProcesses
    answer: dict[str, Any]


def _find(host: Host, options: dict[str, Any]) -> Found:
    if options["peak"]:
        return _find_peak(host, options)
    moments = {name: options[name] for name in ("at", "start", "end")}
    return _find_processes(ProcessQuery(host, options["sort"] or sort_orders()[0], options["limit"], **moments))


def _find_processes(query: ProcessQuery) -> Found:
    ranked = read_processes(query)
    if ranked.timestamp is None:
        raise CommandError(_nothing(query.host, _asked(query)))
    head = _head_of_range if query.is_range else _head_of_moment
    return Found(head(query, ranked), query, ranked, presentation.ranking(query.host, ranked))


def _find_peak(host: Host, options: dict[str, Any]) -> Found:
    """The worst episode, and its processes."""
    start, end = options["start"], options["end"]
    if start is None and end is None:
        start, end = time.time() - DAY, time.time()
    query = PeakQuery(host, options["peak"], start=start, end=end, limit=1)
    episodes = read_peaks(query)
    if not episodes:
        raise CommandError(_no_peak(query))
    [episode] = episodes
    table, field = peak_fields(query.family)[headline(query.family)]
    stretch = {"start": episode["start"], "end": episode["end"] - 1}
    found = _find_processes(ProcessQuery(host, options["sort"] or table.culprits, options["limit"], **stretch))
    answer = presentation.peaks(query, [episode | {"processes": found.ranked.results}])
    return replace(found, lines=[*_peak_lines(query.family, field, episode), *found.lines], answer=answer)


def _print(found: Found, console: Console) -> None:
    for line in found.lines:
        console.print(Text(line))
    clock = _clock_for(found)
    rows = [
        row | {name: clock(row[name]) for name in ("first_seen", "last_seen") if name in row}
        for row in found.ranked.results
    ]
    if rows:
        console.print(process_table(rows, console.width, OF_A_RANGE if found.query.is_range else OF_A_MOMENT))
    else:
        console.print(Text("no process used anything worth keeping"))


def _head_of_moment(query: ProcessQuery, ranked: RankedProcesses) -> list[str]:
    first, seconds = ranked.timestamp or 0, duration(ranked.resolution or 0)
    late = time.time() - first
    age = f" ({duration(round(late))} ago)" if query.at is None and late > STALE_SECONDS else ""
    total = number(ranked.total or 0)
    return [f"{visible(query.host.name)}  {_when(first)}{age}  over {seconds}  {total} processes", *_seen(query)]


def _seen(query: ProcessQuery) -> list[str]:
    """What is not seen of the processes now; of the past that is not known."""
    if query.at is not None:
        return []
    warnings = read_warnings(query.host)
    return [visible(one["message"], MAX_LINE) for one in warnings if one["family"] == ProcessSample.family]


def _head_of_range(query: ProcessQuery, ranked: RankedProcesses) -> list[str]:
    first = ranked.timestamp if query.start is None else query.start
    last = time.time() if query.end is None else query.end
    total = number(ranked.total or 0)
    return [
        f"{visible(query.host.name)}  {_when(first or 0)} to {_when(last)}",
        f"{duration(ranked.resolution or 0)} recorded  {total} processes at the most",
    ]


def _peak_lines(family: str, field: Any, episode: Point) -> list[str]:
    name = f"{family} {field.name.replace('_', ' ')}"
    peak, mean = (measured(episode[value], field.unit) for value in ("peak", "mean"))
    return [f"highest {name}: {peak} at {_when(episode['peak_at'])}, mean {mean}"]


def _no_peak(query: PeakQuery) -> str:
    in_range = ProcessQuery(query.host, limit=1, start=query.start, end=query.end)
    if read_processes(in_range).timestamp is None:
        return _nothing(query.host, _asked(in_range))
    return f"{query.family} never rose above what is usual {_in_words(_asked(in_range))}"


def _asked(query: ProcessQuery) -> dict[str, float]:
    """What was asked for, by the word that stands before it."""
    moments = {"at": query.at, "from": query.start, "to": query.end}
    return {word: moment for word, moment in moments.items() if moment is not None}


def _in_words(asked: dict[str, float]) -> str:
    return " ".join(f"{word} {_when(moment)}" for word, moment in asked.items())


def _nothing(host: Host, asked: dict[str, float]) -> str:
    """Where nothing is: which moment would be the next."""
    near = [
        (abs(found.timestamp - moment), found.timestamp)
        for moment in (asked.values() or [time.time()])
        if (found := nearest_moment(host, moment))
    ]
    if not near:
        return f"no process was ever recorded on {visible(host.name)}"
    if asked and min(asked.values()) > time.time():
        return f"{_in_words(asked)} lies in the future; the newest recorded moment is {_when(min(near)[1])}"
    return f"nothing was recorded {_in_words(asked)}; the nearest recorded moment is {_when(min(near)[1])}"


def _check(options: dict[str, Any]) -> None:
    """Refuse what does not go together."""
    at, start, end = (options[name] for name in ("at", "start", "end"))
    if options["last"] and any(moment is not None for moment in (at, start, end)):
        raise CommandError("--last does not go with --at, --from or --to")
    if at is not None and (start is not None or end is not None or options["peak"]):
        raise CommandError("--at does not go with --from, --to or --peak")
    if start is not None and end is not None and start > end:
        raise CommandError("--from is after --to")


def _known_host(name: str | None) -> Host:
    if found := find_host(name):
        return found
    if name is None:
        raise CommandError("nothing has been recorded on this machine yet; `manage.py up` records")
    known = ", ".join(visible(host.name) for host in Host.objects.all()) or "none"
    raise CommandError(f"nothing was recorded for the host {visible(name)}; known hosts: {known}")


def _when(moment: float) -> str:
    return local_time(datetime.fromtimestamp(moment, UTC), offset=True)


def _clock_for(found: Found) -> Callable[[float], str]:
    """How to write when a process was seen: without the day where all were seen on one."""
    moments = [row[name] for row in found.ranked.results for name in ("first_seen", "last_seen") if name in row]
    days = {_here(moment).date() for moment in moments}
    form = "%H:%M:%S" if len(days) == 1 else "%m-%d %H:%M"
    return lambda moment: _here(moment).strftime(form)


def _here(moment: float) -> datetime:
    return timezone.localtime(datetime.fromtimestamp(moment, UTC))


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST:
        raise ArgumentTypeError(f"must be a whole number from 1 to {MOST}")
    return int(text)
