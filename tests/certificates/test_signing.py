"""Signing of drafts: order, numbers, codes, and what a replacement does to the old certificate."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import ledger, signing
from certificates.branch import Branch
from certificates.models import Certificate, LedgerEntry
from certificates.payload import decode, digits_of, name_matches
from certificates.signing import Draft
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from tests.certificates.conftest import closed_offering, owe
from tests.factories import Make


def draft(enrolment_id: int, holder: str, **facts: object) -> Draft:
    values: dict[str, object] = {
        "short_code": "FR",
        "certificate_type": 1,
        "unit": 3,
        "valid_until": clock.branch_today() + timedelta(days=100),
        "facts": {"course_zh": "救护员", "course_en": "First responder"},
    }
    return Draft(enrolment_id=enrolment_id, holder=holder, **(values | facts))  # type: ignore[arg-type]


def test_drafts_become_certificates_in_their_order(db: Session, make: Make, branch: Branch) -> None:
    offering = closed_offering(make)
    names = ("张三丰", "李四", "王五")
    drafts = [draft(owe(make, offering, name).id, name) for name in names]
    signer = signing.lock_key(db, branch)
    issued = signing.sign_and_insert(db, branch, signer, drafts)
    signing.record_in_ledger(db, issued)
    rows = db.scalars(select(Certificate).order_by(Certificate.id)).all()
    assert [row.holder_name for row in rows] == list(names)
    assert [row.serial for row in rows] == sorted(row.serial for row in rows)
    for row in rows:
        payload = decode(digits_of(row.payload)).payload
        assert (payload.serial, payload.unit, payload.issued_on) == (row.serial, 3, signer.day)
        assert name_matches(payload, row.holder_name)
        assert row.number == branch.scheme.compose("FR", signer.day.year, row.serial)
    entries = db.scalars(select(LedgerEntry.certificate_id).order_by(LedgerEntry.seq)).all()
    assert entries == [row.id for row in rows]
    assert list(ledger.check(db, names=True)) == []


def test_a_replacement_supersedes_the_old_certificate_and_names_who_asked(
    db: Session, make: Make, branch: Branch, issue: Callable[..., Certificate]
) -> None:
    old, user = issue("张三风"), make.user()
    replacement = draft(old.enrolment_id, "张三丰", replaces_id=old.id, reason="错字", asked_by=user.id)
    issued = signing.sign_and_insert(db, branch, signing.lock_key(db, branch), [replacement])
    signing.record_in_ledger(db, issued)
    db.refresh(old)
    [new] = issued
    assert old.superseded_by_id == new.id
    entry = db.scalars(select(AuditEntry).where(AuditEntry.subject == f"certificate:{new.id}")).one()
    assert (entry.action, entry.user_id, entry.reason) == ("certificate.issue", user.id, "错字")


def test_without_the_private_key_nothing_is_locked(db: Session, branch: Branch) -> None:
    (branch.keys_dir / "signing" / "qr-1.pem").unlink()
    with pytest.raises(DomainError) as refused:
        signing.lock_key(db, branch)
    assert refused.value.code == "signing_key_missing"
