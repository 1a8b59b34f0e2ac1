"""Clashes between the sessions of two offerings in which the same trainee is enrolled."""

from datetime import timedelta

from sqlalchemy.orm import Session

from courses.enrolment import clashes, places
from courses.models.enrolment import EnrolmentSource
from lms.core import clock
from tests.factories import Make

STAFF = EnrolmentSource.STAFF
TOMORROW = timedelta(days=1)


def test_sessions_clash_with_overlapping_ones_of_an_active_enrolment(db: Session, make: Make) -> None:
    start = clock.now() + TOMORROW
    two_days = make.offering(starts=[start, start + TOMORROW], hours=4)
    other = make.offering(starts=[start + timedelta(hours=3)], hours=4)
    after = make.offering(starts=[start + timedelta(hours=4)], hours=2)
    person = make.trainee()
    first = places.enrol(db, two_days.id, person, source=STAFF)
    assert clashes.find_of_enrolment(db, first) == []
    second = places.enrol(db, other.id, person, source=STAFF)
    assert [meeting.id for meeting in clashes.find_of_enrolment(db, first)] == [two_days.sessions[0].id]
    assert clashes.find(db, person.id, after.id) == [after.sessions[0]]
    places.cancel(db, second, "时间冲突")
    assert clashes.find_of_enrolment(db, first) == []
