"""Signed-in browsers: a session ends at once, alone or with all others of its user."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms.accounts import passwords, users
from lms.accounts.models import BrowserSession, User
from lms.core import clock
from lms.core.scope import Role
from tests.factories import PASSWORD, Make

SignIn = Callable[[User], FlaskClient]


def test_signing_out_ends_this_browser_alone(person: User, sign_in: SignIn) -> None:
    here, there = sign_in(person), sign_in(person)
    with here.session_transaction() as cookie:
        stolen = dict(cookie)
    assert here.post("/account/sign-out").status_code == 302
    with here.session_transaction() as cookie:
        cookie.update(stolen)
    assert here.get("/account/").status_code == 302
    assert there.get("/account/").status_code == 200


def test_changing_the_password_signs_the_others_out(person: User, sign_in: SignIn, db: Session) -> None:
    here, there = sign_in(person), sign_in(person)
    wrong = here.post("/account/password", data={"present_password": "guess", "password": "four new words here"})
    assert wrong.status_code == 422
    assert there.get("/account/").status_code == 200
    done = here.post("/account/password", data={"present_password": PASSWORD, "password": "four new words here"})
    assert done.status_code == 302
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302
    db.refresh(person)
    assert passwords.matches(person.password_hash, "four new words here")


def test_disabling_ends_every_session_at_once(person: User, sign_in: SignIn, db: Session) -> None:
    browser = sign_in(person)
    assert browser.get("/account/").status_code == 200
    users.disable(db, person, "left the branch")
    db.commit()
    assert browser.get("/account/").status_code == 302
    assert db.scalar(select(func.count()).select_from(BrowserSession).where(BrowserSession.user_id == person.id)) == 0


def test_a_browser_can_be_signed_out_from_another(person: User, sign_in: SignIn, make: Make) -> None:
    here, there = sign_in(person), sign_in(person)
    page = here.get("/account/").text
    assert page.count('/end"') == 1
    key = page.split("/account/browsers/")[1].split("/end")[0]
    stranger = sign_in(make.user(Role.INSTRUCTOR))
    stranger.post(f"/account/browsers/{key}/end")
    assert there.get("/account/").status_code == 200
    assert here.post(f"/account/browsers/{key}/end").status_code == 302
    assert there.get("/account/").status_code == 302
    assert here.post("/account/browsers/nonsense/end").status_code == 404


@pytest.mark.parametrize(("role", "ends"), [(Role.INSTRUCTOR, True), (Role.TRAINEE, False)])
def test_a_session_of_staff_ends_when_it_was_idle(make: Make, sign_in: SignIn, role: Role, ends: bool) -> None:
    browser = sign_in(make.user(role))
    start = clock.now()
    with clock.at(start + timedelta(hours=11)):
        assert browser.get("/account/").status_code == 200
    with clock.at(start + timedelta(hours=11 + 12, minutes=11)):
        assert (browser.get("/account/").status_code == 302) == ends


def test_no_session_ends_before_its_hours_because_it_was_last_noted_minutes_ago(make: Make, sign_in: SignIn) -> None:
    """A request within ten minutes of a noted one is not noted; the hours count from that request all the same."""
    browser = sign_in(make.user(Role.INSTRUCTOR))
    start = clock.now()
    with clock.at(start + timedelta(minutes=9)):
        assert browser.get("/account/").status_code == 200
    with clock.at(start + timedelta(hours=12, minutes=8)):
        assert browser.get("/account/").status_code == 200


def test_an_idle_session_is_not_listed_and_a_device_goes_on(app: Flask, person: User, sign_in: SignIn) -> None:
    idle, own = sign_in(person), sign_in(person)
    token = idle.post("/api/v1/devices", json={}).json["token"]  # type: ignore[index]
    with clock.at(clock.now() + timedelta(hours=8)):
        own.get("/account/")
    with clock.at(clock.now() + timedelta(hours=13)):
        assert "/end" not in own.get("/account/").text
        assert idle.get("/account/").status_code == 302
        answer = app.test_client().get("/api/v1/sessions", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200


def test_finding_the_user_costs_two_statements(person: User, sign_in: SignIn, statements: list[str]) -> None:
    """The session with its user, and the user's roles; the hours of staff cost none more."""
    browser = sign_in(person)
    statements.clear()
    browser.get("/account/devices")
    assert (
        len([statement for statement in statements if "browser_session" in statement or "role_grant" in statement]) == 2
    )
