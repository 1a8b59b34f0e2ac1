"""Flask-Login, configured so that the cookie holds the token of our own session table and never the user's id."""

from typing import Any

from flask import Flask, g, request, session
from flask_login import LoginManager, UserMixin

from lms.accounts import browser_sessions
from lms.accounts.models import RoleGrant, User
from lms.core import audit, request_db

TOKEN = "_user_id"  # noqa: S105  # the name under which Flask-Login keeps its id in the cookie


class SignedInUser(UserMixin):  # type: ignore[misc]  # the library has no types
    """The user of this request, with the session token that the request carried."""

    def __init__(self, user: User, token: str) -> None:
        self.user = user
        self.token = token
        self.id = user.id
        self.name = user.name
        self.language = user.language
        self.grants: list[RoleGrant] = user.grants

    def get_id(self) -> str:
        """The value that Flask-Login keeps in the cookie: the session token, never the user's id."""
        return self.token


def load(token: str) -> SignedInUser | None:
    """Flask-Login's user loader: the user of a session token."""
    g.acting = True  # who acts is being found here; `web.session` need not ask, which would load the user twice
    db = request_db.db()
    user = browser_sessions.user_of(db, token)
    audit.act_as(db, user.id if user is not None else None)
    return SignedInUser(user, token) if user is not None else None


def remember(user: User, days: int) -> None:
    """Sign a user in on this browser. The old content of the cookie is dropped, so that nobody can plant a session."""
    session.clear()
    token = browser_sessions.start(request_db.db(), user, days=days, browser=request.user_agent.string)
    session[TOKEN] = token
    session.permanent = True


def init_app(app: Flask) -> None:
    """Set up Flask-Login. Its own session protection is off, because it would sign out a phone that changes its network."""
    manager: Any = LoginManager()
    manager.session_protection = None
    manager.user_loader(load)
    manager.init_app(app)
