"""The numbers of an offering's places: an offered place is taken, and whoever it is offered to waits no longer."""

from datetime import timedelta

from sqlalchemy.orm import Session

from courses.enrolment.place_counts import PlaceCounts, count_places
from courses.models.enrolment import EnrolmentState
from lms.core import clock
from tests.factories import Make


def test_an_offered_place_is_taken(db: Session, make: Make) -> None:
    offering = make.offering(capacity=4)
    make.enrolment(offering)
    make.enrolment(offering, None, EnrolmentState.CANCELLED)
    make.enrolment(offering, None, EnrolmentState.WAITLISTED, offered_until=clock.now() + timedelta(hours=1))
    assert count_places(db, offering) == PlaceCounts(capacity=4, taken=2, waiting=0, offered=1)
    assert count_places(db, offering).free == 2
    make.enrolment(offering, None, EnrolmentState.WAITLISTED)
    assert count_places(db, offering).free == 0
