"""What every page of recorded data has in common."""

# ruff: noqa: ARG002 (Django says which arguments its hooks get)

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.contrib.admin.views.main import PAGE_VAR
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst

from metrics.admin.columns import Column
from metrics.admin.pages import UncountedPaginator
from metrics.admin.sections import INTERNALS
from metrics.formatting import units

# A search looks at no more rows than this, the newest, and for no more words: its cost has a bound at any size.
SEARCHED_ROWS = 500_000
MAX_WORDS = 6
MAX_SEARCH_CHARACTERS = 100

# Who may see command lines.
VIEW_COMMAND = "metrics.view_command"

# A link above a detail page: its text and its address.
Link = tuple[str, str]
# The parts of a detail page: a title, and lines.
Sections = Sequence[tuple[Any, Sequence[Column]]]


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A list and a detail page of what was recorded. Nothing is added, changed or deleted; nothing is counted.

    No column can be sorted by: only the newest first is answered by the index.
    """

    # Unless a table says otherwise it is about the program's own work.
    section = INTERNALS
    actions = None
    sortable_by = ()
    list_per_page = 100
    list_max_show_all = 100
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    view_on_site = False
    # What the newest rows are found by; the index of the list ends with it.
    newest_by: ClassVar[str] = "timestamp"
    list_columns: Sequence[Column] = ()
    sections: Sections = ()

    class Media:
        css = {"all": ["metrics/admin.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: rows come from the recorder."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: rows go when their retention ends."""
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only the filters that are offered; Django would let any field be asked for, past every index."""
        filters: Any = self.list_filter if request is None else self.get_list_filter(request)
        return lookup in {name for offered in filters for name in offered.parameter_names()}

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns."""
        return self.list_columns

    def get_sections(self, request: HttpRequest) -> Sections:
        """The parts of a detail page that this user may see."""
        return self.sections

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The sections, as Django wants them."""
        return [(title, {"fields": lines}) for title, lines in self.get_sections(request)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Every line."""
        return [line for _title, lines in self.get_sections(request) for line in lines]

    def get_paginator(
        self, request: HttpRequest, queryset: Any, per_page: int, *args: Any, **kwargs: Any
    ) -> "Paginator[Any]":
        """One that does not count the table."""
        joined: Any = self.get_list_select_related(request) or [None]
        table = self.get_queryset(request).select_related(*joined)
        return UncountedPaginator(queryset, table, per_page, _page_number(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search a bounded number of rows for a bounded number of words."""
        # No text that is stored has a NUL, and PostgreSQL takes none.
        words = search_term[:MAX_SEARCH_CHARACTERS].replace("\0", " ").split()
        term = " ".join(words[:MAX_WORDS])
        if not term:
            return queryset, False
        return self.search(request, newest_rows(queryset, self.newest_by), term), False

    def search(self, request: HttpRequest, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """The rows that match; as Django does it."""
        return super().get_search_results(request, queryset, term)[0]

    def see_also(self, row: Any) -> list[Link]:
        """Links above a detail page."""
        return []

    def caption(self, row: Any) -> str:
        """What a row is called above its page."""
        return units.visible(str(row))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Head the list with what it lists, where Django's says "Select … to view"."""
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Say what the row is in a text that is short and cannot do harm."""
        row = context["original"]
        context |= {"subtitle": self.caption(row), "see_also": self.see_also(row)}
        return super().render_change_form(request, context, *args, **kwargs)


def newest_rows(rows: QuerySet[Any], newest_by: str) -> QuerySet[Any]:
    """The newest SEARCHED_ROWS rows, and those of the same moment as the last of them."""
    moments = rows.order_by(f"-{newest_by}").values_list(newest_by, flat=True)
    oldest = moments[SEARCHED_ROWS - 1 : SEARCHED_ROWS].first()
    return rows if oldest is None else rows.filter(**{f"{newest_by}__gte": oldest})


def _page_number(request: HttpRequest) -> int:
    try:
        return int(request.GET.get(PAGE_VAR, 1))
    except ValueError:
        return 1
