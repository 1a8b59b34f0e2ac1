"""The edge of a request: one commit, and what is refused before a view runs."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from lms.accounts.models import User
from lms.core import request_db
from lms.core.access import public
from lms.core.scope import Role
from tests.factories import Make


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


@pytest.mark.parametrize(("status", "stored"), [(200, 1), (302, 1), (400, 0), (409, 0)])
def test_what_a_view_wrote_is_saved_if_its_response_is_no_error(
    app: Flask, db: Session, monkeypatch: pytest.MonkeyPatch, status: int, stored: int
) -> None:
    db.execute(text("CREATE TEMPORARY TABLE written (number int)"))
    db.commit()

    @public
    def view() -> tuple[str, int]:
        request_db.db().execute(text("INSERT INTO written VALUES (1)"))
        return "", status

    monkeypatch.setitem(app.view_functions, "home.page", view)
    assert app.test_client().get("/").status_code == status
    assert db.scalar(text("SELECT count(*) FROM written")) == stored
