"""Shared by the tests of accounts: a user who can sign in, and signing in by the form."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lms.accounts import passwords
from lms.accounts.models import User
from lms.core.scope import Role
from tests.factories import PASSWORD, Make


@pytest.fixture
def person(make: Make, db: Session) -> User:
    """An instructor with a phone, an e-mail address and a password."""
    user = make.user(Role.INSTRUCTOR, password_hash=passwords.seal(PASSWORD))
    user.phone = make.phone()
    db.commit()
    return user


def enter(client: FlaskClient, identifier: str, password: str = PASSWORD, onward: str = "") -> int:
    address = "/sign-in/" + (f"?next={onward}" if onward else "")
    return client.post(address, data={"identifier": identifier, "password": password}).status_code
