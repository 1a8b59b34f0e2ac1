"""Lateness and minutes, against the sum that SQL makes and against the course's rule."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from courses.assessment.entitlement import Shortfall
from courses.attendance import punctuality
from courses.closing import judging
from courses.counting.person_time import attended_minutes
from courses.models.attendance import Attendance
from courses.models.catalogue import AttendanceRule
from courses.models.offerings import CourseSession
from tests.courses.worlds import SESSION_MINUTES, attend

START = datetime(2026, 5, 4, 1, tzinfo=UTC)
END = START + timedelta(minutes=SESSION_MINUTES)


def held(came, left=None):
    return punctuality.measure(START, END, START + timedelta(minutes=came), left and START + timedelta(minutes=left))


@pytest.mark.parametrize(
    ("came", "left", "late", "early", "minutes"),
    [
        (0, None, 0, 0, 180),
        (-20, 200, 0, 0, 180),
        (10, 170, 0, 0, 160),
        (11, 169, 11, 11, 158),
        (60, 90, 60, 90, 30),
        (185, None, 0, 0, 180),
    ],
)
def test_lateness_and_early_leaving_count_beyond_the_grace(came, left, late, early, minutes):
    found = held(came, left)
    assert (found.late, found.early, found.minutes) == (late, early, minutes)


@given(st.integers(-40, 240), st.none() | st.integers(1, 300))
def test_nobody_attends_more_than_the_session_and_times_explain_the_minutes(came, left):
    left = None if left is None else max(came, left)
    found = held(came, left)
    assert 0 <= found.minutes <= SESSION_MINUTES
    assert found.minutes >= SESSION_MINUTES - 20 - found.late - found.early


PRESENCES = st.lists(
    st.tuples(st.integers(-20, 220), st.none() | st.integers(0, 300)).map(
        lambda pair: (pair[0], None if pair[1] is None else max(pair))
    ),
    min_size=1,
    max_size=6,
)


@given(PRESENCES)
def test_the_minutes_are_those_that_are_counted(db, make, presences):
    offering = make.offering(starts=[START], hours=SESSION_MINUTES / 60)
    for came, left in presences:
        attend(db, make.enrolment(offering), offering.sessions[0], came, left)
    rows = db.execute(
        select(Attendance.arrived_at, Attendance.left_at, attended_minutes())
        .join(CourseSession, CourseSession.id == Attendance.course_session_id)
        .where(CourseSession.offering_id == offering.id)
    ).all()
    assert len(rows) == len(presences)
    for arrived_at, left_at, counted in rows:
        assert punctuality.measure(START, END, arrived_at, left_at).minutes == counted


def test_who_left_too_early_is_told_how_many_minutes_were_needed(db, make):
    course = make.new_course(skills=0, pass_mark=None, minutes_share=90, attendance_rule=AttendanceRule.SHARE)
    offering = make.offering(course=course, starts=[START], hours=4)
    stayed, left = make.enrolment(offering), make.enrolment(offering)
    attend(db, stayed, offering.sessions[0], came=5, left=230)
    attend(db, left, offering.sessions[0], came=0, left=210)
    judged = {one.enrolment.id: one for one in judging.judgements(db, offering.id)}
    assert judged[stayed.id].verdict.certificate_due
    short = judged[left.id]
    assert short.verdict.shortfalls == (Shortfall.MINUTES_MISSING,)
    assert (short.minutes, short.demand.minutes_planned, short.demand.minutes_needed) == (210, 240, 216)


def test_without_the_rule_no_minutes_are_missing(db, make):
    offering = make.offering(course=make.new_course(skills=0, pass_mark=None), starts=[START], hours=4)
    enrolment = make.enrolment(offering)
    attend(db, enrolment, offering.sessions[0], came=0, left=1)
    (judged,) = judging.judgements(db, offering.id)
    assert judged.verdict.certificate_due
