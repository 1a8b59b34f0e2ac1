"""A new password ends whatever the old one may have opened for somebody else.

All other browsers are signed out, all devices are disconnected, links that set a password end, and no browser is spared the
second factor any more. Check-ins that a disconnected phone has not sent yet stay on it, and go out when its owner signs in.
"""

from sqlalchemy import update
from sqlalchemy.orm import Session

from lms.accounts import browser_sessions, devices, known_browsers, notices, passwords, places
from lms.accounts.models import PasswordReset, User
from lms.accounts.notices import Notice
from lms.core import audit, clock


def set_new(db: Session, user: User, password: str, *, but: str | None = None) -> None:
    """Set a user's password, if it is strong enough, and tell the owner unless it is the first. Raises DomainError.

    but: the token of the session that goes on, in which the password is being changed.
    """
    passwords.demand(password, facts=_facts_of(db, user))
    first = user.password_hash is None
    user.password_hash = passwords.seal(password)
    db.execute(
        update(PasswordReset)
        .where(PasswordReset.user_id == user.id, PasswordReset.used_at.is_(None))
        .values(used_at=clock.now())
    )
    browser_sessions.end_all(db, user.id, but=but)
    known_browsers.forget_second_factors(db, user.id)
    disconnected = devices.revoke_all(db, user.id)
    audit.record(db, "user.password", user, after={"devices": disconnected} if disconnected else None)
    if not first:
        notices.tell(db, user, Notice.PASSWORD)


def _facts_of(db: Session, user: User) -> list[str | None]:
    """The facts of a user that others may know, and of which a password may therefore not consist."""
    names = [name for place in places.of_grants(db, user.grants).values() for name in (place.name_zh, place.name_en)]
    return [user.name, user.email, user.phone, *names]
