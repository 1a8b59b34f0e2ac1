"""Shared by the tests of accounts: a user who can sign in, and signing in by the form."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lms.accounts import passwords
from lms.accounts.models import User
from lms.config import SecondFactor
from lms.core.scope import Role
from tests.factories import PASSWORD, Make


@pytest.fixture
def person(make: Make, db: Session) -> User:
    """An instructor with a phone, an e-mail address and a password."""
    user = make.user(Role.INSTRUCTOR, password_hash=passwords.seal(PASSWORD))
    user.phone = make.phone()
    db.commit()
    return user


@pytest.fixture
def demanded(app: Flask) -> Iterator[None]:
    """The setting demands a second factor, and the site has a name, so that browsers offer passkeys."""
    settings = app.config["SETTINGS"]
    changed = {"second_factor": SecondFactor.DEMANDED, "public_url": "http://localhost:8000"}
    app.config["SETTINGS"] = settings.model_copy(update=changed)
    yield
    app.config["SETTINGS"] = settings


def enter(client: FlaskClient, identifier: str, password: str = PASSWORD, onward: str = "") -> int:
    address = "/sign-in/" + (f"?next={onward}" if onward else "")
    return client.post(address, data={"identifier": identifier, "password": password}).status_code
