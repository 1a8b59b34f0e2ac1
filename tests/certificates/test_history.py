"""History of a certificate from the audit trail: its own acts, oldest first."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import history, revocation
from certificates.legacy import legacy
from certificates.legacy.models import LegacyCertificate
from certificates.models import Certificate


def test_the_acts_on_a_certificate_come_oldest_first_and_those_on_another_do_not(
    db: Session, issue: Callable[..., Certificate]
) -> None:
    certificate, other = issue("张三丰"), issue("李四")
    revocation.revoke(db, certificate, "误发")
    revocation.restore(db, certificate, "核对无误")
    revocation.revoke(db, other, "伪造")
    entries = history.of_certificate(db, certificate)
    assert [entry.action for entry in entries] == ["certificate.issue", "certificate.revoke", "certificate.restore"]
    assert [entry.reason for entry in entries] == [None, "误发", "核对无误"]
    assert {entry.user for entry in entries} == {None}


def test_a_legacy_certificate_has_a_history_of_its_own(db: Session, legacy_number: str) -> None:
    certificate = db.scalars(select(LegacyCertificate)).one()
    assert history.of_legacy_certificate(db, certificate) == []
    legacy.revoke(db, legacy_number, "伪造档案")
    [entry] = history.of_legacy_certificate(db, certificate)
    assert (entry.action, entry.reason) == ("certificate.revoke", "伪造档案")
