"""The edge: default headers, errors as pages and as problem documents, one commit a request."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from lms.accounts.models import User
from lms.core.scope import Role
from tests.factories import Make


def test_unknown_address_is_a_page_that_leads_on(client: FlaskClient) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "首页" in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")


def test_unknown_address_is_a_problem_document_for_a_program(client: FlaskClient) -> None:
    answer = client.get("/api/v1/nowhere")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["code"] == "http_404"


def test_a_visitor_is_led_to_the_sign_in_page_and_back(client: FlaskClient) -> None:
    answer = client.get("/users/?page=2")
    assert answer.status_code == 302
    assert answer.location == "/sign-in/?next=/users/?page%3D2"


@pytest.mark.parametrize(
    "address", ["/users/?text=a%00b", "/certificates/?number=%00", "/offerings/?%00=1", "/reports/offerings?key=%00"]
)
def test_what_the_database_cannot_keep_is_refused_in_words(
    make: Make, sign_in: Callable[[User], FlaskClient], address: str
) -> None:
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    assert browser.get(address).status_code == 400
    answer = browser.post("/certificates/", data={"holder": "张\0三"})
    assert answer.status_code == 400
    assert "无法保存的字符" in answer.text


def test_the_signed_in_see_their_own_bar(make: Make, sign_in: Callable[[User], FlaskClient]) -> None:
    browser = sign_in(make.user(Role.INSTRUCTOR))
    page = browser.get("/nowhere").text
    assert "/today/" in page
    assert "/users/" not in page
