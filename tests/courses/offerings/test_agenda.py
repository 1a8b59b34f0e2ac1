"""The agenda of an instructor: the day in the branch's time zone, and the numbers of trainees."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from courses.models.enrolment import EnrolmentState
from courses.models.offerings import CourseSession, OfferingState
from courses.offerings import agenda
from courses.offerings.agenda import Agenda
from instructors.models import Instructor
from lms.accounts.models import User
from lms.core import clock
from lms.core.scope import Role
from tests.courses.worlds import attend
from tests.factories import Make

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 5, 14, 12, tzinfo=ZONE)


@pytest.fixture
def user(make: Make) -> User:
    return make.user(Role.INSTRUCTOR)


@pytest.fixture
def me(make: Make, user: User) -> Instructor:
    return make.instructor(user=user)


def test_today_begins_and_ends_at_midnight_of_the_branch_s_time_zone(
    db: Session, make: Make, user: User, me: Instructor
) -> None:
    def planned(start: datetime) -> CourseSession:
        return make.offering(lead=me, starts=[start], hours=2).sessions[0]

    early, late = planned(NOON.replace(hour=0)), planned(NOON.replace(hour=22))
    yesterday, before = planned(NOON - timedelta(days=1)), planned(NOON - timedelta(days=30))
    closed = planned(NOON - timedelta(days=2))
    closed.closed_at = NOON - timedelta(days=2)
    tomorrow = planned(NOON.replace(hour=0) + timedelta(days=1))
    make.offering(starts=[NOON])
    db.flush()
    with clock.at(NOON):
        own_agenda = agenda.of_instructor(db, user.id, ZONE)
    assert [entry.meeting.id for entry in own_agenda.today] == [early.id, late.id]
    assert [entry.meeting.id for entry in own_agenda.unclosed] == [before.id, yesterday.id]
    assert [entry.meeting.id for entry in own_agenda.coming] == [tomorrow.id]


def test_a_session_over_midnight_is_one_of_today_s_on_both_days(
    db: Session, make: Make, user: User, me: Instructor
) -> None:
    overnight = make.offering(lead=me, starts=[NOON.replace(hour=22)], hours=4).sessions[0]
    for moment in (NOON, NOON + timedelta(days=1)):
        with clock.at(moment):
            today = agenda.of_instructor(db, user.id, ZONE).today
        assert [entry.meeting.id for entry in today] == [overnight.id]


def test_counts_trainees_with_a_place_and_those_present(db: Session, make: Make, user: User, me: Instructor) -> None:
    offering = make.offering(lead=me, starts=[NOON], hours=2)
    enrolments = [make.enrolment(offering) for _ in range(3)]
    make.enrolment(offering, state=EnrolmentState.WAITLISTED)
    attend(db, enrolments[0], offering.sessions[0])
    with clock.at(NOON):
        [entry] = agenda.of_instructor(db, user.id, ZONE).today
    assert (entry.enrolled, entry.present) == (3, 1)


def test_drafts_and_other_users_have_empty_lists(db: Session, make: Make, user: User, me: Instructor) -> None:
    make.offering(lead=me, starts=[NOON], state=OfferingState.DRAFT)
    with clock.at(NOON):
        assert agenda.of_instructor(db, user.id, ZONE) == Agenda([], [], [])
        assert agenda.of_instructor(db, make.user().id, ZONE) == Agenda([], [], [])
