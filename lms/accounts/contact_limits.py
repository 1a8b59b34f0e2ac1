"""Limits on sending codes to a contact and on typing wrong ones.

What concerns one contact is counted in the rows of the checks, so that all processes share it and no restart forgets it: of the
million codes, nobody can try more than thirty a day for one contact, however many checks are started.
"""

from datetime import timedelta

from limits import RateLimitItemPerMinute
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms.accounts.models import CHECKED, ContactCheck
from lms.core import clock, crypto
from lms.core.errors import N_, DomainError
from lms.core.limits import network, seconds_to_wait
from lms.core.value_locks import lock_values

RESEND_AFTER = timedelta(minutes=1)
# Codes that are sent to one contact, whoever asks for them: the period and the most within it.
SENT_PER_CONTACT = ((timedelta(hours=1), 5), (timedelta(days=1), 10))
# Wrong codes typed for one contact in a day, over all its checks, so that new checks do not give unlimited guesses.
WRONG_PER_CONTACT = (timedelta(days=1), 30)
# A whole school may stand behind one address: 300 people within ten minutes, each of whom may need a second code.
SENT_PER_ADDRESS = RateLimitItemPerMinute(700, 10)


def lock(db: Session, contact: str) -> None:
    """Let the checks of one contact run one after the other until the commit, so that the limits are exact."""
    lock_values(db, crypto.cipher().blind_indexes(CHECKED, contact.lower()))


def too_soon(seconds: int) -> DomainError:
    """The refusal of a second code within a minute."""
    return DomainError(
        "code_too_soon",
        N_("A code was sent less than a minute ago. Wait %(seconds)s s before you ask for another one."),
        status=429,
        seconds=seconds,
    )


def demand_sending(db: Session, contact: str, address: str | None) -> None:
    """Raise DomainError if no code may be sent to a contact now, or not at the wish of this IP address, which is counted."""
    now = clock.now()
    of_contact = ContactCheck.contact_is(contact)
    latest = db.scalar(select(func.max(ContactCheck.created_at)).where(of_contact))
    if latest is not None and now - latest < RESEND_AFTER:
        raise too_soon(max(1, int((latest + RESEND_AFTER - now).total_seconds())))
    for period, most in SENT_PER_CONTACT:
        count = select(func.count()).where(of_contact, ContactCheck.created_at > now - period)
        if (db.scalar(count) or 0) >= most:
            raise _too_many()
    if address is not None:
        key = crypto.cipher().blind_index("contact_check.address", network(address)).hex()
        if seconds_to_wait(SENT_PER_ADDRESS, "accounts", "contact_checks", key):
            raise DomainError(
                "too_many_codes_here",
                N_("Too many codes were asked for from this network. Wait ten minutes, then try again."),
                status=429,
            )


def demand_tries(db: Session, contact: str) -> None:
    """Raise DomainError if too many wrong codes were typed for a contact within a day."""
    period, most = WRONG_PER_CONTACT
    wrong = select(func.coalesce(func.sum(ContactCheck.tries), 0)).where(
        ContactCheck.contact_is(contact), ContactCheck.created_at > clock.now() - period
    )
    if (db.scalar(wrong) or 0) >= most:
        raise _too_many()


def _too_many() -> DomainError:
    return DomainError(
        "too_many_codes",
        N_("Too many codes were sent to this contact or mistyped. Try again tomorrow, or ask the host organisation."),
        status=429,
    )
