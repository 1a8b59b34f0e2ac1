"""Notices to the holder of a legacy certificate that was matched to a person: it was revoked, or its revocation ended."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from certificates import holder_notices, holder_texts
from certificates.holder_texts import RESTORED, REVOKED, HolderMessage
from certificates.legacy.models import LegacyCertificate
from courses.enrolment import recipients
from lms.core import clock
from lms.core.messages import owing
from lms.core.messages.owing import Purpose


def tell_revoked(db: Session, row: LegacyCertificate, contact: str | None) -> None:
    """Tell the holder of a certificate that was revoked at `revoked_at`. contact: whom to ask; None for the printed unit."""
    if row.revoked_at is not None:
        _tell(db, REVOKED, row, row.revoked_at, contact)


def tell_restored(db: Session, row: LegacyCertificate, contact: str | None) -> None:
    """Tell the holder that the revocation of `revoked_at` ends, as `holder_notices.tell_restored` does."""
    moment = row.revoked_at
    if moment is not None and not holder_notices.withdraw_call(db, _key(REVOKED, row, moment)):
        _tell(db, RESTORED, row, moment, contact)


def _tell(db: Session, purpose: Purpose, row: LegacyCertificate, revoked_at: datetime, contact: str | None) -> None:
    trainee = row.trainee
    if trainee is None or trainee.erased_at is not None or row.erased_at is not None:
        return
    message = HolderMessage(
        purpose,
        row.name,
        row.number,
        {"course_zh": row.course, "course_en": row.course},
        row.valid_until,
        ticket="",
        day=clock.branch_today(),
        reason=row.revoke_reason or "",
        contact=contact or row.unit,
    )
    recipient = replace(recipients.of_record(db, trainee), name=row.name)
    owing.owe_many(db, [holder_texts.draft(message, recipient, _key(purpose, row, revoked_at))])


def _key(purpose: Purpose, row: LegacyCertificate, moment: datetime) -> str:
    return f"{purpose.code}:legacy:{row.id}:{moment.timestamp():.6f}"
