"""Pagination of long lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

T = TypeVar("T")

PAGE_SIZE = 50
ALL = 10**6  # the page size for a file, which has one page


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page of a list: its rows, its number (from 1), how many pages and how many rows there are in all."""

    rows: Sequence[T]
    page: int
    pages: int
    total: int


def page_of(db: Session, statement: Select[Any], page: int, *, size: int = PAGE_SIZE) -> Page[Any]:
    """A page of a SELECT of one entity. A number beyond the end gives the last page."""
    total = db.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    rows = db.scalars(statement.limit(size).offset((page - 1) * size)).all()
    return Page(rows=rows, page=page, pages=pages, total=total)


def page_of_ids(
    db: Session, statement: Select[Any], column: Any, ids: Sequence[int], page: int, *, size: int = PAGE_SIZE
) -> Page[Any]:
    """A page of a SELECT of one entity in the order of the ids in its column; `ids` are all that it finds."""
    pages = max(1, -(-len(ids) // size))
    page = min(max(page, 1), pages)
    shown = ids[(page - 1) * size : page * size]
    place = {identity: at for at, identity in enumerate(shown)}
    rows = db.scalars(statement.where(column.in_(shown))).all() if shown else []
    return Page(
        rows=sorted(rows, key=lambda row: place[getattr(row, column.key)]), page=page, pages=pages, total=len(ids)
    )
