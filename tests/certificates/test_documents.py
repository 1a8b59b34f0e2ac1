"""Documents of a certificate: which may be made, and what they say."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from certificates import badges, credentials, documents, rendering, revocation
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.payload import digits_of
from lms.core.errors import DomainError
from tests.certificates.test_rendering import text_of
from tests.factories import Make

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


def test_a_refreshers_document_certifies_the_qualification_and_says_what_renewed_it(
    make: Make, branch: Branch, issue: Issue
) -> None:
    make.new_course(certificate_type=9, name_zh="水上救护员", name_en="Water rescuer", hours=16)
    refresher = make.new_course(certificate_type=9, name_zh="水上复训", name_en="Water refresher", refresher=True)
    certificate = issue(course=refresher)
    document = documents.document_of(certificate, branch)
    assert (document.certified, document.certified_hours) == (("水上救护员", "Water rescuer"), 16)
    assert (document.course_zh, document.hours) == ("水上复训", 8)
    assert documents.document_of(issue(), branch).certified_hours == 8
    text = text_of(rendering.render(document))
    assert "16 class hours" in text
    assert "renewed by a refresher of 8 class hours" in text
    assert "水上复训" not in text
    badge = credentials.credential(badges.badge_subject(certificate, branch))
    assert badge["name"] == "水上救护员 Water rescuer"
    assert "16 学时" in badge["credentialSubject"]["achievement"]["criteria"]["narrative"]
