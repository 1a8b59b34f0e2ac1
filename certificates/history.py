"""History of a certificate: the entries of the audit trail about it, signed and legacy certificates alike."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.legacy.models import LegacyCertificate
from certificates.models import Certificate
from lms.accounts.models import User
from lms.core.audit import AuditEntry


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An entry of a certificate's history. `action` is a code of the audit trail; `user` is None for the system itself."""

    at: datetime
    action: str
    user: str | None
    reason: str | None


def of_certificate(db: Session, certificate: Certificate) -> list[HistoryEntry]:
    """Return all acts on a certificate, oldest first: issued, corrected, renewed, revoked, restored, shared."""
    return _of_subject(db, f"certificate:{certificate.id}")


def of_legacy_certificate(db: Session, certificate: LegacyCertificate) -> list[HistoryEntry]:
    """Return all acts on a legacy certificate since its import, oldest first: revoked, restored."""
    return _of_subject(db, f"legacy_certificate:{certificate.id}")


def _of_subject(db: Session, subject: str) -> list[HistoryEntry]:
    statement = (
        select(AuditEntry.at, AuditEntry.action, User.name, AuditEntry.reason)
        .join(User, User.id == AuditEntry.user_id, isouter=True)
        .where(AuditEntry.subject == subject)
        .order_by(AuditEntry.at, AuditEntry.id)
    )
    return [HistoryEntry(row.at, row.action, row.name, row.reason) for row in db.execute(statement)]
