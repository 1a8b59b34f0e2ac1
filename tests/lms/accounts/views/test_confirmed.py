"""The acts before which the password is asked again: each route on the list asks, and the list is complete."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lms.accounts import passwords
from lms.accounts.models import User
from lms.core import clock
from lms.core.scope import Role
from tests.factories import PASSWORD, Make

SignIn = Callable[[User], FlaskClient]


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/users/new"),
        ("POST", "/users/new"),
        ("GET", "/users/{user}/edit"),
        ("POST", "/users/{user}/grants"),
        ("POST", "/users/{user}/grants/{grant}/withdraw"),
        ("GET", "/users/{user}/disable"),
        ("POST", "/users/{user}/disable"),
        ("POST", "/users/{user}/invite"),
        ("GET", "/trainees/{trainee}/edit"),
        ("GET", "/trainees/{trainee}/proof"),
        ("POST", "/trainees/{trainee}/id-number"),
        ("GET", "/instructors/{instructor}/edit"),
        ("POST", "/instructors/{instructor}/invitation"),
        ("POST", "/account/contacts/phone"),
    ],
)
def test_the_password_is_asked_again(db: Session, make: Make, sign_in: SignIn, method: str, address: str) -> None:
    administrator = make.user(Role.CITY_ADMINISTRATOR)
    user = make.user(Role.AUDITOR)
    rows = {
        "user": user.id,
        "grant": user.grants[0].id,
        "trainee": make.trainee().id,
        "instructor": make.instructor().id,
    }
    browser = sign_in(administrator)
    with clock.at(clock.now() + timedelta(minutes=16)):
        answer = browser.open(address.format(**rows), method=method, data={"reason": "x"} if method == "POST" else None)
    if method == "GET":
        assert answer.location.startswith("/sign-in/confirm?next=/")
    else:
        assert (answer.status_code, "请再次输入密码" in answer.text) == (403, True)


def test_an_export_with_names_asks_and_one_without_does_not(
    app: Flask, db: Session, make: Make, sign_in: SignIn
) -> None:
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR, password_hash=passwords.seal(PASSWORD)))
    make.enrolment(make.offering())
    address = "/reports/exports/new/participations?since=2026-01-01&until=2026-12-31"
    with clock.at(clock.now() + timedelta(minutes=16)):
        assert browser.post(address, data={"form": "csv", "personal": "none"}).mimetype == "text/csv"
        asked = browser.post(address, data={"form": "csv", "personal": "full"})
        assert asked.status_code == 403
        assert 'name="personal" value="full"' in asked.text
        sent = browser.post(address, data={"form": "csv", "personal": "full", "confirm_password": PASSWORD})
        assert sent.mimetype == "text/csv"
