"""Accounts of the demo that are signed in, as the header that a browser sends."""

from flask import Flask

from lms.accounts import browser_sessions, current
from lms.accounts.models import RoleGrant, User
from lms.core.scope import Role
from lms.core.transactions import transaction


def cookie(app: Flask, role: Role = Role.CITY_ADMINISTRATOR) -> str:
    """The value of a `Cookie` header of the first account with a role. Raises LookupError where there is none."""
    with transaction(app.extensions["sessions"]) as db:
        user = db.query(User).join(RoleGrant).where(RoleGrant.role == role).order_by(User.id).first()
        if user is None:
            raise LookupError(f"no account is a {role.value}")
        token = browser_sessions.start(db, user, days=1, browser="benchmark")
    browser = app.test_client()
    with browser.session_transaction() as kept_in:
        kept_in[current.TOKEN] = token
    found = browser.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert found is not None
    return f"{found.key}={found.value}"
