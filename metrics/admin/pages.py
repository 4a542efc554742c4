"""Pages of a table that is too large to be counted."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator

# The pager offers this many pages beyond the one that is shown; to know that they exist costs a walk of that length.
PAGES_AHEAD = 10
# No page begins behind this many rows: skipping rows takes time for each.
MAX_ROWS = 1_000_000


class UncountedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts as far as the pager needs and no further; `has_more` says that there is more than `count`.

    A page is found by its keys alone, which the index of the list has; only then are its own rows read, by their
    keys, from `table`: the same rows without the filters.
    """

    def __init__(self, rows: Any, table: Any, per_page: int, number: int) -> None:
        super().__init__(rows, per_page)
        self.rows, self.table = rows, table
        self.bound = min((max(number, 1) + PAGES_AHEAD) * self.per_page, MAX_ROWS)

    @cached_property
    def _counted(self) -> int:
        return int(self.rows.order_by().values("pk")[: self.bound + 1].count())

    @cached_property
    def count(self) -> int:
        """How many rows there are, or the bound where there are more."""
        return min(self._counted, self.bound)

    @property
    def has_more(self) -> bool:
        """Whether `count` is less than all."""
        return self._counted > self.bound

    def page(self, number: int | str) -> "Page[Any]":
        """One page; its rows are a list."""
        valid = self.validate_number(number)
        first = (valid - 1) * self.per_page
        keys = list(self.rows.values_list("pk", flat=True)[first : first + self.per_page])
        rows = self.table.order_by().in_bulk(keys)
        return Page([rows[key] for key in keys if key in rows], valid, self)

    def __iter__(self) -> "Iterator[Page[Any]]":
        """Not offered: nobody walks through all of it."""
        raise TypeError("an uncounted table has no last page")
