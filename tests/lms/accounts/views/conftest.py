"""Shared by the tests of the pages of accounts."""

import pytest
from sqlalchemy.orm import Session

from lms.accounts import totp
from lms.accounts.models import User


@pytest.fixture
def secret(db: Session, person: User) -> str:
    """The secret of the person's authenticator app, none of whose codes was used yet."""
    made = totp.new_secret()
    totp.set_up(db, person, made, 0)
    db.commit()
    return made
