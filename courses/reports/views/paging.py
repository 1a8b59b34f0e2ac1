"""The rows of a report that its page shows: one page of them, or those with a searched text in their name.

Instructors and hosts are thousands of rows. The total, the chart and the files are of all rows, whatever the page
shows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import request

from courses.reports.questions import Grouping
from courses.reports.views.questions import page_number
from lms.core.paging import PAGE_SIZE, Page

T = TypeVar("T")

SEARCHABLE = frozenset({Grouping.COURSE, Grouping.INSTRUCTOR, Grouping.HOST})
UNSEARCHABLE_PAGE_SIZE = 300  # months or districts are few, and readers want to see them together
MAX_SEARCH_LENGTH = 100  # characters


@dataclass(frozen=True)
class RowListing(Generic[T]):
    """A page of rows.

    find: the searched text. matches: all rows that have it in their name; None where nothing was searched.
    everything: the number of all rows. searchable: whether the page has a search field.
    """

    page: Page[T]
    find: str
    matches: Sequence[T] | None
    everything: int
    searchable: bool

    @property
    def first(self) -> int:
        """The number of the page's first row, counted from 1."""
        return (self.page.page - 1) * self._size + 1

    @property
    def last(self) -> int:
        """The number of the page's last row."""
        return self.first + len(self.page.rows) - 1

    @property
    def _size(self) -> int:
        return PAGE_SIZE if self.searchable else UNSEARCHABLE_PAGE_SIZE


def listing(rows: Sequence[T], names: Callable[[T], Sequence[str | None]], grouping: Grouping) -> RowListing[T]:
    """The rows that the query string asks for. names: gives the texts of a row that are searched."""
    searchable = grouping in SEARCHABLE
    find = request.args.get("find", "").strip()[:MAX_SEARCH_LENGTH] if searchable else ""
    text = find.casefold()
    matches = [row for row in rows if any(text in (name or "").casefold() for name in names(row))] if text else None
    listed = rows if matches is None else matches
    size = PAGE_SIZE if searchable else UNSEARCHABLE_PAGE_SIZE
    pages = max(1, -(-len(listed) // size))
    number = min(max(page_number(), 1), pages)
    page = Page(listed[(number - 1) * size : number * size], number, pages, len(listed))
    return RowListing(page, find, matches, len(rows), searchable)
