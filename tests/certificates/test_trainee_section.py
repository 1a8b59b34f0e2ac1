"""Certificates of a person on the page for staff: within their reach alone."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from certificates.models import Certificate
from certificates.trainee_section import certificates_of
from lms.core.scope import EVERYTHING, Scope


def test_staff_see_the_certificates_of_their_district(db: Session, issue: Callable[..., Certificate]) -> None:
    certificate = issue("张三丰")
    trainee = certificate.enrolment.trainee
    (listed,) = certificates_of(db, trainee, EVERYTHING)
    assert (listed.id, listed.number, listed.state_label) == (certificate.id, certificate.number, "Valid")
    assert len(certificates_of(db, trainee, Scope(district_ids=frozenset({1})))) == 1
    assert certificates_of(db, trainee, Scope(district_ids=frozenset({2}))) == []
