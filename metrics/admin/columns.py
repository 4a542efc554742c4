"""Columns of a list and lines of a detail page, derived from the fields of a model."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Field, Model
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext

from metrics import tiers
from metrics.formatting import units
from metrics.models.fields import Measure

# How much of a text or of a list of numbers a list shows, and a detail page.
LISTED_CHARACTERS, LINE_CHARACTERS = 40, 1000
LISTED_NUMBERS, LINE_NUMBERS = 4, 1024


class Column:
    """A callable for list_display and readonly_fields: a heading, and one value of a row as people read it.

    Numbers are marked, so that the style sheet can put them under each other. `help` is shown when the heading is
    pointed at; on a detail page Django prints the help of the field that has this name.
    """

    def __init__(
        self,
        name: str,
        heading: Any,
        read: Callable[[Any], str],
        *,
        help: Any = "",  # noqa: A002
        is_number: bool = False,
    ) -> None:
        self.__name__ = name
        self.heading, self.help, self.read, self.is_number = heading, help, read, is_number

    def __call__(self, row: Any) -> str:
        """The value's text, or HTML that is marked as safe."""
        text = self.read(row)
        return format_html('<span class="number">{}</span>', text) if self.is_number else text

    @property
    def short_description(self) -> str:
        """The heading, in the language of the moment."""
        heading, kind = str(capfirst(self.heading)), "number" if self.is_number else ""
        return format_html('<abbr class="{}" title="{}">{}</abbr>', kind, self.help, heading)


def measure_column(field: Any) -> Column:
    """A measure in a list: short, with its unit."""

    def read(row: Any) -> str:
        value = getattr(row, field.name)
        return short(value) if isinstance(value, str) else units.measured(value, field.unit, LISTED_NUMBERS)

    return Column(field.name, field.verbose_name, read, help=field.help_text, is_number=is_number(field))


def measure_line(field: Any) -> Column:
    """A measure on a detail page: whole, and with the exact number where the short one hides something."""

    def read(row: Any) -> str:
        value = getattr(row, field.name)
        if isinstance(value, str):
            return units.visible(value, LINE_CHARACTERS)
        text = units.measured(value, field.unit, LINE_NUMBERS)
        exact = isinstance(value, int | float) and field.unit.startswith("bytes")
        return f"{text} ({units.number(value)} {units.unit_words(field.unit)})" if exact else text

    return Column(field.name, field.verbose_name, read, help=field.help_text)


def is_number(field: Any) -> bool:
    """Whether the values of a measure line up under each other."""
    return isinstance(field, Measure) and isinstance(field, Field) and field.get_internal_type() == "BigIntegerField"


def time_column(name: str, heading: Any, *, offset: bool = False) -> Column:
    """A moment in local time; `offset` says how far that is from UTC."""
    return Column(name, heading, lambda row: units.local_time(getattr(row, name), offset=offset))


def text_column(name: str, heading: Any, limit: int = LISTED_CHARACTERS) -> Column:
    """Text of unknown origin, on one line; empty and unknown are a dash."""
    return Column(name, heading, lambda row: units.visible(getattr(row, name) or units.EMPTY, limit))


def text_line(name: str, heading: Any) -> Column:
    """As `text_column`, on a detail page."""
    return text_column(name, heading, LINE_CHARACTERS)


def number_column(name: str, heading: Any, form: Callable[[Any], str], help: Any = "") -> Column:  # noqa: A002
    """A number in one of the formats."""

    def read(row: Any) -> str:
        value = getattr(row, name)
        return units.EMPTY if value is None else form(value)

    return Column(name, heading, read, help=help, is_number=True)


def related_column(name: str, heading: Any) -> Column:
    """A link to the page of the row that a foreign key points to."""
    return Column(name, heading, lambda row: object_link(getattr(row, name)))


def object_link(row: Model | None, text: str = "") -> str:
    """A link to a row's own page."""
    return units.EMPTY if row is None else link(object_url(row), text or short(str(row)))


def tier_name(width_seconds: int) -> str:
    """A tier by the name that the settings have for it, such as `15m`."""
    return tiers.name_of(width_seconds) if width_seconds else gettext("raw")


def short(text: str) -> str:
    """Text of unknown origin, as short as a list needs it."""
    return units.visible(text, LISTED_CHARACTERS)


def object_url(row: Model) -> str:
    """The address of a row's own page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_url(model: type[Model], **query: Any) -> str:
    """The address of a model's list, filtered."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(query)}" if query else address


def tables_line(
    heading: Any, tables: Callable[[], Iterable[type[Model]]], query: Callable[[Any], dict[str, Any]]
) -> Column:
    """Links to the lists of several tables, each filtered by what `query` makes of the row."""

    def read(row: Any) -> str:
        asked = query(row)
        links = [(list_url(table, **asked), capfirst(table._meta.verbose_name_plural)) for table in tables()]
        return format_html_join(" · ", '<a href="{}">{}</a>', links)

    return Column("tables", heading, read)


def link(url: str, text: Any) -> SafeString:
    """A link."""
    return format_html('<a href="{}">{}</a>', url, text)
