"""Revocation of a certificate, and its undoing (`restore`).

The row holds the present state; each past revocation with its reason stays in the audit trail, which is append-only.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from certificates import holder_notices
from certificates.events import StatusChanged
from certificates.models import Certificate
from lms.core import audit, clock, events
from lms.core.errors import N_, DomainError


def revoke(db: Session, certificate: Certificate, reason: str, *, contact: str | None = None) -> datetime:
    """Revoke a certificate and return the moment. Everybody who verifies it sees that at once.

    The holder is told, with the reason. contact: whom the holder asks; None for the host of the training. The caller has
    locked the row. Raises DomainError `already_revoked`: the first reason stays.
    """
    if certificate.revoked_at is not None:
        raise DomainError("already_revoked", N_("This certificate has already been revoked."))
    moment = clock.now()
    certificate.revoked_at = moment
    certificate.revoked_by = audit.actor(db)
    certificate.revoke_reason = reason
    audit.record(
        db,
        "certificate.revoke",
        certificate,
        before={"state": "issued"},
        after={"state": "revoked", "number": certificate.number, "revoked_at": moment.isoformat()},
        reason=reason,
    )
    holder_notices.tell_revoked(db, certificate, contact)
    db.flush()
    events.publish(db, StatusChanged())
    return moment


def restore(db: Session, certificate: Certificate, reason: str, *, contact: str | None = None) -> None:
    """Undo a revocation. Everybody who verifies the certificate sees that at once.

    The holder is told. contact: as in `revoke`. The caller has locked the row. The audit trail gets a copy of what the row
    said. Raises DomainError `not_revoked`.
    """
    if certificate.revoked_at is None:
        raise DomainError("not_revoked", N_("This certificate is not revoked."))
    audit.record(
        db,
        "certificate.restore",
        certificate,
        before={
            "state": "revoked",
            "revoked_at": certificate.revoked_at.isoformat(),
            "revoked_by": certificate.revoked_by,
            "revoke_reason": certificate.revoke_reason,
        },
        after={"state": "issued", "number": certificate.number},
        reason=reason,
    )
    holder_notices.tell_restored(db, certificate, contact)
    certificate.revoked_at = certificate.revoked_by = certificate.revoke_reason = None
    db.flush()
    events.publish(db, StatusChanged())
