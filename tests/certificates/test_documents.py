"""Documents of a certificate: which may be made, and what they say."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from certificates import documents, revocation
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.payload import digits_of
from lms.core.errors import DomainError

Issue = Callable[..., Certificate]


def test_the_document_says_what_was_stored_at_issuing(db: Session, branch: Branch, issue: Issue) -> None:
    certificate = issue("张三丰")
    course = certificate.enrolment.offering.course
    name = course.name_zh
    course.name_zh = "改名的课程"
    db.flush()
    document = documents.document_of(certificate, branch)
    assert (document.holder, document.number, document.course_zh) == ("张三丰", certificate.number, name)
    assert document.hours == Decimal(certificate.facts["hours"])
    assert document.address_prefix + document.digits == f"{branch.public_url}/v/{digits_of(certificate.payload)}"
    assert document.verify_address == f"{branch.public_url}/verify"


def test_the_bytes_are_the_same_each_time(branch: Branch, issue: Issue) -> None:
    certificate = issue()
    pdf = documents.pdf(certificate, branch)
    assert pdf.startswith(b"%PDF")
    assert documents.pdf(certificate, branch) == pdf
    assert documents.preview(certificate, branch).startswith(b"\x89PNG")


def test_a_revoked_and_a_superseded_certificate_are_not_printed(db: Session, branch: Branch, issue: Issue) -> None:
    revoked, superseded = issue("张三丰"), issue("李四")
    assert documents.is_printable(revoked)
    revocation.revoke(db, revoked, "误发")
    superseded.superseded_by_id = revoked.id
    db.flush()
    for certificate in (revoked, superseded):
        assert not documents.is_printable(certificate)
        for make in (documents.pdf, documents.preview):
            with pytest.raises(DomainError) as refused:
                make(certificate, branch)
            assert refused.value.code == "certificate_not_printed"
