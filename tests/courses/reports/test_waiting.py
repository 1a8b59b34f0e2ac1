"""Waiting lists of open offerings, by the row of the report."""

from datetime import timedelta

from sqlalchemy.orm import Session

from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from courses.reports import waiting
from courses.reports.questions import Grouping
from lms.core import clock
from tests.courses.reports.asking import ask, in_district
from tests.factories import Make


def test_people_waiting_are_those_of_the_offerings(db: Session, make: Make) -> None:
    soon = clock.now() + timedelta(days=5)
    for district, people in ((1, 2), (1, 1), (2, 3)):
        offering = make.offering(starts=[soon], organisation=make.organisation(district), state=OfferingState.PUBLISHED)
        for _ in range(people):
            make.enrolment(offering, make.trainee(), state=EnrolmentState.WAITLISTED)
    by_district = ask(grouping=Grouping.DISTRICT)
    assert dict(waiting.people_waiting(db, by_district)) == {"1": 3, "2": 3}
    assert dict(waiting.people_waiting(db, ask(in_district(2), grouping=Grouping.DISTRICT))) == {"2": 3}
    assert dict(waiting.people_waiting(db, ask(grouping=Grouping.MONTH))) == {"": 6}
    for key, expected in (("1", 3), ("2", 3), (None, 6)):
        offerings = waiting.waiting_offerings(db, by_district.with_key(key))
        assert offerings.total == sum(row.waiting for row in offerings.page.rows) == expected
    assert [row.waiting for row in waiting.waiting_offerings(db, by_district).page.rows] == [3, 2, 1]


def test_offerings_without_a_lead_instructor_have_a_row_of_their_own(db: Session, make: Make) -> None:
    offering = make.offering(starts=[clock.now() + timedelta(days=5)], state=OfferingState.PUBLISHED)
    offering.lead_instructor_id = None
    make.enrolment(offering, make.trainee(), state=EnrolmentState.WAITLISTED)
    db.flush()
    assert dict(waiting.people_waiting(db, ask(grouping=Grouping.INSTRUCTOR))) == {"none": 1}
