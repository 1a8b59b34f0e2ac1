"""Teaching hours by role and year, from the check-ins of the instructors themselves."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.models.offerings import OfferingState, SessionInstructor, TeachingRole
from courses.offerings import teaching_hours
from courses.offerings.teaching_hours import TeachingHours
from lms.core.scope import Role

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 5, 4, 1, tzinfo=UTC)
NOW = datetime(2026, 12, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def teacher(make):
    return make.instructor(name="王老师")


def make_session(make, teacher, came=None, left=None, *, start=START, role=TeachingRole.LEAD, **facts):
    """A session of four hours. `came` and `left` are the minutes from its start to the check-in and the check-out."""
    offering = make.offering(starts=[start], hours=4, **facts)
    meeting = offering.sessions[0]
    make.db.add(
        SessionInstructor(
            course_session_id=meeting.id, instructor_id=teacher.id, role=TeachingRole.EXAMINER, during=meeting.during,
            active=False,
        )
    )  # fmt: skip
    make.db.flush()
    row = make.db.get(SessionInstructor, (meeting.id, teacher.id))
    if role == TeachingRole.LEAD:
        make.db.delete(meeting.instructors[0])
        make.db.flush()
    row.role = role
    row.arrived_at = None if came is None else start + came * MINUTE
    row.left_at = None if left is None else start + left * MINUTE
    make.db.flush()
    return offering


def hours(make, teacher, now=NOW):
    return teaching_hours.of_instructor(make.db, teacher.id, ZONE, now)


@given(st.integers(-60, 300), st.none() | st.integers(0, 400))
def test_minutes_are_those_within_the_session_and_to_its_end_without_a_check_out(make, came, left):
    teacher = make.instructor()
    left = None if left is None else max(came, left)
    make_session(make, teacher, came, left)
    expected = max(0, (240 if left is None else min(left, 240)) - max(came, 0))
    assert hours(make, teacher) == [TeachingHours(2026, TeachingRole.LEAD, 1, expected, 0)]


def test_roles_and_years_are_separate_and_a_session_without_check_in_has_no_minutes(make, teacher):
    day = timedelta(days=1)
    make_session(make, teacher, 0)
    make_session(make, teacher, None, start=START + day)
    make_session(make, teacher, 0, 60, start=START + 2 * day, role=TeachingRole.ASSISTANT)
    make_session(make, teacher, 0, 30, start=START + 3 * day, role=TeachingRole.EXAMINER)
    # 00:30 on 1 January in Beijing is still December in UTC.
    make_session(make, teacher, 0, start=datetime(2025, 12, 31, 16, 30, tzinfo=UTC))
    make_session(make, teacher, 0, start=datetime(2025, 12, 31, 10, tzinfo=UTC))
    assert hours(make, teacher) == [
        TeachingHours(2026, TeachingRole.LEAD, 2, 480, 1),
        TeachingHours(2026, TeachingRole.ASSISTANT, 1, 60, 0),
        TeachingHours(2026, TeachingRole.EXAMINER, 1, 30, 0),
        TeachingHours(2025, TeachingRole.LEAD, 1, 240, 0),
    ]


def test_unfinished_sessions_and_drafts_do_not_count(make, teacher):
    make_session(make, teacher, 0, start=START, state=OfferingState.DRAFT)
    make_session(make, teacher, 0, start=START + timedelta(days=1))
    assert hours(make, teacher, now=START + timedelta(days=1, hours=2)) == []


def test_the_pages_show_hours_and_the_rule(make, sign_in):
    user = make.user(Role.INSTRUCTOR)
    teacher = make.instructor(user=user)
    make_session(make, teacher, 0, 90, start=datetime(2025, 5, 4, 1, tzinfo=UTC))
    make.db.commit()
    for browser, path in (
        (sign_in(user), "/today/teaching-hours"),
        (sign_in(make.user(Role.CITY_ADMINISTRATOR)), f"/instructors/{teacher.id}/teaching-hours"),
    ):
        page = browser.get(path)
        assert page.status_code == 200
        assert "1.5" in page.text
        assert "未签到" in page.text
    stranger = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2))
    assert stranger.get(f"/instructors/{teacher.id}/teaching-hours").status_code == 404
