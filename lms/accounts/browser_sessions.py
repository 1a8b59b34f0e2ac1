"""Signed-in browsers, in our own table: ending a session ends it at once, and a change of network does not.

The browser's cookie holds a random token; the table holds its hash.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lms.accounts.models import BrowserSession, User
from lms.core import clock, crypto

SEEN_EVERY = timedelta(minutes=10)
BROWSER_LENGTH = 200


def start(db: Session, user: User, *, days: int, browser: str) -> str:
    """Sign a user in. Returns the token for the cookie; `days` is how long it lives without a new sign-in."""
    token = crypto.token() + crypto.token()
    now = clock.now()
    db.add(
        BrowserSession(
            token_hash=crypto.token_hash(token),
            user_id=user.id,
            created_at=now,
            seen_at=now,
            expires_at=now + timedelta(days=days),
            browser=browser[:BROWSER_LENGTH],
        )
    )
    return token


def user_of(db: Session, token: str) -> User | None:
    """The user signed in with a token, or None where the session ended, ran out or the user is disabled."""
    now = clock.now()
    row = db.execute(
        select(User, BrowserSession.token_hash, BrowserSession.seen_at)
        .join(BrowserSession, BrowserSession.user_id == User.id)
        .where(
            BrowserSession.token_hash == crypto.token_hash(token),
            BrowserSession.expires_at > now,
            User.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    user, token_hash, seen_at = row
    _touch(db, token_hash, seen_at, now)
    return user


def _touch(db: Session, token_hash: bytes, seen_at: datetime, now: datetime) -> None:
    if now - seen_at > SEEN_EVERY:
        db.execute(update(BrowserSession).where(BrowserSession.token_hash == token_hash).values(seen_at=now))


def end(db: Session, token: str) -> None:
    """Sign one browser out."""
    db.execute(delete(BrowserSession).where(BrowserSession.token_hash == crypto.token_hash(token)))


def end_all(db: Session, user_id: int, *, but: str | None = None) -> int:
    """Sign a user out everywhere, except in the browser that holds the token `but`. Returns how many ended."""
    statement = delete(BrowserSession).where(BrowserSession.user_id == user_id)
    if but is not None:
        statement = statement.where(BrowserSession.token_hash != crypto.token_hash(but))
    return int(db.execute(statement).rowcount)  # type: ignore[attr-defined]
