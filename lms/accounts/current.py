"""Flask-Login, with the token of our own session table as what the cookie holds."""

from typing import Any

from flask import Flask, g, request, session
from flask_login import LoginManager, UserMixin

from lms.accounts import browser_sessions
from lms.accounts.models import RoleGrant, User
from lms.core import audit, web

TOKEN = "_user_id"  # noqa: S105  # the name under which Flask-Login keeps its id in the cookie


class SignedInUser(UserMixin):  # type: ignore[misc]  # the library has no types
    """The user of this request, and the token it came with."""

    def __init__(self, user: User, token: str) -> None:
        self.user = user
        self.token = token
        self.id = user.id
        self.name = user.name
        self.language = user.language
        self.grants: list[RoleGrant] = user.grants

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie: the token, never the user's number."""
        return self.token


def load(token: str) -> SignedInUser | None:
    """The user of a token, for Flask-Login."""
    g.acting = True  # who acts is being found here; `web.session` need not ask, which would load the user twice
    db = web.db()
    user = browser_sessions.user_of(db, token)
    audit.act_as(db, user.id if user is not None else None)
    return SignedInUser(user, token) if user is not None else None


def remember(user: User, days: int) -> None:
    """Sign a user in on this browser; the old cookie's content goes, so that no session can be planted."""
    session.clear()
    token = browser_sessions.start(web.db(), user, days=days, browser=request.user_agent.string)
    session[TOKEN] = token
    session.permanent = True


def init_app(app: Flask) -> None:
    """Tell Flask-Login how to find a user. Its own protection is off: it signs a phone out that changes network."""
    manager: Any = LoginManager()
    manager.session_protection = None
    manager.user_loader(load)
    manager.init_app(app)
