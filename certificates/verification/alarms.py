"""The alarm about a code with our good signature that is not in our records: the key may have leaked."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from certificates.payload import decode
from lms.accounts.models import RoleGrant, User
from lms.accounts.notices import proven_addresses
from lms.core import audit, clock
from lms.core.audit import AuditEntry
from lms.core.errors import N_
from lms.core.languages import translated
from lms.core.messages import owing
from lms.core.messages.owing import Purpose, Recipient
from lms.core.scope import Role

log = structlog.get_logger(__name__)

ACTION = "certificate.alarm"
SHOWN_FOR = timedelta(days=30)  # the day on which the overview begins to count is so many days before today
ALARM = Purpose("certificate_alarm", N_("Alarm: unknown certificate with our signature"))
_SUBJECT = N_("Alarm: a certificate with our signature that we never issued")
_TEXT = N_(
    "Somebody verified a code that key %(key)s signed and that is not in our records (serial %(serial)s, issue day %(day)s)."
    " The key may have leaked.\n\n"
    "Find out who can read the key file. If it leaked, mark the key as compromised: flask keys compromise %(key)s --at MOMENT."
    " Certificates that were recorded before that moment stay valid.\n\nEach such code is in the audit trail."
)


def raise_alarm(db: Session, digits: str) -> None:
    """Report a code of 198 digits: a critical log entry, one audit entry for each code, and a message to each city
    administrator.

    The messages are one for each key and day, because whoever has a key can make any number of codes.
    """
    decoded = decode(digits)
    signed = decoded.payload
    log.critical(
        "certificate_alarm", key_number=signed.key_number, serial=signed.serial, code="signed_but_not_recorded"
    )
    subject = f"payload:{decoded.digest.hex()}"
    if db.scalar(select(AuditEntry.id).where(AuditEntry.subject == subject).limit(1)) is not None:
        return
    audit.record(
        db,
        ACTION,
        subject,
        after={"key": signed.key_number, "serial": signed.serial, "issued_on": signed.issued_on.isoformat()},
        reason="A good signature of a certificate that was never recorded: the key may have leaked.",
    )
    values = {"key": f"qr-{signed.key_number}", "serial": str(signed.serial), "day": signed.issued_on.isoformat()}
    for user in _city_administrators(db):
        owing.owe(
            db,
            ALARM,
            Recipient(f"user:{user.id}", user.name, proven_addresses(user), user.language),
            subject=translated(_SUBJECT, user.language),
            text=translated(_TEXT, user.language) % values,
            parameters={"key": values["key"]},
            key=f"{ALARM.code}:{signed.key_number}:{clock.branch_today().isoformat()}:{user.id}",
        )


def counting(since: datetime) -> Select[Any]:
    """The SELECT that counts the alarms from a moment on."""
    return select(func.count(AuditEntry.id)).where(AuditEntry.action == ACTION, AuditEntry.at >= since)


def _city_administrators(db: Session) -> list[User]:
    statement = (
        select(User)
        .where(User.disabled_at.is_(None), User.grants.any(RoleGrant.role == Role.CITY_ADMINISTRATOR))
        .order_by(User.id)
    )
    return list(db.scalars(statement))
