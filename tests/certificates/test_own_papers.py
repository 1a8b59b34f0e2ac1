"""Papers of the people whose records a contact opens."""

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import own_papers
from certificates.legacy.models import LegacyCertificate, Match
from certificates.models import Certificate
from courses.enrolment.contact_records import OpenedRecords
from courses.models.enrolment import EnrolmentState
from lms.core import clock
from tests.certificates.conftest import closed_offering, owe
from tests.factories import Make

ZONE = ZoneInfo("Asia/Shanghai")
Issue = Callable[..., Certificate]


def test_a_person_has_certificates_and_tickets_with_the_way_to_each(db: Session, make: Make, issue: Issue) -> None:
    certificate = issue("张三丰")
    trainee = certificate.enrolment.trainee
    coming = make.enrolment(make.offering(starts=[clock.now() + timedelta(days=3)]), trainee)
    make.enrolment(make.offering(), trainee, EnrolmentState.CANCELLED)
    issue("别人")
    (person,) = own_papers.of_records(db, OpenedRecords(frozenset({trainee.id})), zone=ZONE)
    assert person.name == "张三丰"
    assert [(each.held.number, each.ticket) for each in person.certificates] == [
        (certificate.number, certificate.enrolment.ticket)
    ]
    assert person.enrolments == [coming]


def test_a_single_class_shows_no_other_certificate_of_the_person(db: Session, make: Make, issue: Issue) -> None:
    certificate = issue("张三丰")
    trainee = certificate.enrolment.trainee
    owed = make.enrolment(closed_offering(make), trainee, EnrolmentState.COMPLETED, certificate_due=True)
    (person,) = own_papers.of_records(db, OpenedRecords(enrolment_ids=frozenset({owed.id})), zone=ZONE)
    assert (person.certificates, person.enrolments) == ([], [owed])
    (person,) = own_papers.of_records(db, OpenedRecords(enrolment_ids=frozenset({certificate.enrolment_id})), zone=ZONE)
    assert ([each.held.number for each in person.certificates], person.enrolments) == ([certificate.number], [])


def test_a_family_with_one_phone_is_shown_person_by_person(db: Session, make: Make) -> None:
    offering = closed_offering(make)
    rows = [owe(make, offering, name) for name in ("李强", "李刚")]
    people = own_papers.of_records(db, OpenedRecords(frozenset(row.trainee_id for row in rows)), zone=ZONE)
    assert [person.name for person in people] == ["李刚", "李强"]
    assert own_papers.of_records(db, OpenedRecords(), zone=ZONE) == []


def test_legacy_certificates_are_shown_where_the_whole_record_is_open(
    db: Session, make: Make, issue: Issue, legacy_number: str
) -> None:
    trainee = make.trainee("张三丰")
    row = db.scalars(select(LegacyCertificate)).one()
    row.trainee_id, row.matched_how, row.matched_at = trainee.id, Match.BY_HAND, clock.now()
    db.flush()
    (person,) = own_papers.of_records(db, OpenedRecords(frozenset({trainee.id})), zone=ZONE)
    assert ([each.number for each in person.legacy], person.certificates, person.enrolments) == (
        [legacy_number],
        [],
        [],
    )
    given = owe(make, closed_offering(make))
    given.trainee_id = trainee.id
    db.flush()
    (person,) = own_papers.of_records(db, OpenedRecords(enrolment_ids=frozenset({given.id})), zone=ZONE)
    assert person.legacy == []
    row.superseded_by_id = issue("张三丰").id
    db.flush()
    assert not own_papers.of_records(db, OpenedRecords(frozenset({make.trainee().id})), zone=ZONE)
    (person,) = own_papers.of_records(db, OpenedRecords(frozenset({trainee.id})), zone=ZONE)
    assert person.legacy == []
