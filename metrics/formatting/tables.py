"""A tick as tables for the terminal."""

from collections.abc import Mapping, Sequence
from typing import IO, Any, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from metrics.formatting.units import EMPTY, measured, visible
from metrics.models import ProcessSample, Sample
from metrics.models.fields import Measure
from metrics.models.others import MAX_NAMED, LeftOut
from metrics.models.samples import sample_models


class Column(NamedTuple):
    """A column of the process table: its title, the name of its value, the unit where that is no measure, and how wide
    the terminal has to be for it. A text goes to the left and is cut where it is too long."""

    title: str
    name: str
    unit: str = ""
    is_text: bool = False
    from_width: int = 0


MAX_TEXT, SHORTER_TEXT = 15, 8
MAX_LEFT_OUT = 60
WIDE = 100
# Between two columns, and before the first one.
GAP, EDGE = 2, 1
PID, USER, NAME = Column("PID", "pid"), Column("USER", "username", is_text=True), Column("NAME", "name", is_text=True)
CPU, MEMORY = Column("CPU", "cpu_percent"), Column("MEMORY", "rss_bytes")
READ, WRITE = Column("READ", "read_bytes_per_second"), Column("WRITE", "write_bytes_per_second")
COMMAND = Column("COMMAND", "command", is_text=True, from_width=WIDE)
OF_A_MOMENT = (PID, USER, CPU, MEMORY, READ, WRITE, NAME, COMMAND)
OF_A_RANGE = (
    *(PID, USER._replace(from_width=WIDE), CPU, Column("CPU TIME", "cpu_seconds", "seconds")),
    *(Column("PEAK", "rss_bytes_max", "bytes"), READ._replace(from_width=WIDE), WRITE._replace(from_width=WIDE)),
    *(Column("FIRST", "first_seen", is_text=True), Column("LAST", "last_seen", is_text=True)),
    *(NAME, COMMAND._replace(from_width=130)),
)


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
    for left in tick["left_out"]:
        console.print(Text(_left_out(left)))


def _left_out(left: LeftOut) -> str:
    """What is not shown by its name, why, and which things that are."""
    names = [visible(name, MAX_LEFT_OUT) for name in left["names"]]
    more = [f"and {left['count'] - len(names)} more"] if left["count"] > len(names) else []
    why = (
        f"not kept, by {left['setting']}"
        if left["setting"]
        else f"only in the sum, as the {MAX_NAMED} busiest are shown"
    )
    return f"{left['what']} {why}: {', '.join([*names, *more])}"


def _table(model: type[Sample], point: dict[str, Any], width: int) -> Table | None:
    rows = point.get(model.collection, []) if model.collection else [point]
    if not rows:
        return None
    if model is ProcessSample:
        return process_table(rows, width, title="top processes")
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


def process_table(
    rows: Sequence[dict[str, Any]], width: int, columns: Sequence[Column] = OF_A_MOMENT, title: str = ""
) -> Table:
    """The table that people know from `top`; the command takes the room that is left, where there is any."""
    units = {field.name: field.unit for field in ProcessSample.measures()}
    table = _titled(title)
    shown = [column for column in columns if width >= column.from_width]
    cells = [[_process_cell(_value(row, column), column, units, width) for column in shown] for row in rows]
    for column, widest in zip(shown, _widths(shown, cells, width), strict=True):
        justify: JustifyMethod = "left" if column.is_text else "right"
        table.add_column(
            column.title, justify=justify, no_wrap=True, overflow="ellipsis", min_width=widest, max_width=widest
        )
    for texts in cells:
        table.add_row(*map(Text, texts))
    return table


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """As wide as what is in it, a text not too wide; the last column has what is left of the terminal."""
    longest = {NAME.name: MAX_TEXT, USER.name: MAX_TEXT if width >= WIDE else SHORTER_TEXT}
    titles_and_texts = zip((column.title for column in columns), *cells, strict=True)
    widest = [max(map(cell_len, texts)) for texts in titles_and_texts]
    cut = [min(wide, longest.get(column.name, wide)) for wide, column in zip(widest, columns, strict=True)]
    left = width - EDGE - sum(cut[:-1]) - GAP * len(cut)
    return [*cut[:-1], max(min(cut[-1], left), SHORTER_TEXT)]


def _value(row: dict[str, Any], column: Column) -> Any:
    """Of the CPU what the process and its ended children used: so it is ranked."""
    if column is not CPU:
        return row[column.name]
    known = [row[name] for name in ProcessSample.orders["cpu"] if row[name] is not None]
    return sum(known) if known else None


def _process_cell(value: Any, column: Column, units: Mapping[str, str], width: int) -> str:
    if column.is_text:
        return EMPTY if value is None else visible(value, width)
    return str(value) if column is PID else _rounded(value, column.unit or units[column.name])


def _titled(title: str, *, show_header: bool = True) -> Table:
    return Table(
        box=SIMPLE_HEAD,
        title=title or None,
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
