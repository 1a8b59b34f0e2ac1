"""Addresses of lists: the order and the place of a page, as a request brings them and as a page links to them."""

from collections.abc import Sequence
from urllib.parse import urlencode

from flask import Flask, request, url_for
from flask_babel import gettext as _

from lms.core import edge
from lms.core.paging import Count, Order, Place, ordered

# What an address says about the page of a list: it is left out where the list is asked for from its beginning.
OF_A_PAGE = ("page", "after", "before", "last")


def place() -> Place:
    """The place in a list by key that the address asks for: `after` or `before` a row's id, or `last`."""
    return Place(
        after=request.args.get("after", type=edge.row_id),
        before=request.args.get("before", type=edge.row_id),
        last="last" in request.args,
    )


def order_of(orders: Sequence[Order]) -> Order:
    """The order that the address asks for (`order=name`, `desc`), one of `orders`; the first of them otherwise."""
    return ordered(orders, request.args.get("order"), descending="desc" in request.args)


def place_address(**where: int) -> str:
    """The address of another page of this list by key, with its filters and order: `after=17`, `before=17`, `last=1`."""
    return _address(**where)


def order_address(key: str, *, descending: bool = False) -> str:
    """The address of this list in another order, from its beginning."""
    return _address(order=key, **{"desc": 1} if descending else {"desc": None})


def amount(count: Count) -> str:
    """A count as a page shows it: "4,039", or "over 10,000"."""
    number = f"{count.number:,}"
    return _("over %(number)s", number=number) if count.over else number


def _address(**changed: str | int | None) -> str:
    path = url_for(request.endpoint or "", **(request.view_args or {}))
    arguments = {name: values for name, values in request.args.to_dict(flat=False).items() if name not in OF_A_PAGE}
    known = {name: value for name, value in {**arguments, **changed}.items() if value is not None}
    return f"{path}?{urlencode(known, doseq=True)}" if known else path


def init_app(app: Flask) -> None:
    """Let templates link to pages and orders of a list, and show its count."""
    app.jinja_env.globals.update(place_address=place_address, order_address=order_address, amount=amount)
