"""Flask-Login, configured so that the cookie holds the token of our own session table and never the user's id."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar

from flask import (
    Flask,
    Response,
    after_this_request,
    current_app,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user

from lms.accounts import browser_sessions, confirmations, known_browsers, notices, second_factors, user_contacts
from lms.accounts.browser_sessions import Holder
from lms.accounts.confirmations import NotConfirmed
from lms.accounts.known_browsers import Recognition
from lms.accounts.models import KnownBrowser, RoleGrant, User
from lms.accounts.notices import Notice
from lms.core import audit, cookies, request_db
from lms.core.access import SAFE_METHODS
from lms.core.error_pages import message_of, refuse, wants_json
from lms.core.errors import DomainError

V = TypeVar("V", bound=Callable[..., Any])

TOKEN = "_user_id"  # noqa: S105  # the name under which Flask-Login keeps its id in the cookie
_NOT_KEPT = {confirmations.FIELD, "csrf_token"}


class SignedInUser(UserMixin):  # type: ignore[misc]  # the library has no types
    """The user of this request, with the session token that the request carried and what the session has proven.

    `step`: the endpoint of the step that the sign-in still owes. Until then the user is half signed in and counts as not
    authenticated (`lms.core.access`).
    """

    def __init__(self, holder: Holder, token: str) -> None:
        user = holder.user
        self.user = user
        self.token = token
        self.id = user.id
        self.name = user.name
        self.language = user.language
        self.grants: list[RoleGrant] = user.grants
        self.confirmed_at = holder.confirmed_at
        self.second_factor_at = holder.second_factor_at
        self.step = None if holder.second_factor_at is not None else _step(user, has_factor=holder.owes_factor)
        if self.step is None:
            self.step = _contact_step(user)

    @property
    def is_authenticated(self) -> bool:
        """True if the sign-in is whole."""
        return self.step is None

    def get_id(self) -> str:
        """The value that Flask-Login keeps in the cookie: the session token, never the user's id."""
        return self.token


def load(token: str) -> SignedInUser | None:
    """Flask-Login's user loader: the user of a session token."""
    g.acting = True  # who acts is being found here; `web.session` need not ask, which would load the user twice
    db = request_db.db()
    staff_idle = current_app.config["SETTINGS"].staff_idle
    holder = browser_sessions.holder_of(db, token, staff_idle=staff_idle)
    audit.act_as(db, holder.user.id if holder is not None else None)
    return SignedInUser(holder, token) if holder is not None else None


def known_browser(user_id: int) -> KnownBrowser | None:
    """The row of the browser of this request, if the user has signed in with it before."""
    return known_browsers.find(request_db.db(), cookies.read(known_browsers.COOKIE), user_id)


def owes_second_factor(grants: Iterable[RoleGrant]) -> bool:
    """Tell whether the setting demands a second factor of a user with these roles."""
    return current_app.config["SETTINGS"].demands_second_factor and second_factors.is_demanded(grants)


def remember(user: User, days: int) -> str | None:
    """Sign a user in on this browser. The old content of the cookie is dropped, so that nobody can plant a session.

    Returns the endpoint of the step that the sign-in still owes; None if it is whole. Then the browser is known for this
    user from now on. The owner of an account is told of a new browser, except at the first sign-in after the account was
    made.
    """
    session.clear()
    db = request_db.db()
    known = known_browser(user.id)
    has_factor = second_factors.is_set(db, user.id)
    spared = has_factor and known is not None and known_browsers.is_spared(known)
    step = None if spared else _step(user, has_factor=has_factor)
    _keep_session(
        browser_sessions.start(
            db,
            user,
            days=days,
            browser=request.user_agent.string,
            half=step is not None,
            second_factor=spared,
        )
    )
    if step is None:
        _recognise(user)
        return _contact_step(user)
    return step


def complete(*, remember: bool) -> None:
    """Make the sign-in of this request whole, because the second factor was given.

    remember: this browser is not asked for it for a while. The cookie gets a new token.
    """
    db = request_db.db()
    days = current_app.config["SETTINGS"].session_days
    token = browser_sessions.complete(db, current_user.token, days=days)
    session.clear()
    _keep_session(token)
    known_browsers.remember_second_factor(
        db, _recognise(current_user.user), second_factors.remembered_until() if remember else None
    )


def _step(user: User, *, has_factor: bool) -> str | None:
    """The endpoint of the step that follows the right password, where the second factor was not given."""
    if has_factor:
        return "second_factor.ask"
    return "second_factor.set_up" if owes_second_factor(user.grants) else None


def _contact_step(user: User) -> str | None:
    """The endpoint of the step of a user without any proven contact, as accounts of former times have: to prove one."""
    return None if user_contacts.has_proven(user) else "contacts.page"


def _keep_session(token: str) -> None:
    session[TOKEN] = token
    session.permanent = True


def _recognise(user: User) -> KnownBrowser:
    """Make the browser of this request known for a user who is wholly signed in."""
    recognition = make_known(user)
    if recognition.new and not recognition.first:
        notices.tell(request_db.db(), user, Notice.BROWSER)
    return recognition.row


def make_known(user: User) -> Recognition:
    """Make this browser known for a user, who has just proven to be the owner of the account."""
    token = cookies.read(known_browsers.COOKIE)
    recognition = known_browsers.recognise(request_db.db(), user, token, request.user_agent.string)
    after_this_request(lambda response: _keep_known(response, recognition.token))
    return recognition


def _keep_known(response: Response, token: str) -> Response:
    cookies.put(response, known_browsers.COOKIE, token, known_browsers.LASTS)
    return response


def confirmed(view: V) -> V:
    """Demand that the password was given again lately (`demand_confirmed`). Written below `@requires(…)`."""

    @wraps(view)
    def asking(*arguments: Any, **named: Any) -> Any:
        demand_confirmed()
        return view(*arguments, **named)

    return asking  # type: ignore[return-value]


def demand_confirmed() -> None:
    """Raise NotConfirmed unless the password was given in this session within the last quarter of an hour.

    A browser that asked for a page is sent to `/sign-in/confirm` and from there to the page. A form that was sent is kept in
    the page that asks for the password, which sends it again, so that nothing typed is lost.
    """
    if confirmations.is_fresh(current_user.confirmed_at):
        return
    password = request.form.get(confirmations.FIELD) if request.method == "POST" else None
    if not password:
        raise NotConfirmed
    try:
        confirmations.confirm(request_db.db(), current_user.user, current_user.token, password)
    except DomainError as refusal:
        raise NotConfirmed(refusal) from None
    request_db.commit()  # the session stays confirmed, whatever the view answers to the form


def _ask_to_confirm(error: NotConfirmed) -> ResponseReturnValue:
    request_db.roll_back()
    if wants_json():
        return refuse(error.status, error.code, message_of(error))
    if request.method in SAFE_METHODS:
        return redirect(url_for("sign_in.confirm", next=request.full_path.rstrip("?")))
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in _NOT_KEPT]
    body = render_template(
        "sign_in/confirm_form.html",
        action=request.full_path.rstrip("?"),
        fields=fields,
        refusal=message_of(error.refusal) if error.refusal is not None else "",
    )
    return body, error.refusal.status if error.refusal is not None else error.status


def init_app(app: Flask) -> None:
    """Set up Flask-Login. Its own session protection is off, because it would sign out a phone that changes its network."""
    manager: Any = LoginManager()
    manager.session_protection = None
    manager.user_loader(load)
    manager.init_app(app)
    app.register_error_handler(NotConfirmed, _ask_to_confirm)
