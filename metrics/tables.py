"""A tick as tables for the terminal."""

from collections.abc import Sequence
from typing import IO, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from metrics.formats import measured
from metrics.models import ProcessSample, Sample
from metrics.models.fields import Measure
from metrics.models.samples import sample_models

PROCESS_COLUMNS = (
    ("PID", "pid"),
    ("USER", "username"),
    ("CPU", "cpu_percent"),
    ("MEMORY", "rss_bytes"),
    ("READ", "read_bytes_per_second"),
    ("WRITE", "write_bytes_per_second"),
    ("NAME", "name"),
    ("COMMAND", "command"),
)
LONGEST_NAME = 15
WIDTH_FOR_COMMANDS = 100
TEXT_COLUMNS = {"username", "name", "command"}


def print_tick(tick: dict[str, Any], stream: IO[str]) -> None:
    """Write one tick, as recording.once gives it: a table for each family, and one for each list in it."""
    console = Console(file=stream, highlight=False, soft_wrap=False)
    console.print(Text(f"{tick['host']}  {tick['timestamp']}"))
    for model in sample_models():
        point = tick.get(model.family)
        if point is None:
            console.print(Text(f"{model.family}: nothing here"))
        elif table := _table(model, point, console.width):
            console.print(table)


def _table(model: type[Sample], point: dict[str, Any], width: int) -> Table | None:
    rows = point.get(model.collection, []) if model.collection else [point]
    if not rows:
        return None
    if model is ProcessSample:
        return process_table(rows, width)
    return _list(model, rows) if model.collection else _sheet(model, rows[0])


def _sheet(model: type[Sample], row: dict[str, Any]) -> Table:
    """A line for each value, with what it means."""
    table = _titled(str(model._meta.verbose_name), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    for field in model.measures():
        table.add_row(field.name, _cell(row, field), str(field.help_text))
    return table


def _list(model: type[Sample], rows: Sequence[dict[str, Any]]) -> Table:
    """A paragraph for each thing: a column for each value would be too wide for a terminal."""
    table = _titled(str(model._meta.verbose_name_plural), show_header=False)
    table.add_column(overflow="fold", max_width=30)
    table.add_column()
    for row in rows:
        name = Text("\n".join(measured(row[label]) for label in model.key))
        shown = (field for field in model.measures() if field.name not in model.key)
        values = (f"{field.name} {_rounded(row.get(field.name), field.unit)}" for field in shown)
        table.add_row(name, Text("   ".join(values)))
    return table


def process_table(rows: Sequence[dict[str, Any]], width: int) -> Table:
    """The table that people know from `top`; the command takes the room that is left, where there is any."""
    table = _titled("top processes")
    units = {field.name: field.unit for field in ProcessSample.measures()}
    columns = [(title, name) for title, name in PROCESS_COLUMNS if name != "command" or width >= WIDTH_FOR_COMMANDS]
    cells = [[_process_cell(name, row[name], units.get(name, "")) for _title, name in columns] for row in rows]
    for (title, name), column in zip(columns, zip(*cells, strict=True), strict=True):
        widest = None if name == "command" else min(max(map(len, (title, *column))), LONGEST_NAME)
        justify: JustifyMethod = "left" if name in TEXT_COLUMNS else "right"
        table.add_column(title, justify=justify, no_wrap=True, overflow="ellipsis", min_width=widest, max_width=widest)
    for texts in cells:
        table.add_row(*map(Text, texts))
    return table


def _process_cell(name: str, value: Any, unit: str) -> str:
    return str(value) if name == "pid" else _rounded(value, unit)


def _titled(title: str, *, show_header: bool = True) -> Table:
    return Table(
        box=SIMPLE_HEAD,
        title=title,
        title_justify="left",
        title_style="bold",
        show_header=show_header,
        padding=(0, 1, 0, 0),
    )


def _cell(row: dict[str, Any], field: Measure) -> Text:
    """Text, not a string: names from outside are no markup."""
    return Text(_rounded(row.get(field.name), field.unit))


def _rounded(value: Any, unit: str) -> str:
    return measured(round(value, 2) if isinstance(value, float) else value, unit)
