"""Taking a certificate back."""

from datetime import datetime

from sqlalchemy.orm import Session

from certificates.models import Certificate
from lms.core import audit, clock
from lms.core.errors import N_, DomainError


def revoke(db: Session, certificate: Certificate, reason: str) -> datetime:
    """Revoke a certificate, at once for everybody who verifies it; the moment. The row must be locked by the caller.

    Raises DomainError `already_revoked`: the first reason stands.
    """
    if certificate.revoked_at is not None:
        raise DomainError("already_revoked", N_("This certificate was revoked already."))
    moment = clock.now()
    certificate.revoked_at = moment
    certificate.revoked_by = audit.actor(db)
    certificate.revoke_reason = reason
    audit.record(
        db,
        "certificate.revoke",
        certificate,
        before={"state": "issued"},
        after={"state": "revoked", "number": certificate.number},
        reason=reason,
    )
    db.flush()
    return moment
