"""Known browsers: those in which a user once signed in, recognised by a cookie ("device cookie" of OWASP).

The cookie holds a random token of the browser; the table holds one row for each user who signed in with it. A token that
the browser of a user brings along is never taken over for that user: it may have been planted by somebody who keeps a copy.
A new user of a browser gives it a new token, to which the rows of its other users move.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, false, select, update
from sqlalchemy.orm import Session

from lms.accounts.models import KnownBrowser, User
from lms.core import clock, crypto

COOKIE = "browser"
LASTS = timedelta(days=400)  # what browsers keep at most
SEEN_EVERY = timedelta(days=1)
TOKEN_LENGTH = 44  # characters of two tokens of `lms.core.crypto`, 256 bits together
BROWSER_LENGTH = 200


@dataclass(frozen=True)
class Recognition:
    """A browser after a sign-in. `token`: for its cookie. `new`: it was not known for this user before.

    first: the user had no known browser at all, so this is the first sign-in of the account.
    """

    row: KnownBrowser
    token: str
    new: bool
    first: bool


def has(token: str | None) -> ColumnElement[bool]:
    """Condition: a row is of the browser with this token. It is false for a token that is missing or made up."""
    if token is None or len(token) != TOKEN_LENGTH:
        return false()
    return and_(KnownBrowser.token_hash == crypto.token_hash(token), KnownBrowser.seen_at > clock.now() - LASTS)


def find(db: Session, token: str | None, user_id: int) -> KnownBrowser | None:
    """The row of a browser for a user; None if the user never signed in there, or the cookie is missing or made up."""
    return db.scalars(select(KnownBrowser).where(has(token), KnownBrowser.user_id == user_id)).one_or_none()


def recognise(db: Session, user: User, token: str | None, browser: str) -> Recognition:
    """Note that a user signed in with a browser. token: of its cookie, if it sent one. browser: its User-Agent header."""
    now = clock.now()
    row = find(db, token, user.id)
    if row is not None and token is not None:
        if now - row.seen_at > SEEN_EVERY:
            row.seen_at = now
        return Recognition(row, token, new=False, first=False)
    db.execute(delete(KnownBrowser).where(KnownBrowser.user_id == user.id, KnownBrowser.seen_at <= now - LASTS))
    first = db.scalar(select(KnownBrowser.id).where(KnownBrowser.user_id == user.id).limit(1)) is None
    new_token = crypto.token() + crypto.token()
    if token is not None and len(token) == TOKEN_LENGTH:
        db.execute(
            update(KnownBrowser)
            .where(KnownBrowser.token_hash == crypto.token_hash(token))
            .values(token_hash=crypto.token_hash(new_token))
        )
    row = KnownBrowser(
        user_id=user.id,
        token_hash=crypto.token_hash(new_token),
        browser=browser[:BROWSER_LENGTH],
        created_at=now,
        seen_at=now,
    )
    db.add(row)
    db.flush()
    return Recognition(row, new_token, new=True, first=first)


def remember_second_factor(db: Session, row: KnownBrowser, until: datetime | None) -> None:
    """Note that the second factor was given in a browser. until: spare this browser the second factor as long."""
    row.second_factor_at = clock.now()
    if until is not None:
        row.second_factor_until = until
    db.flush()


def is_spared(row: KnownBrowser) -> bool:
    """Tell whether a browser is spared the second factor now."""
    return row.second_factor_until is not None and row.second_factor_until > clock.now()


def remembered(db: Session, user_id: int) -> list[KnownBrowser]:
    """The browsers of a user that are spared the second factor now, the one that was seen last first."""
    statement = select(KnownBrowser).where(
        KnownBrowser.user_id == user_id, KnownBrowser.second_factor_until > clock.now()
    )
    return list(db.scalars(statement.order_by(KnownBrowser.seen_at.desc(), KnownBrowser.id)))


def forget_second_factors(db: Session, user_id: int) -> None:
    """Ask for the second factor again in every browser of a user, as after a change of the password."""
    db.execute(update(KnownBrowser).where(KnownBrowser.user_id == user_id).values(second_factor_until=None))
