"""The order and the place of a list in its address."""

from flask import Flask

from lms.accounts.models import User
from lms.core.list_addresses import amount, order_address, order_of, place, place_address
from lms.core.paging import Count, Order, Place

ORDERS = (Order("name", (User.name_sound, User.id)), Order("since", (User.id,)))


def test_an_address_is_read_and_whatever_is_no_order_or_place_is_left_out(app: Flask) -> None:
    with app.test_request_context("/users/?order=since&desc=1&after=17"):
        assert (order_of(ORDERS), place()) == (Order("since", (User.id,), descending=True), Place(after=17))
    with app.test_request_context("/users/?order=password&desc=1&after=0&before=x&before=99999999999999999999"):
        assert (order_of(ORDERS), place()) == (ORDERS[0], Place())


def test_links_keep_the_filters_and_begin_a_new_order_at_its_beginning(app: Flask) -> None:
    with app.test_request_context("/users/?text=a&order=since&desc=1&after=17&page=3"):
        assert place_address(before=20) == "/users/?text=a&order=since&desc=1&before=20"
        assert place_address() == "/users/?text=a&order=since&desc=1"
        assert order_address("name") == "/users/?text=a&order=name"
        assert order_address("since", descending=True) == "/users/?text=a&order=since&desc=1"


def test_a_count_that_stopped_says_so(app: Flask) -> None:
    with app.test_request_context("/?lang=en"):
        assert (amount(Count(4039)), amount(Count(10_000, over=True))) == ("4,039", "over 10,000")
    with app.test_request_context("/?lang=zh"):
        assert amount(Count(10_000, over=True)) == "超过 10,000"
