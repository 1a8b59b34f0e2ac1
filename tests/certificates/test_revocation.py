"""Revocation and its undoing: the row holds the present state, the audit trail each past one."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import revocation
from certificates.events import StatusChanged
from certificates.models import Certificate
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError


def test_a_certificate_is_revoked_once_and_the_first_reason_stays(
    db: Session, issue: Callable[..., Certificate]
) -> None:
    certificate = issue()
    db.info.pop("events", None)
    moment = revocation.revoke(db, certificate, "伪造成绩")
    assert (certificate.revoked_at, certificate.revoke_reason) == (moment, "伪造成绩")
    assert db.info["events"] == [StatusChanged()]
    with pytest.raises(DomainError) as refused:
        revocation.revoke(db, certificate, "again")
    assert refused.value.code == "already_revoked"
    assert certificate.revoke_reason == "伪造成绩"


def test_restoring_clears_the_row_and_keeps_what_it_said_in_the_audit_trail(
    db: Session, issue: Callable[..., Certificate]
) -> None:
    certificate = issue()
    with pytest.raises(DomainError) as refused:
        revocation.restore(db, certificate, "never revoked")
    assert refused.value.code == "not_revoked"
    moment = revocation.revoke(db, certificate, "误发")
    revocation.restore(db, certificate, "核对无误")
    assert (certificate.revoked_at, certificate.revoked_by, certificate.revoke_reason) == (None, None, None)
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "certificate.restore")).one()
    assert entry.reason == "核对无误"
    assert entry.before is not None
    assert (entry.before["revoked_at"], entry.before["revoke_reason"]) == (moment.isoformat(), "误发")
