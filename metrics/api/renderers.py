"""JSON, CSV, NDJSON and the browsable page, and how a request chooses between them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from rest_framework.exceptions import NotAcceptable, ValidationError
from rest_framework.fields import ChoiceField
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer, TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.utils.mediatypes import media_type_matches
from typing_extensions import override

from metrics.api.addresses import address_in_project, sign_in_address
from metrics.api.flat import FlatTable
from metrics.formatting.units import printable

# Where a spreadsheet would begin a formula, the full-width forms included: at the start of a cell, and behind what
# other languages' spreadsheets, or an import with several separators, take for the end of one.
FORMULA = re.compile('(^|[;|])(?=[\\s"]*[=+\\-@\uff1d\uff0b\uff0d\uff20])')
# A cell that has one of these stands in quotes: what some program takes for a separator or for a quote.
QUOTED = re.compile('[,;|"]')


class JsonRenderer(BaseRenderer):
    """JSON in UTF-8, indented where a person reads it."""

    media_type = "application/json"
    format = "json"
    charset = None

    @override
    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        if data is None:
            return b""
        indent = orjson.OPT_INDENT_2 if (renderer_context or {}).get("indent") else 0
        return orjson.dumps(data, default=str, option=indent)


class BrowsableRenderer(BrowsableAPIRenderer):
    """DRF's page, without forms: there is nothing to write."""

    template = "metrics/api.html"

    def get_context(self, data: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """What REST framework gives to its page, and where the page leads to in this project."""
        context: dict[str, Any] = super().get_context(data, *args, **kwargs)
        view, request = context["view"], context["request"]
        return {
            **context,
            "api_settings": view.settings,
            "account": address_in_project("admin:index"),
            "sign_in": sign_in_address(request.get_full_path()),
        }

    def get_rendered_html_form(self, data: Any, view: Any, method: str, request: Request) -> None:
        """No form."""

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Request) -> None:
        """No form."""


class FlatRenderer(BaseRenderer):
    """Rows for a spreadsheet or a pipe; the view's `flat_table` makes them from its data. Errors never come here."""

    charset: str | None = "utf-8"

    @override
    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        view, response = (renderer_context or {})["view"], (renderer_context or {})["response"]
        response["Content-Disposition"] = f'attachment; filename="{view.file_name(data)}.{self.format}"'
        return self.encode(view.flat_table(data))

    def encode(self, table: FlatTable) -> bytes:
        """The whole file."""
        raise NotImplementedError


class CsvRenderer(FlatRenderer):
    """RFC 4180, a row a line; what a spreadsheet would run has an apostrophe before it. The csv module is of no use: it
    leaves a cell with `;` without quotes."""

    media_type = "text/csv"
    format = "csv"

    def encode(self, table: FlatTable) -> bytes:
        lines = [",".join(map(cell, row)) for row in (table.header, *table.rows)]
        return "".join(f"{line}\r\n" for line in lines).encode()


class NdjsonRenderer(FlatRenderer):
    """A JSON object a line."""

    media_type = "application/x-ndjson"
    format = "ndjson"
    charset = None

    def encode(self, table: FlatTable) -> bytes:
        return b"".join(self._lines(table))

    def _lines(self, table: FlatTable) -> Iterator[bytes]:
        for row in table.rows:
            yield orjson.dumps(dict(zip(table.header, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE)


def cell(value: Any) -> str:
    """A value as it stands in a line: None is nothing, a number is itself, and everything else is text that is safe to
    open, in quotes where it has to be; true, false, lists and objects as in JSON."""
    if value is None:
        return ""
    if type(value) in (int, float):
        return str(value)
    text = safe(value if isinstance(value, str) else orjson.dumps(value).decode())
    return '"' + text.replace('"', '""') + '"' if QUOTED.search(text) else text


def safe(text: str) -> str:
    """Text that steers no terminal and, wherever a program ends its cells, begins no formula."""
    return FORMULA.sub("\\1'", printable(text))


def is_for_people(renderer: BaseRenderer | None) -> bool:
    """Whether a renderer makes a page."""
    return isinstance(renderer, BrowsableAPIRenderer | TemplateHTMLRenderer)


class FormatNegotiation(DefaultContentNegotiation):
    """`format` in the address beats `Accept`; what is unknown there is a parameter that is wrong."""

    @override
    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        wanted = request.query_params.get("format")
        if wanted is None:
            return accepted_renderer(request, list(renderers))
        for renderer in renderers:
            if renderer.format == wanted:
                return renderer, renderer.media_type
        raise ValidationError({"format": [ChoiceField.default_error_messages["invalid_choice"].format(input=wanted)]})


class AnyFormatNegotiation(DefaultContentNegotiation):
    """For the front page: whoever asks for what it is not made in gets JSON."""

    @override
    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        choices = list(renderers)
        try:
            return accepted_renderer(request, choices)
        except NotAcceptable:
            return choices[0], choices[0].media_type


def accepted_renderer(request: Request, renderers: Sequence[BaseRenderer]) -> tuple[BaseRenderer, str]:
    """The first renderer for a client that takes anything, else what its header likes best."""
    if request.META.get("HTTP_ACCEPT", "*/*") == "*/*":
        return renderers[0], renderers[0].media_type
    preferred = request._request.get_preferred_type([renderer.media_type for renderer in renderers])
    for renderer in renderers:
        if renderer.media_type == preferred:
            return renderer, renderer.media_type
    # Django wants a media type's parameters to be equal; a charset or an indent more is no reason to refuse.
    for token in DefaultContentNegotiation().get_accept_list(request):
        for renderer in renderers:
            if media_type_matches(renderer.media_type, token.partition(";")[0]):
                return renderer, renderer.media_type
    raise NotAcceptable
