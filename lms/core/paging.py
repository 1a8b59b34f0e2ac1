"""Pages of long lists: by key where a list grows, by number where it stays short.

A page by key begins after a row of the list, or ends before one, so that the thousandth page costs what the first one
does; an address names that row by its id alone. The order of such a list ends with a column that is unique, and an index
serves it. Nobody counts such a list to its end: a count stops at `MANY` and says "over 10,000".
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_
from sqlalchemy.orm import Session

T = TypeVar("T")

PAGE_SIZE = 50
ALL = 10**6  # the page size for a file, which has one page
MANY = 10_000  # a count of a list goes up to here


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page of a list: its rows, its number (from 1), how many pages and how many rows there are in all."""

    rows: Sequence[T]
    page: int
    pages: int
    total: int
    by_key: ClassVar[bool] = False


@dataclass(frozen=True)
class Count:
    """The number of rows of a list; `over`: there are more than this number."""

    number: int
    over: bool = False


@dataclass(frozen=True)
class Order:
    """An order of a list. `key` names it in an address. The last of its columns is unique; none is null."""

    key: str
    columns: tuple[Any, ...]
    descending: bool = False

    def by(self, *, turned: bool = False) -> list[ColumnElement[Any]]:
        """The terms of ORDER BY. turned: in the opposite direction."""
        return [column.desc() if self.descending is not turned else column.asc() for column in self.columns]

    def beyond(self, values: Sequence[Any], *, turned: bool = False) -> ColumnElement[bool]:
        """The condition that a row stands after the row with these values. turned: before it."""
        columns = tuple_(*self.columns)
        edge = tuple_(*(literal(value, column.type) for value, column in zip(values, self.columns, strict=True)))
        return columns < edge if self.descending is not turned else columns > edge


@dataclass(frozen=True)
class Place:
    """Where a page by key lies: after a row, before a row, at the end, or else at the beginning."""

    after: int | None = None
    before: int | None = None
    last: bool = False


FIRST = Place()


@dataclass(frozen=True)
class Part:
    """A part of a list by key: a SELECT of one entity, or of its id alone, and its order.

    A list of several parts shows them one after the other; no row is in two of them.
    """

    statement: Select[Any]
    order: Order


@dataclass(frozen=True)
class KeyPage(Generic[T]):
    """A page of a list by key. `before` and `after` are the ids of its edges, None where nothing is beyond them."""

    rows: Sequence[T]
    count: Count
    before: int | None = None
    after: int | None = None
    by_key: ClassVar[bool] = True


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


def page_by_key(
    db: Session, parts: Sequence[Part], place: Place, *, count: Count | None = None, size: int = PAGE_SIZE
) -> KeyPage[Any]:
    """A page of a list. A place whose row is not in the list (any more) gives the first page.

    count: the number of rows where the caller knows it; else they are counted, up to `MANY`.
    """
    edge = place.before if place.before is not None else place.after
    start, values = (0, ()) if edge is None else _edge(db, parts, edge)
    if edge is not None and not values:
        return page_by_key(db, parts, FIRST, count=count, size=size)
    backwards = place.before is not None or place.last
    rows = _rows(db, parts, start if edge is not None else None, values, backwards=backwards, size=size + 1)
    more = len(rows) > size
    rows = rows[:size]
    if backwards and not more and not place.last:
        return page_by_key(db, parts, FIRST, count=count, size=size)  # a whole page, also where fewer rows are before
    if not rows and place != FIRST:
        return page_by_key(db, parts, FIRST if place.last else Place(last=True), count=count, size=size)
    if backwards:
        rows.reverse()
    has_before = more if backwards else place.after is not None
    has_after = place.before is not None if backwards else more
    if count is None:
        whole = not has_before and not has_after
        count = Count(len(rows)) if whole else count_rows(db, [part.statement for part in parts])
    return KeyPage(
        rows=rows,
        count=count,
        before=_id_of(rows[0]) if has_before else None,
        after=_id_of(rows[-1]) if has_after else None,
    )


def page_of_set(ids: Sequence[int], place: Place, *, size: int = PAGE_SIZE) -> KeyPage[int]:
    """A page of a list by key that was read as a whole: `ids` are all of its rows in their order."""
    edge = place.before if place.before is not None else place.after
    start = 0
    if place.last:
        start = max(0, len(ids) - size)
    elif edge in ids:
        start = ids.index(edge) + 1 if place.before is None else max(0, ids.index(edge) - size)
        start = start if start < len(ids) else max(0, len(ids) - size)
    rows = ids[start : start + size]
    return KeyPage(
        rows=rows,
        count=Count(len(ids)),
        before=rows[0] if start else None,
        after=rows[-1] if start + size < len(ids) else None,
    )


def count_rows(db: Session, statements: Sequence[Select[Any]], *, most: int = MANY) -> Count:
    """The number of rows that SELECTs find together, up to `most`."""
    number = 0
    for statement in statements:
        rows = statement.order_by(None).limit(most + 1 - number)
        bounded = rows.with_only_columns(literal(1), maintain_column_froms=True).subquery()
        number += db.scalar(select(func.count()).select_from(bounded)) or 0
        if number > most:
            return Count(most, over=True)
    return Count(number)


def _edge(db: Session, parts: Sequence[Part], row_id: int) -> tuple[int, Sequence[Any]]:
    """The part that has a row, and the row's values of that part's order; no values where none has it."""
    for position, part in enumerate(parts):
        columns = part.order.columns
        statement = part.statement.order_by(None).where(columns[-1] == row_id)
        values = db.execute(statement.with_only_columns(*columns, maintain_column_froms=True)).first()
        if values is not None:
            return position, tuple(values)
    return 0, ()


def _rows(
    db: Session, parts: Sequence[Part], start: int | None, values: Sequence[Any], *, backwards: bool, size: int
) -> list[Any]:
    """Rows of the list in one direction: from beyond the edge in the part `start`, or (None) from an end of the list."""
    positions = range(len(parts))
    if start is not None:
        positions = range(start + 1) if backwards else range(start, len(parts))
    rows: list[Any] = []
    for position in reversed(positions) if backwards else positions:
        part = parts[position]
        statement = part.statement
        if position == start:
            statement = statement.where(part.order.beyond(values, turned=backwards))
        statement = statement.order_by(None).order_by(*part.order.by(turned=backwards))
        rows += db.scalars(statement.limit(size - len(rows))).all()
        if len(rows) >= size:
            break
    return rows


def _id_of(row: Any) -> int:
    return row if isinstance(row, int) else int(row.id)


def ordered(orders: Sequence[Order], key: str | None, *, descending: bool) -> Order:
    """The order with a key in the wished direction; the first of the orders, as it is, for a key that none has."""
    for order in orders:
        if order.key == key:
            return replace(order, descending=descending)
    return orders[0]
