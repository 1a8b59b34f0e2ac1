"""Offerings as the public sees them: only open ones in the list, and their free places."""

from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from courses.offerings import public_listings
from courses.offerings.public_listings import PublicFilters
from lms.core import clock
from lms.core.errors import NotFound
from tests.courses.planning import DAY, HOUR, MORNING, ZONE
from tests.factories import Make


def test_lists_coming_published_offerings_soonest_first(db: Session, make: Make) -> None:
    later, sooner = make.offering(starts=[MORNING + DAY]), make.offering(starts=[MORNING])
    make.offering(starts=[MORNING], state=OfferingState.DRAFT)
    make.offering(starts=[MORNING], by_invitation=True)
    make.offering(starts=[clock.now() - timedelta(minutes=1), MORNING])
    page = public_listings.list_open(db, PublicFilters(), zone=ZONE)
    assert [offering.id for offering in page.rows] == [sooner.id, later.id]
    assert (page.total, page.pages) == (2, 1)


def test_filters_by_programme_district_and_day(db: Session, make: Make) -> None:
    match = make.offering(
        course=make.new_course(programme_code="RESCUE"),
        organisation=make.organisation(3),
        starts=[MORNING, MORNING + DAY],
    )
    make.offering(starts=[MORNING + 7 * DAY])
    for filters in (
        PublicFilters(programme_code="RESCUE"),
        PublicFilters(district_id=3),
        PublicFilters(first_day=date(2030, 5, 5), last_day=date(2030, 5, 5)),
    ):
        page = public_listings.list_open(db, filters, zone=ZONE)
        assert [offering.id for offering in page.rows] == [match.id], filters


def test_an_offering_has_its_free_places_and_its_sessions_in_order(db: Session, make: Make) -> None:
    offering = make.offering(starts=[MORNING + DAY, MORNING], hours=2, capacity=2)
    make.enrolment(offering)
    make.enrolment(offering, state=EnrolmentState.CANCELLED)
    public = public_listings.get_public(db, offering.id)
    assert (public.free, public.waiting, public.takes_enrolments) == (1, 0, True)
    assert [(meeting.starts_at, meeting.ends_at) for meeting in public.meetings] == [
        (MORNING, MORNING + 2 * HOUR),
        (MORNING + DAY, MORNING + DAY + 2 * HOUR),
    ]


def test_never_shows_fewer_than_no_free_places(db: Session, make: Make) -> None:
    offering = make.offering(starts=[MORNING], capacity=1)
    for _ in range(2):
        make.enrolment(offering)
    make.enrolment(offering, state=EnrolmentState.WAITLISTED)
    public = public_listings.get_public(db, offering.id)
    assert (public.free, public.waiting) == (0, 1)


def test_an_offering_that_has_begun_takes_no_enrolments(db: Session, make: Make) -> None:
    public = public_listings.get_public(db, make.offering().id)
    assert public.has_begun
    assert not public.takes_enrolments


def test_drafts_and_offerings_by_invitation_are_not_found(db: Session, make: Make) -> None:
    for offering in (make.offering(state=OfferingState.DRAFT), make.offering(by_invitation=True)):
        with pytest.raises(NotFound):
            public_listings.get_public(db, offering.id)
