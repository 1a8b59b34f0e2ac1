"""Which of a report's rows a page shows: a page at a time, found by a part of their name. The question stays the same.

Instructors and hosts are thousands of rows. The total, the picture and the files are of all of them, whatever a page shows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import request

from courses.reports.filters import Grouping
from lms.core.paging import PAGE_SIZE, Page

T = TypeVar("T")

MANY = frozenset({Grouping.COURSE, Grouping.INSTRUCTOR, Grouping.HOST})
FEW_SIZE = 300  # rows of a page of months or districts, which one wants to see together
LONGEST = 100  # characters that are looked for


@dataclass(frozen=True)
class Listing(Generic[T]):
    """A page of the rows that were found. find: what was looked for; found: all that have it, None where nothing was looked for.

    everything: how many rows the report has. searchable: whether they are many enough to be looked for.
    """

    page: Page[T]
    find: str
    found: Sequence[T] | None
    everything: int
    searchable: bool

    @property
    def first(self) -> int:
        """The number of the page's first row, from 1."""
        return (self.page.page - 1) * self._size + 1

    @property
    def last(self) -> int:
        """The number of its last."""
        return self.first + len(self.page.rows) - 1

    @property
    def _size(self) -> int:
        return PAGE_SIZE if self.searchable else FEW_SIZE


def listing(rows: Sequence[T], names: Callable[[T], Sequence[str | None]], grouping: Grouping) -> Listing[T]:
    """The rows that the address asks to see. names: what of a row is looked through."""
    searchable = grouping in MANY
    find = request.args.get("find", "").strip()[:LONGEST] if searchable else ""
    wanted = find.casefold()
    found = [row for row in rows if any(wanted in (name or "").casefold() for name in names(row))] if wanted else None
    shown = rows if found is None else found
    size = PAGE_SIZE if searchable else FEW_SIZE
    pages = max(1, -(-len(shown) // size))
    number = min(max(request.args.get("page", 1, type=int), 1), pages)
    page = Page(shown[(number - 1) * size : number * size], number, pages, len(shown))
    return Listing(page, find, found, len(rows), searchable)
