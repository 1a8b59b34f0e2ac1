"""The password is asked again: by a page before a page, and in place of a form that was sent, without losing it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lms.accounts import confirmations
from lms.accounts.current import confirmed
from lms.accounts.models import User
from lms.core import clock
from lms.core.access import signed_in
from tests.factories import PASSWORD

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def view(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, list[str]]]:
    """The account's page and its form demand a confirmed session; gives what reached the form's view."""
    reached: list[dict[str, list[str]]] = []

    def answer() -> tuple[str, int]:
        reached.append(request.form.to_dict(flat=False))
        return "done", 422 if request.form.get("wrong") else 200

    for endpoint in ("account.page", "account.change"):
        monkeypatch.setitem(app.view_functions, endpoint, signed_in(confirmed(answer)))
    return reached


def test_a_fresh_sign_in_is_not_asked(view: list[object], person: User, sign_in: SignIn) -> None:
    assert sign_in(person).get("/account/").text == "done"


@pytest.mark.usefixtures("view")
def test_a_page_leads_through_the_question_and_back(person: User, sign_in: SignIn) -> None:
    browser = sign_in(person)
    with clock.at(clock.now() + timedelta(minutes=16)):
        answer = browser.get("/account/?page=2")
        assert answer.location == "/sign-in/confirm?next=/account/?page%3D2"
        assert browser.post(answer.location, data={"confirm_password": "wrong"}).status_code == 422
        assert browser.get("/account/").status_code == 302
        assert browser.post(answer.location, data={"confirm_password": PASSWORD}).location == "/account/?page=2"
        assert browser.get("/account/?page=2").text == "done"


def test_a_form_that_was_sent_is_kept_and_reaches_its_view(
    view: list[dict[str, list[str]]], person: User, sign_in: SignIn
) -> None:
    browser = sign_in(person)
    sent = {"name": 'Wang "<b>', "many": ["1", "2"]}
    with clock.at(clock.now() + timedelta(minutes=16)):
        asking = browser.post("/account/?x=1", data=sent)
        assert asking.status_code == 403
        assert "Wang &#34;&lt;b&gt;" in asking.text
        assert asking.text.count('name="many"') == 2
        assert 'action="/account/?x=1"' in asking.text
        again = browser.post("/account/?x=1", data={**sent, "confirm_password": "wrong"})
        assert again.status_code == 422
        assert "Wang &#34;" in again.text
        assert "wrong" not in again.text
        assert view == []
        assert browser.post("/account/?x=1", data={**sent, "confirm_password": PASSWORD}).text == "done"
        assert view[0]["name"] == ['Wang "<b>']


def test_a_view_that_refuses_the_form_does_not_undo_the_confirmation(
    view: list[object], person: User, sign_in: SignIn
) -> None:
    browser = sign_in(person)
    with clock.at(clock.now() + timedelta(minutes=16)):
        assert browser.post("/account/", data={"wrong": "1", "confirm_password": PASSWORD}).status_code == 422
        assert browser.post("/account/", data={"name": "x"}).text == "done"


@pytest.mark.usefixtures("view")
def test_a_program_gets_a_problem_document(person: User, sign_in: SignIn) -> None:
    browser = sign_in(person)
    with clock.at(clock.now() + timedelta(minutes=16)):
        answer = browser.get("/account/", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json and answer.json["code"]) == (403, "not_confirmed")


def test_a_stolen_session_cannot_guess_and_shuts_out_itself_alone(
    view: list[object], person: User, sign_in: SignIn, db: Session
) -> None:
    stolen, own = sign_in(person), sign_in(person)
    with clock.at(clock.now() + timedelta(minutes=16)):
        answers = [
            stolen.post("/sign-in/confirm", data={"confirm_password": f"guess {n}"}).status_code
            for n in range(confirmations.TRIES.amount + 1)
        ]
        assert answers == [422] * confirmations.TRIES.amount + [429]
        assert stolen.post("/sign-in/confirm", data={"confirm_password": PASSWORD}).status_code == 429
        assert stolen.post("/account/", data={"confirm_password": PASSWORD}).status_code == 429
        assert own.post("/sign-in/confirm", data={"confirm_password": PASSWORD}).status_code == 302
