"""Connecting a browser and disconnecting it: the owner alone, and never without the form token."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.accounts import devices
from lms.accounts.models import Device, User
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
ANDROID = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36"


def test_a_signed_in_instructors_browser_gets_a_token_that_works(make: Make, sign_in: SignIn, db: Session) -> None:
    user = make.user(Role.INSTRUCTOR)
    answer = sign_in(user).post("/api/v1/devices", json={"name": "我的手机"})
    assert answer.status_code == 201
    assert answer.json is not None
    found = devices.of_token(db, answer.json["token"])
    assert found is not None
    assert (found.device_id, found.user_id) == (answer.json["device"], user.id)
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_a_name_the_browser_gives_it(make: Make, sign_in: SignIn, db: Session) -> None:
    sign_in(make.user(Role.INSTRUCTOR)).post("/api/v1/devices", headers={"User-Agent": ANDROID})
    assert db.scalars(select(Device.name)).one() == "Chrome · Android"


def test_a_name_that_is_no_text_is_refused(make: Make, sign_in: SignIn) -> None:
    answer = sign_in(make.user(Role.INSTRUCTOR)).post("/api/v1/devices", json={"name": 17})
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")


def test_a_visitor_is_told_to_sign_in_and_a_trainee_is_refused(
    make: Make, sign_in: SignIn, client: FlaskClient, db: Session
) -> None:
    answer = client.post("/api/v1/devices", json={})
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert sign_in(make.user(Role.TRAINEE)).post("/api/v1/devices", json={}).status_code == 403
    assert db.scalars(select(Device)).all() == []


def test_no_other_site_can_connect_a_browser(app: Flask, make: Make, sign_in: SignIn, db: Session) -> None:
    browser = sign_in(make.user(Role.INSTRUCTOR))
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        answer = browser.post("/api/v1/devices", json={})
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert (answer.status_code, answer.json and answer.json["code"]) == (400, "csrf")
    assert db.scalars(select(Device)).all() == []


def test_the_page_lists_ones_own_and_disconnects_them(make: Make, sign_in: SignIn, db: Session) -> None:
    user = make.user(Role.INSTRUCTOR)
    device, token = devices.pair(db, user, "Safari · iPhone")
    devices.pair(db, make.user(Role.INSTRUCTOR), "Firefox · Linux")
    browser = sign_in(user)
    page = browser.get("/account/devices").text
    assert "Safari · iPhone" in page
    assert "Firefox · Linux" not in page
    assert browser.post(f"/account/devices/{device.id}/revoke").status_code == 302
    assert "Safari · iPhone" not in browser.get("/account/devices").text
    assert devices.of_token(db, token) is None


def test_somebody_elses_device_is_not_found(make: Make, sign_in: SignIn, db: Session) -> None:
    device, token = devices.pair(db, make.user(Role.INSTRUCTOR), "")
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    assert browser.post(f"/account/devices/{device.id}/revoke").status_code == 404
    assert devices.of_token(db, token) is not None
