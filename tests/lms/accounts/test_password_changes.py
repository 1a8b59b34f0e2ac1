"""A new password ends browsers, devices, links and second factors that were remembered, and the owner is told."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.accounts import known_browsers, password_links
from lms.accounts.models import KnownBrowser, User
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from tests.factories import PASSWORD, Make
from tests.lms.accounts.test_notices import told
from tests.lms.accounts.test_password_links import NEW, SITE

SignIn = Callable[[User], FlaskClient]


def by_itself(_app: Flask, browser: FlaskClient, _db: Session, _user: User) -> None:
    answer = browser.post("/account/password", data={"present_password": PASSWORD, "password": NEW})
    assert answer.status_code == 302


def by_link(app: Flask, _browser: FlaskClient, db: Session, user: User) -> None:
    address = password_links.make(db, user, SITE, lives=password_links.RESET)
    db.commit()
    answer = app.test_client().post(address.removeprefix(SITE.public_url), data={"password": NEW})
    assert answer.status_code == 302


@pytest.mark.parametrize(("change", "stays"), [(by_itself, True), (by_link, False)])
def test_everything_that_the_old_password_opened_ends(  # noqa: PLR0917  # fixtures, each by name
    app: Flask,
    db: Session,
    person: User,
    sign_in: SignIn,
    change: Callable[[Flask, FlaskClient, Session, User], None],
    stays: bool,
) -> None:
    own, other = sign_in(person), sign_in(person)
    tokens = [browser.post("/api/v1/devices", json={}).json["token"] for browser in (own, other)]  # type: ignore[index]
    recognition = known_browsers.recognise(db, person, None, "")
    known_browsers.remember_second_factor(db, recognition.row, clock.now() + timedelta(days=30))
    db.commit()
    change(app, own, db, person)
    assert (own.get("/account/").status_code == 200) == stays
    assert other.get("/account/").status_code == 302
    for token in tokens:
        answer = app.test_client().get("/api/v1/sessions", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json and answer.json["code"]) == (401, "device_unknown")
    assert set(db.scalars(select(KnownBrowser.second_factor_until))) == {None}
    assert [content["purpose"] for content in told(db)][-1] == "notice_password"
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "user.password")).one()
    assert entry.after == {"devices": 2}


def test_the_own_browser_is_told_once_to_connect_again(person: User, sign_in: SignIn) -> None:
    browser = sign_in(person)
    browser.post("/account/password", data={"present_password": PASSWORD, "password": NEW})
    assert 'data-reconnects="yes"' in browser.get("/account/").text
    assert 'data-reconnects="yes"' not in browser.get("/account/").text
    assert browser.post("/api/v1/devices", json={}).status_code == 201


def test_the_first_password_of_an_account_is_no_news(app: Flask, db: Session, make: Make) -> None:
    user = make.user(Role.INSTRUCTOR)
    by_link(app, app.test_client(), db, user)
    assert told(db) == []


def test_a_device_is_told_of_unless_its_browser_is_known(
    app: Flask, db: Session, person: User, sign_in: SignIn
) -> None:
    sign_in(person).post("/api/v1/devices", json={"name": "Chrome · Android"})
    (content,) = told(db)
    assert content["purpose"] == "notice_device"
    assert "Chrome · Android" in str(content["text"])
    known = app.test_client()
    known.post("/sign-in/", data={"identifier": person.email, "password": PASSWORD})
    assert known.post("/api/v1/devices", json={}).status_code == 201
    assert len(told(db)) == 1
