"""The right to correct what is closed: administrators always, a lead instructor for seven days after the closing."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from courses.models.offerings import Offering, OfferingState
from courses.offerings.rights import LEAD_CORRECTION_PERIOD, correction_denied, may_correct
from lms.accounts.models import User
from lms.core.scope import EVERYTHING, Role, Scope
from tests.factories import Make

CLOSED_AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
SOON = CLOSED_AT + timedelta(days=1)
LATE = CLOSED_AT + LEAD_CORRECTION_PERIOD + timedelta(seconds=1)


@pytest.fixture
def lead(make: Make) -> User:
    return make.user(Role.INSTRUCTOR)


@pytest.fixture
def offering(make: Make, lead: User) -> Offering:
    """A closed offering of district 1 with two sessions, led by the lead."""
    return make.offering(
        organisation=make.organisation(1),
        lead=make.instructor(user=lead),
        starts=[CLOSED_AT - timedelta(days=2), CLOSED_AT - timedelta(days=1)],
        state=OfferingState.CLOSED,
        closed_at=CLOSED_AT,
        counted_on=date(2026, 5, 3),
    )


def test_administrators_of_the_city_and_of_the_district_may_at_any_time(offering: Offering) -> None:
    assert may_correct(offering, EVERYTHING, now=LATE)
    assert may_correct(offering, Scope(district_ids=frozenset({1})), now=LATE)
    assert not may_correct(offering, Scope(district_ids=frozenset({2})), now=SOON)
    assert not may_correct(offering, Scope(everything=True, read_only=True), now=SOON)


def test_the_lead_may_for_seven_days(offering: Offering, lead: User) -> None:
    scope = Scope(instructor_user_id=lead.id)
    assert may_correct(offering, scope, now=CLOSED_AT + LEAD_CORRECTION_PERIOD)
    assert not may_correct(offering, scope, now=LATE)


def test_an_assistant_may_not(db: Session, make: Make, offering: Offering) -> None:
    assistant = make.user(Role.INSTRUCTOR)
    make.session(offering, CLOSED_AT - timedelta(days=3), assistants=[make.instructor(user=assistant)])
    db.refresh(offering)
    assert not may_correct(offering, Scope(instructor_user_id=assistant.id), now=SOON)


def test_the_lead_of_one_session_may_correct_the_offering_and_that_session(
    db: Session, make: Make, offering: Offering
) -> None:
    other_lead = make.user(Role.INSTRUCTOR)
    own = make.session(offering, CLOSED_AT - timedelta(days=3), lead=make.instructor(user=other_lead))
    db.refresh(offering)
    scope = Scope(instructor_user_id=other_lead.id)
    assert may_correct(offering, scope, now=SOON)
    assert may_correct(offering, scope, now=SOON, meeting=own)
    assert not may_correct(offering, scope, now=SOON, meeting=offering.sessions[-1])


def test_a_session_s_own_closing_starts_its_seven_days(db: Session, offering: Offering, lead: User) -> None:
    meeting = offering.sessions[0]
    meeting.closed_at = CLOSED_AT - timedelta(days=2)
    db.flush()
    scope = Scope(instructor_user_id=lead.id)
    assert not may_correct(offering, scope, now=CLOSED_AT + timedelta(days=6), meeting=meeting)
    assert may_correct(offering, scope, now=CLOSED_AT + timedelta(days=6), meeting=offering.sessions[1])


def test_the_refusal_has_a_code() -> None:
    assert correction_denied().code == "correction_denied"
