"""Sealed searches: the searched name stands in no address that others can read, and stays on every way from there."""

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient

from lms.accounts.models import User
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
NAME = "郑成功"
LISTS = {
    "/trainees/": ("words", Role.AUDITOR),
    "/users/": ("text", Role.CITY_ADMINISTRATOR),
    "/audit/": ("user", Role.AUDITOR),
    "/certificates/": ("holder", Role.AUDITOR),
    "/certificates/expiring/": ("holder", Role.COORDINATOR),
    "/certificates/legacy/": ("holder", Role.AUDITOR),
    "/certificates/legacy/holders/": ("holder", Role.DISTRICT_ADMINISTRATOR),
}


@pytest.fixture(params=LISTS)
def searched(request: pytest.FixtureRequest, make: Make, sign_in: SignIn) -> tuple[FlaskClient, str, str]:
    """A browser, the field, and the address that the list answers with when a name is typed."""
    field, role = LISTS[request.param]
    browser = sign_in(make.user(role))
    form = browser.get(request.param).text
    assert re.search(rf'<form [^>]*method="post"[^>]*action="{request.param}"', form)
    answer = browser.post(request.param, data={field: f" {NAME} ", "csrf_token": "", "nothing": ""})
    assert answer.status_code == 303
    return browser, field, answer.location


def test_the_address_does_not_say_who_and_the_page_does(searched: tuple[FlaskClient, str, str]) -> None:
    browser, field, address = searched
    assert NAME not in unquote(address)
    assert re.fullmatch(rf"/[a-z/]+/\?{field}=[\w-]+", address)
    page = browser.get(address).text
    assert f'value="{NAME}"' in page
    addresses = [unquote(unescape(one)) for one in re.findall(r'(?:href|action|src)="([^"]*)"', page)]
    assert not [one for one in addresses if NAME in one]


def test_nobody_else_reads_it_and_is_told_what_to_do(
    searched: tuple[FlaskClient, str, str], make: Make, sign_in: SignIn
) -> None:
    _browser, field, address = searched
    _field, role = LISTS[address.partition("?")[0]]
    other = sign_in(make.user(role))
    for tried in (address, f"{address}x", address.partition("?")[0] + f"?{field}={NAME}"):
        answer = other.get(tried)
        assert answer.status_code == 200
        assert "请重新输入。" in answer.text
        assert f'value="{NAME}"' not in answer.text


def test_an_empty_bar_is_the_list_itself(make: Make, sign_in: SignIn) -> None:
    browser = sign_in(make.user(Role.AUDITOR))
    assert browser.post("/certificates/", data={"holder": "  ", "number": ""}).location == "/certificates/"
