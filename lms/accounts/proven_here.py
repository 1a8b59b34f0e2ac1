"""The checks that were proven in this browser, for pages that act on a proof, such as choosing the password of a new account.

The reference of a check stands in an address and is known to whoever started the check, who need not be the one who proved it.
So the signed cookie of the browser that gave the code or confirmed the link says that the proof happened there.
"""

from datetime import timedelta

from flask import session as cookie
from sqlalchemy.orm import Session

from lms.accounts import contact_checks
from lms.accounts.contact_checks import CheckPurpose
from lms.accounts.models import ContactCheck
from lms.core import clock

COOKIE_KEY = "proven"
MOST = 5
LIVES = timedelta(minutes=30)


def remember(check: ContactCheck) -> None:
    """Note in the cookie that a check was proven in this browser."""
    refs = [*cookie.get(COOKIE_KEY, []), contact_checks.ref_of(check)]
    cookie[COOKIE_KEY] = refs[-MOST:]


def find(db: Session, purpose: CheckPurpose, subject: str | None = None) -> ContactCheck | None:
    """The newest check of a subject that was proven in this browser within half an hour; None if there is none.

    subject: None for any subject of the purpose, where the proof itself tells whom it concerns.
    """
    return contact_checks.newest_proven(
        db, purpose, subject, refs=cookie.get(COOKIE_KEY, []), since=clock.now() - LIVES
    )


def forget(check: ContactCheck) -> None:
    """Drop a check from the cookie, when the page has acted on it."""
    cookie[COOKIE_KEY] = [ref for ref in cookie.get(COOKIE_KEY, []) if ref != contact_checks.ref_of(check)]
