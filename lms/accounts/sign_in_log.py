"""Sign-ins in the audit trail: who signed in, what was refused, from which address and with which browser.

Anybody can cause failures, so their entries are bounded: the first failure of an account and address in a quarter of an hour
is written, then the moment at which the limit refuses it, and no more; over all, a thousand an hour. A sign-in that follows
tells how many failures there were before it. What was typed for an unknown account is masked, since people type passwords
into the wrong field.
"""

import re

from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from sqlalchemy.orm import Session

from lms.accounts.models import User
from lms.accounts.user_agents import browser_name
from lms.core import audit, crypto, limits
from lms.core.limits import Place, network
from lms.core.masks import mask_phone

WINDOW = RateLimitItemPerMinute(1, 15)
ENTRIES = RateLimitItemPerHour(1000)
UNKNOWN = "sign_in:unknown"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.([a-z]{2,})")


def record_sign_in(db: Session, user: User, identifier: str) -> None:
    """Record that a user signed in, with the number of failures of this account and address before it."""
    audit.act_as(db, user.id)
    failures = limits.counted(_place(db, "failures", identifier))
    audit.record(db, "user.sign_in", user, after=_where(db) | ({"failures": failures} if failures else {}))


def record_failure(db: Session, user: User | None, identifier: str) -> None:
    """Record the first wrong password of an account and address in a quarter of an hour; count the others."""
    if limits.count(_place(db, "failures", identifier)) == 1:
        _record(db, "user.sign_in_failed", user, identifier, {})


def record_refusal(db: Session, user: User | None, identifier: str) -> None:
    """Record the first try that a limit refuses, of an account and address in a quarter of an hour."""
    if limits.count(_place(db, "refusals", identifier)) == 1:
        failures = limits.counted(_place(db, "failures", identifier))
        _record(db, "user.sign_in_refused", user, identifier, {"failures": failures})


def masked(identifier: str) -> str:
    """An unknown phone or e-mail address as an administrator recognises it; three stars for any other text."""
    if identifier.startswith("+"):
        return mask_phone(identifier)
    address = _EMAIL.fullmatch(identifier)
    return f"{identifier[0]}***@***.{address[1]}" if address is not None else "***"


def _record(db: Session, action: str, user: User | None, identifier: str, facts: dict[str, int]) -> None:
    if limits.reserve([Place(ENTRIES, ("accounts", "audited"))]):
        return
    subject: object = user if user is not None else UNKNOWN
    typed = {} if user is not None else {"identifier": masked(identifier)}
    audit.record(db, action, subject, after=typed | _where(db) | facts)


def _where(db: Session) -> dict[str, str | int]:
    origin = audit.origin(db)
    return {"address": origin.address, "browser": browser_name(origin.agent)}


def _place(db: Session, kind: str, identifier: str) -> Place:
    place = f"{identifier}\0{network(audit.origin(db).address)}"
    return Place(WINDOW, ("accounts", kind, crypto.cipher().blind_index(f"sign_in.{kind}", place).hex()))
