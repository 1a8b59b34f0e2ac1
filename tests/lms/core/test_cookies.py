"""Cookies over https: for this host alone, by a name that says so; over http by the plain name."""

import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response
from sqlalchemy.orm import Session

from courses.attendance.self_check_in import code_display, rotating_code
from courses.models.self_check_in import CheckInKey
from lms.accounts import known_browsers, passwords
from lms.config import ROOT, Settings
from lms.core import clock, cookies
from lms.core.scope import Role
from tests.courses.closing.steps import loaded
from tests.factories import Make

HTTPS = "https://training.example.org"


@pytest.fixture
def secure(app: Flask, settings: Settings) -> Iterator[Flask]:
    """The application as it is reached by https."""
    name = app.config["SESSION_COOKIE_NAME"]
    app.config["SETTINGS"] = settings.model_copy(update={"public_url": HTTPS})
    app.config |= {"SESSION_COOKIE_NAME": cookies.full_name("lms", secure=True), "SESSION_COOKIE_SECURE": True}
    yield app
    app.config["SETTINGS"] = settings
    app.config |= {"SESSION_COOKIE_NAME": name, "SESSION_COOKIE_SECURE": False}


def cookies_of(answer: Response) -> dict[str, dict[str, Any]]:
    """The attributes of the cookies that an answer sets."""
    attributes: dict[str, dict[str, Any]] = {}
    for line in answer.headers.getlist("Set-Cookie"):
        for name, morsel in SimpleCookie(line).items():
            attributes[name] = {key: value for key, value in morsel.items() if value}
    return attributes


def assert_guarded(attributes: dict[str, dict[str, Any]]) -> None:
    for name, values in attributes.items():
        assert values["secure"], name
        assert values["httponly"], name
        assert values["samesite"] == "Lax", name
        assert "domain" not in values, name
        assert (values["path"] == "/") == name.startswith("__Host-"), name
        assert name.startswith(("__Host-", "__Secure-")), name


def test_every_cookie_of_a_sign_in_is_the_hosts(secure: Flask, db: Session, make: Make) -> None:
    user = make.user(Role.CITY_ADMINISTRATOR)
    user.password_hash = passwords.seal("a-long-and-odd-passphrase-7")
    db.commit()
    browser = secure.test_client()
    page = browser.get("/sign-in/?lang=en", base_url=HTTPS)
    form = {"identifier": user.email, "password": "a-long-and-odd-passphrase-7"}
    answer = browser.post("/sign-in/", data=form, base_url=HTTPS)
    assert answer.status_code == 302
    attributes = cookies_of(page) | cookies_of(answer)
    assert_guarded(attributes)
    assert set(attributes) >= {"__Host-lms", "__Host-language", f"__Host-{known_browsers.COOKIE}"}
    assert "Sign out" in browser.get("/account/", base_url=HTTPS).text


def test_a_cookie_that_another_host_planted_is_not_read(secure: Flask) -> None:
    """A host of the same domain can set `language` or `lms` for all of them, and not a name with the prefix."""
    browser = secure.test_client()
    browser.set_cookie("language", "en", domain="example.org")
    chinese = browser.get("/sign-in/", base_url=HTTPS, headers={"Accept-Language": "zh"})
    assert 'lang="zh' in chinese.text


def test_self_check_in_by_https(secure: Flask, db: Session, make: Make) -> None:
    offering = make.offering()
    enrolment = make.enrolment(offering, make.trainee("王小明"))
    meeting = loaded(db, offering)
    code_display.show(db, meeting, now=clock.now())
    db.commit()
    key = db.query(CheckInKey).filter_by(course_session_id=meeting.id).one().key
    code = rotating_code.code(key, meeting.id, rotating_code.step_of(clock.now()))
    browser = secure.test_client()
    ticket = browser.get(f"/tickets/{enrolment.ticket}", base_url=HTTPS)
    scan = browser.get(f"/s/{meeting.id}/{code}", base_url=HTTPS)
    assert_guarded(cookies_of(ticket) | cookies_of(scan))
    assert f"__Secure-ticket_{enrolment.id}" in cookies_of(ticket)
    assert set(cookies_of(scan)) == {"__Host-check_in", "__Host-check_in_browser"}
    assert "王" in browser.get("/check-in", base_url=HTTPS).text  # the browser knows the trainee by the ticket


def test_over_http_the_names_are_plain(app: Flask) -> None:
    browser = app.test_client()
    assert set(cookies_of(browser.get("/sign-in/?lang=en"))) == {"language"}
    assert cookies.full_name("lms", secure=False) == "lms"
    assert cookies.full_name("ticket_1", secure=False, path="/check-in") == "ticket_1"


def test_one_place_sets_cookies() -> None:
    places = [
        str(path.relative_to(ROOT))
        for package in ("lms", "courses", "certificates", "instructors")
        for path in Path(ROOT, package).rglob("*.py")
        if re.search(r"set_cookie\(|request\.cookies", path.read_text())
    ]
    # The other two look only whether there is a session, by its full name.
    assert sorted(places) == ["lms/core/cookies.py", "lms/core/error_pages.py", "lms/core/fast_path.py"]
