"""Columns of a list and lines of a detail page, derived from the fields of a model."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Field, Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from metrics import formats
from metrics.models.fields import Measure

# How a field's name is written as a word, where it is no word.
WRITTEN = {"cpu": "CPU", "rss": "RSS", "fstype": "file system", "mountpoint": "mount point", "iowait": "I/O wait"}


class Column:
    """A callable for list_display and readonly_fields: a heading, and one value of a row as people read it.

    `help` is shown when the heading is pointed at; on a detail page Django prints the help of the field that has this
    name.
    """

    def __init__(self, name: str, heading: Any, read: Callable[[Any], str], help: Any = "") -> None:  # noqa: A002
        self.__name__ = name
        self.heading, self.help, self.read = heading, help, read

    def __call__(self, row: Any) -> str:
        """The value's text, or HTML that is marked as safe."""
        return self.read(row)

    @property
    def short_description(self) -> str:
        """The heading, in the language of the moment."""
        heading = str(capfirst(self.heading))
        return format_html('<span title="{}">{}</span>', self.help, heading) if self.help else heading


def headings(fields: Iterable[Any]) -> dict[str, str]:
    """A heading for each field: its name without the unit, which the values show, unless two would look the same."""
    named = {field.name: field for field in fields}
    short = {name: name.removesuffix(f"_{getattr(field, 'unit', '')}") for name, field in named.items()}
    times = Counter(short.values())
    return {name: _words(text if times[text] == 1 else name) for name, text in short.items()}


def _words(name: str) -> str:
    return " ".join(WRITTEN.get(word, word) for word in name.split("_"))


def measure_column(field: Any, heading: str) -> Column:
    """A measure in a list: short, with its unit, numbers to the right."""

    def read(row: Any) -> str:
        text = formats.measured(getattr(row, field.name), field.unit)
        return format_html('<span class="number">{}</span>', text) if is_number(field) else text

    return Column(field.name, heading, read, field.help_text)


def measure_line(field: Any, heading: str) -> Column:
    """A measure on a detail page: whole, and with the exact number where the short one hides something."""

    def read(row: Any) -> str:
        value = getattr(row, field.name)
        if isinstance(value, str):
            return formats.visible(value, LINE_CHARACTERS)
        text = formats.measured(value, field.unit, LINE_NUMBERS)
        exact = isinstance(value, int | float) and field.unit.startswith("bytes")
        return f"{text} ({formats.number(value)} {formats.unit_words(field.unit)})" if exact else text

    return Column(field.name, heading, read, field.help_text)


LINE_CHARACTERS = 1000
LINE_NUMBERS = 1024


def is_number(field: Any) -> bool:
    """Whether the values of a measure line up under each other."""
    return isinstance(field, Measure) and isinstance(field, Field) and field.get_internal_type() == "BigIntegerField"


def time_column(name: str, heading: Any, *, offset: bool = False) -> Column:
    """A moment in local time; `offset` says how far that is from UTC."""
    return Column(name, heading, lambda row: formats.local_time(getattr(row, name), offset=offset))


def text_column(name: str, heading: Any, limit: int = formats.MAX_CHARACTERS) -> Column:
    """Text of unknown origin, on one line; empty and unknown are a dash."""
    return Column(name, heading, lambda row: formats.visible(getattr(row, name) or formats.EMPTY, limit))


def format_column(name: str, heading: Any, form: Callable[[Any], str]) -> Column:
    """A number in one of the formats, to the right."""

    def read(row: Any) -> str:
        value = getattr(row, name)
        return format_html('<span class="number">{}</span>', formats.EMPTY if value is None else form(value))

    return Column(name, heading, read)


def related_column(name: str, heading: Any) -> Column:
    """A link to the page of the row that a foreign key points to."""
    return Column(name, heading, lambda row: object_link(getattr(row, name)))


def object_link(row: Model | None, text: str = "") -> str:
    """A link to a row's own page."""
    return formats.EMPTY if row is None else link(object_url(row), text or formats.visible(str(row)))


def object_url(row: Model) -> str:
    """The address of a row's own page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_url(model: type[Model], **query: Any) -> str:
    """The address of a model's list, filtered."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(query)}" if query else address


def link(url: str, text: Any) -> SafeString:
    """A link."""
    return format_html('<a href="{}">{}</a>', url, text)
