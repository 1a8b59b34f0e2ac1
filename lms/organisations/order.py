"""The order of lists of organisations: by district, then by the sound of their Chinese names."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from lms.core.name_order import by_sound
from lms.core.paging import Order
from lms.organisations.models import Organisation

# The orders of the list, the first one unless another is asked for: by key, the columns that come before the name's sound.
_ORDERS: Mapping[str, tuple[Any, ...]] = {
    "district": (Organisation.district_id,), "name": (), "sector": (Organisation.sector,),
}  # fmt: skip
ORDERS = tuple(Order(key, (*columns, Organisation.id)) for key, columns in _ORDERS.items())


def sorted_ids(db: Session, statement: Select[Any], order: Order) -> Sequence[int]:
    """Return the ids of the organisations that a SELECT finds, in one of the orders of the list."""
    first = _ORDERS[order.key]
    rows = db.execute(statement.order_by(None).with_only_columns(Organisation.id, Organisation.name_zh, *first)).all()
    in_order = sorted(rows, key=lambda row: (*row[2:], by_sound(row.name_zh), row.id), reverse=order.descending)
    return [row.id for row in in_order]


def ordered_ids(db: Session, statement: Select[Any], beginning: str = "") -> Sequence[int]:
    """Return the ids of the organisations that a SELECT finds, in the order of lists.

    The sound of a name is no column: the names are read and sorted here, thousands at most. beginning: names that begin with
    this text come first, as in suggestions.
    """
    columns = (Organisation.id, Organisation.district_id, Organisation.name_zh)
    rows = db.execute(statement.order_by(None).with_only_columns(*columns)).all()
    start = beginning.lower()
    return [
        row.id
        for row in sorted(
            rows,
            key=lambda row: (
                not row.name_zh.lower().startswith(start), row.district_id, by_sound(row.name_zh), row.id,
            ),
        )
    ]  # fmt: skip
