"""Certificates valid on a day: the revoked, the replaced and the expired are not."""

from collections.abc import Callable
from datetime import date, timedelta

from sqlalchemy.orm import Session

from certificates import valid_counts
from certificates.models import Certificate
from lms.core.scope import EVERYTHING, Scope
from tests.certificates.legacy_people import legacy_of
from tests.factories import Make


def test_what_stands_and_has_not_ended_is_valid(db: Session, issue: Callable[..., Certificate]) -> None:
    certificate = issue()
    district = certificate.enrolment.offering.district_id
    last = certificate.valid_until or date.max
    assert valid_counts.count_on(db, last, EVERYTHING).by_district == {district: 1}
    assert valid_counts.count_on(db, last + timedelta(days=1), EVERYTHING).total == 0
    assert valid_counts.count_on(db, last, Scope(district_ids=frozenset({district % 16 + 1}))).total == 0
    certificate.revoked_at, certificate.revoke_reason = certificate.issued_at, "误发"
    db.flush()
    assert valid_counts.count_on(db, last, EVERYTHING).total == 0


def test_legacy_certificates_are_the_citys_to_count(db: Session, legacy_number: str) -> None:
    counts = valid_counts.count_on(db, date(1990, 1, 1), EVERYTHING)
    assert (counts.legacy, counts.total) == (1, 1), legacy_number
    assert valid_counts.count_on(db, date(1990, 1, 1), Scope(district_ids=frozenset({1}))).legacy == 0


def test_a_person_is_counted_once_for_one_qualification(
    db: Session, make: Make, issue: Callable[..., Certificate]
) -> None:
    certificate = issue(course=make.new_course(certificate_type=1))
    holder, day = certificate.enrolment.trainee, certificate.issued_on
    last = certificate.valid_until or date.max
    district = Scope(district_ids=frozenset({certificate.enrolment.offering.district_id}))
    legacy_of(db, holder=holder)
    assert valid_counts.count_on(db, day, EVERYTHING).legacy == 0, "the newer certificate is the one that counts"
    assert valid_counts.count_on(db, last + timedelta(days=1), EVERYTHING).legacy == 1
    legacy_of(db, holder=holder)
    assert valid_counts.count_on(db, last + timedelta(days=1), EVERYTHING).legacy == 1, "two of a type are one"
    legacy_of(db, holder=holder, certificate_type=2)
    legacy_of(db)
    assert valid_counts.count_on(db, day, EVERYTHING).total == 1 + 2
    assert valid_counts.count_on(db, day, district).legacy == 1, "of the people whom the district sees"
    certificate.revoked_at, certificate.revoke_reason = certificate.issued_at, "误发"
    db.flush()
    assert valid_counts.count_on(db, day, EVERYTHING).legacy == 3
