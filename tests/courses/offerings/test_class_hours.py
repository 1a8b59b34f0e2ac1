"""The decision about an offering that plans fewer hours than its course."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.models.offerings import Offering
from courses.offerings import class_hours
from courses.offerings.class_hours import HoursDecision, given_hours
from lms.core.errors import DomainError
from tests.courses.planning import DAY, MORNING
from tests.factories import Make


def offering_of(make: Make, *hours: float, **facts: object) -> Offering:
    offering = make.offering(course=make.new_course(**facts), starts=[MORNING + n * DAY for n in range(len(hours))])
    for meeting, length in zip(offering.sessions, hours, strict=True):
        meeting.ends_at = meeting.starts_at + timedelta(hours=length)
    make.db.flush()
    return offering


@pytest.mark.parametrize(
    ("hours", "needed"), [((8.0,), False), ((4.0, 4.0), False), ((9.0,), False), ((4.0, 3.99), True), ((7.5,), True)]
)
def test_the_sessions_together_are_compared_with_the_course(make: Make, hours: tuple[float, ...], needed: bool) -> None:
    offering = offering_of(make, *hours)
    assert class_hours.needs_decision(offering) is needed
    assert class_hours.is_below_course(offering) is needed


def test_a_course_without_a_certificate_prints_no_hours_and_needs_no_decision(make: Make) -> None:
    offering = offering_of(make, 2, certificate_type=None)
    assert class_hours.is_below_course(offering)
    assert not class_hours.needs_decision(offering)
    assert class_hours.decide(offering, HoursDecision("多余的理由")) == {}
    assert offering.hours_reason is None


def test_an_offering_without_sessions_is_not_compared(make: Make) -> None:
    offering = make.offering(starts=[MORNING])
    offering.sessions.clear()
    assert not class_hours.is_below_course(offering)


def test_the_decision_is_the_given_hours_or_a_reason_and_replaces_the_former(make: Make) -> None:
    offering = offering_of(make, 80 / 60)
    with pytest.raises(DomainError) as refused:
        class_hours.decide(offering, None)
    assert (refused.value.code, refused.value.field) == ("fewer_hours", "hours_choice")
    assert class_hours.decide(offering, HoursDecision()) == {"certificate_hours": 1.3}
    for blank in ("", "  \n"):
        with pytest.raises(DomainError) as refused:
            class_hours.decide(offering, HoursDecision(blank))
        assert (refused.value.code, refused.value.field) == ("hours_reason", "hours_reason")
    assert offering.certificate_hours == Decimal("1.3")
    assert class_hours.decide(offering, HoursDecision(" 课间\n连续授课 ")) == {"hours_reason": "课间 连续授课"}
    assert offering.certificate_hours is None
    offering.sessions[0].ends_at = offering.sessions[0].starts_at + timedelta(hours=8)
    assert class_hours.decide(offering, None) == {}
    assert (offering.certificate_hours, offering.hours_reason) == (None, None)


@given(st.integers(0, 60 * 999))
def test_a_certificate_never_states_more_than_was_given(minutes: int) -> None:
    hours = given_hours(minutes)
    assert hours == round(hours, 1)
    assert hours >= Decimal("0.1")
    if minutes >= 6:
        assert hours * 60 <= minutes < (hours + Decimal("0.1")) * 60
