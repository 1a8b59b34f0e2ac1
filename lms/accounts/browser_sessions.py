"""Signed-in browsers, kept in a table of our own so that a session can be ended at once.

The browser's cookie holds a random token; the table holds its hash. A change of network does not end a session.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, bindparam, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from lms.accounts import known_browsers
from lms.accounts.models import BrowserSession, Passkey, Totp, User
from lms.core import clock, crypto
from lms.core.errors import NotFound
from lms.core.scope import Role

SEEN_EVERY = timedelta(minutes=10)
BROWSER_LENGTH = 200
HALF_LASTS = timedelta(minutes=30)  # a sign-in that still owes a step
# Put together once: every page asks it.
_HOLDER = (
    select(
        User,
        BrowserSession.token_hash,
        BrowserSession.seen_at,
        BrowserSession.confirmed_at,
        BrowserSession.second_factor_at,
        and_(
            BrowserSession.second_factor_at.is_(None),
            or_(exists().where(Totp.user_id == User.id), exists().where(Passkey.user_id == User.id)),
        ),
    )
    .join(BrowserSession, BrowserSession.user_id == User.id)
    .where(
        BrowserSession.token_hash == bindparam("token"),
        BrowserSession.expires_at > bindparam("now"),
        User.disabled_at.is_(None),
    )
)


@dataclass(frozen=True)
class Holder:
    """The user of a session, when the password was last given in it, and when the second factor was.

    owes_factor: the user has a second factor, which was not given in this session.
    """

    user: User
    confirmed_at: datetime | None
    second_factor_at: datetime | None
    owes_factor: bool


@dataclass(frozen=True)
class SignedIn:
    """A signed-in browser, as its owner sees it. `key` identifies it in addresses; nobody can sign in with the key."""

    key: str
    browser: str
    created_at: datetime
    seen_at: datetime
    here: bool


def start(db: Session, user: User, *, days: int, browser: str, half: bool = False, second_factor: bool = False) -> str:
    """Sign a user in, who has just given the password, and return the token for the cookie.

    days: how long the session lives without a new sign-in. half: the sign-in still owes a step. second_factor: a known
    browser stands for the second factor.
    """
    token = crypto.token() + crypto.token()
    now = clock.now()
    db.execute(delete(BrowserSession).where(BrowserSession.user_id == user.id, BrowserSession.expires_at <= now))
    db.add(
        BrowserSession(
            token_hash=crypto.token_hash(token),
            user_id=user.id,
            created_at=now,
            seen_at=now,
            expires_at=now + (HALF_LASTS if half else timedelta(days=days)),
            browser=browser[:BROWSER_LENGTH],
            confirmed_at=now,
            second_factor_at=now if second_factor else None,
        )
    )
    return token


def holder_of(db: Session, token: str, *, staff_idle: timedelta) -> Holder | None:
    """The holder of the session with a token; None if it was ended or has expired, or the user is disabled.

    staff_idle: the session of a user who sees other people's data ends after so long without a request.
    """
    now = clock.now()
    row = db.execute(_HOLDER, {"token": crypto.token_hash(token), "now": now}).one_or_none()
    if row is None:
        return None
    user, token_hash, seen_at, confirmed_at, second_factor_at, owes_factor = row
    # `seen_at` may be `SEEN_EVERY` older than the last request: an active session must not end early for that.
    if is_staff(user) and now - seen_at > staff_idle + SEEN_EVERY:
        return None
    _touch(db, token_hash, seen_at, now)
    return Holder(user, confirmed_at, second_factor_at, owes_factor)


def _touch(db: Session, token_hash: bytes, seen_at: datetime, now: datetime) -> None:
    if now - seen_at > SEEN_EVERY:
        db.execute(update(BrowserSession).where(BrowserSession.token_hash == token_hash).values(seen_at=now))


def is_staff(user: User) -> bool:
    """Tell whether a user has a role besides the trainee's, and so sees other people's data. The grants are loaded."""
    return any(grant.role != Role.TRAINEE for grant in user.grants)


def confirm(db: Session, token: str) -> None:
    """Note that the holder of a session gave the password again."""
    statement = update(BrowserSession).where(BrowserSession.token_hash == crypto.token_hash(token))
    db.execute(statement.values(confirmed_at=clock.now()))


def complete(db: Session, token: str, *, days: int) -> str:
    """Note that the second factor was given in a session, and return the session's new token.

    A copy of the cookie of the half sign-in becomes worthless by it. days: as in `start`.
    """
    new_token = crypto.token() + crypto.token()
    now = clock.now()
    db.execute(
        update(BrowserSession)
        .where(BrowserSession.token_hash == crypto.token_hash(token))
        .values(token_hash=crypto.token_hash(new_token), second_factor_at=now, expires_at=now + timedelta(days=days))
    )
    return new_token


def of_user(db: Session, user: User, token: str, *, staff_idle: timedelta) -> list[SignedIn]:
    """The browsers in which a user is signed in: the one with this token first, then by the time each was last seen."""
    since = clock.now() - staff_idle - SEEN_EVERY if is_staff(user) else datetime.min.replace(tzinfo=UTC)
    here = crypto.token_hash(token)
    rows = db.scalars(
        select(BrowserSession)
        .where(
            BrowserSession.user_id == user.id,
            BrowserSession.expires_at > clock.now(),
            BrowserSession.seen_at >= since,
        )
        .order_by((BrowserSession.token_hash == here).desc(), BrowserSession.seen_at.desc())
    )
    return [
        SignedIn(row.token_hash.hex(), row.browser, row.created_at, row.seen_at, row.token_hash == here) for row in rows
    ]


def end_one(db: Session, user_id: int, key: str) -> None:
    """Sign out one of a user's own browsers. Signing out a browser that is already signed out is no error."""
    try:
        token_hash = bytes.fromhex(key)
    except ValueError:
        raise NotFound from None
    db.execute(delete(BrowserSession).where(BrowserSession.user_id == user_id, BrowserSession.token_hash == token_hash))


def end(db: Session, token: str) -> None:
    """Sign out the browser that holds a token."""
    db.execute(delete(BrowserSession).where(BrowserSession.token_hash == crypto.token_hash(token)))


def end_all(db: Session, user_id: int, *, but: str | None = None) -> int:
    """Sign a user out everywhere, except in the browser that holds the token `but`. Returns the number of ended sessions.

    No browser is spared the second factor any more.
    """
    known_browsers.forget_second_factors(db, user_id)
    statement = delete(BrowserSession).where(BrowserSession.user_id == user_id)
    if but is not None:
        statement = statement.where(BrowserSession.token_hash != crypto.token_hash(but))
    return int(db.execute(statement).rowcount)  # type: ignore[attr-defined]
