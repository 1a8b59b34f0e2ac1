"""Requests for password links, stored by the web and handled by a worker.

To look up an account, make a link and owe a message takes longer than to find nobody. So the web stores what was typed,
sealed, and answers; whoever has the contact, the answer takes the same time.
"""

from uuid import uuid4

from limits import RateLimitItemPerDay, RateLimitItemPerHour
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.accounts import password_links, users
from lms.accounts.models import PasswordRequest
from lms.accounts.password_links import Site
from lms.core import crypto, events, limits
from lms.core.contacts import ContactKind
from lms.core.limits import Place

COLUMN = "password_request.identifier"
# Links of one account, from wherever they are asked for. Its owner has the last of them then.
SENT = (RateLimitItemPerHour(6), RateLimitItemPerDay(20))


class LinkRequested:
    """The event of a stored request; the reaction sends the task to the queue."""


def store(db: Session, identifier: str) -> None:
    """Store a request for the account of this canonical phone or e-mail address, whether there is one or not."""
    ref = uuid4()
    db.add(PasswordRequest(ref=ref, identifier_sealed=crypto.cipher().encrypt(COLUMN, ref, identifier)))
    events.publish(db, LinkRequested())


def handle_next(db: Session, site: Site) -> bool:
    """Handle the oldest request and erase it: owe a link to the proven contact that was typed. False if there is none."""
    request = db.scalars(
        select(PasswordRequest).order_by(PasswordRequest.id).limit(1).with_for_update(skip_locked=True)
    ).one_or_none()
    if request is None:
        return False
    identifier = crypto.cipher().decrypt(COLUMN, request.ref, request.identifier_sealed)
    user = users.find(db, identifier)
    if user is not None and user.disabled_at is None:
        counters = [Place(item, ("accounts", "links_sent", f"{user.id}")) for item in SENT]
        if not limits.reserve(counters):
            kind = ContactKind.EMAIL if "@" in identifier else ContactKind.PHONE
            password_links.send_reset(db, user, kind, site)
    db.delete(request)
    db.flush()
    return True
