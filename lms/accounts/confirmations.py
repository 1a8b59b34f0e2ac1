"""Confirming a session: the password is asked again before acts that a thief of an open browser would do first.

Grants of roles, changes of contacts, exports with personal columns and the like demand that the password was given within
the last quarter of an hour (`lms.accounts.current.confirmed`).
"""

from datetime import datetime, timedelta

from limits import RateLimitItemPerMinute
from sqlalchemy.orm import Session

from lms.accounts import browser_sessions, passwords
from lms.accounts.models import User
from lms.accounts.throttle import TooManyTries
from lms.core import audit, clock, crypto
from lms.core.errors import N_, DomainError
from lms.core.limits import seconds_to_wait

LASTS = timedelta(minutes=15)
FIELD = "confirm_password"
# Of one session, so that whoever has stolen a session shuts out nobody but that session.
TRIES = RateLimitItemPerMinute(5, 15)


class NotConfirmed(DomainError):
    """Raised where the password must be given again first. `refusal`: why the one that was given was refused."""

    def __init__(self, refusal: DomainError | None = None) -> None:
        super().__init__(
            "not_confirmed", N_("Enter your password again before you go on: this concerns personal data."), status=403
        )
        self.refusal = refusal


def is_fresh(confirmed_at: datetime | None) -> bool:
    """Tell whether a session was confirmed within the last quarter of an hour."""
    return confirmed_at is not None and clock.now() - confirmed_at < LASTS


def confirm(db: Session, user: User, token: str, password: str) -> None:
    """Confirm the session with this token by the user's password. Raises DomainError for a wrong one, TooManyTries."""
    seconds = seconds_to_wait(TRIES, "confirm", crypto.token_hash(token).hex())
    if seconds:
        raise TooManyTries(seconds)
    if not passwords.matches(user.password_hash, password):
        raise DomainError("password_wrong", N_("This is not your current password."), status=422, field=FIELD)
    browser_sessions.confirm(db, token)
    audit.record(db, "user.confirm", user)
