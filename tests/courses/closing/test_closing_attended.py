"""The class judged by what was attended: over the plan as it is when the offering closes."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from courses.closing import closing, correction
from courses.counting import person_time
from courses.models.catalogue import AttendanceRule
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from courses.offerings import offerings
from courses.offerings.class_hours import HoursDecision
from courses.offerings.scheduling import SessionPlan
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.scope import EVERYTHING
from tests.courses.closing.confirming import CONFIRMED
from tests.courses.closing.steps import ZONE, attends, loaded, refusal, two_sessions
from tests.courses.planning import changed

HOUR = timedelta(hours=1)


def closed(db, offering):
    """Close all sessions of an offering, one after the other."""
    for number in range(len(offering.sessions)):
        closing.close(db, loaded(db, offering, number), zone=ZONE, **CONFIRMED)


def states(rows):
    return [(row.state, row.certificate_due, row.shortfalls) for row in rows]


COMPLETE = (EnrolmentState.COMPLETED, True, [])
HALF = (EnrolmentState.INCOMPLETE, False, ["sessions_missing"])


def test_four_people_who_missed_half_of_a_class_of_two_sessions_are_not_certified(db, make):
    offering = two_sessions(make)
    first, second = offering.sessions
    both, *four = (make.enrolment(offering) for _ in range(5))
    attends(db, both, first)
    attends(db, both, second)
    for number, row in enumerate(four):
        attends(db, row, (first, second)[number % 2])
    closed(db, offering)
    assert states([both, *four]) == [COMPLETE] + [HALF] * 4
    totals = person_time.total(db, offering.id)
    assert (totals.enrolled, totals.named, totals.passed) == (5, 5, 1)  # each of the four took part: a person-time
    assert person_time.ledger_total(db, offering.id) == totals


@pytest.mark.parametrize(("share", "half"), [(50, COMPLETE), (51, (*HALF[:2], ["minutes_missing"]))])
def test_a_share_is_of_all_minutes_that_the_offering_planned(db, make, share, half):
    offering = two_sessions(make, attendance_rule=AttendanceRule.SHARE, minutes_share=share)
    both, one = make.enrolment(offering), make.enrolment(offering)
    for meeting in offering.sessions:
        attends(db, both, meeting, late=5)
    attends(db, one, offering.sessions[0])
    closed(db, offering)
    assert states([both, one]) == [COMPLETE, half]


def test_what_is_needed_follows_when_a_class_is_split_and_merged_after_enrolment(db, make):
    now = clock.now().replace(second=0, microsecond=0)
    course = make.new_course(pass_mark=None, skills=0, hours=Decimal(4))
    offering = make.offering(course=course, starts=[now - 5 * HOUR], hours=4)
    morning, whole = make.enrolment(offering), make.enrolment(offering)
    split = (
        SessionPlan(now - 5 * HOUR, now - 3 * HOUR, session_id=offering.sessions[0].id),
        SessionPlan(now - 3 * HOUR, now - HOUR),
    )
    changed(db, offering, replace(offerings.current_plan(offering), sessions=split))
    for row in (morning, whole):
        attends(db, row, offering.sessions[0])
    outlook = closing.outlook(db, loaded(db, offering, 1))
    assert (outlook.requirements.sessions_needed, outlook.requirements.minutes_planned) == (2, 240)
    merged = SessionPlan(now - 5 * HOUR, now - HOUR, session_id=offering.sessions[0].id)
    changed(db, offering, replace(offerings.current_plan(offering), sessions=(merged,)))
    requirements = closing.outlook(db, loaded(db, offering)).requirements
    assert (requirements.sessions_needed, requirements.minutes_planned) == (1, 240)
    split_again = (replace(split[0], session_id=offering.sessions[0].id), split[1])
    changed(db, offering, replace(offerings.current_plan(offering), sessions=split_again))
    attends(db, whole, offering.sessions[1])
    closed(db, offering)
    assert states([whole, morning]) == [COMPLETE, HALF]


def test_a_session_that_is_cancelled_later_counts_nothing_and_the_offering_can_close(db, make):
    offering = two_sessions(make)
    row = make.enrolment(offering)
    attends(db, row, offering.sessions[0])
    closing.close(db, loaded(db, offering), zone=ZONE)
    assert not closing.may_close(loaded(db, offering))
    kept = offerings.current_plan(offering).sessions[:1]
    changed(db, offering, replace(offerings.current_plan(offering), sessions=kept))
    meeting = loaded(db, offering)
    before = meeting.closed_at
    assert closing.may_close(meeting)
    outlook = closing.outlook(db, meeting)
    assert (outlook.last, outlook.requirements.minutes_planned, outlook.hours_undecided) == (True, 120, True)
    assert refusal(closing.close, db, meeting, zone=ZONE) == "fewer_hours"
    closing.close(db, meeting, zone=ZONE, hours=HoursDecision())
    assert (offering.state, offering.certificate_hours, meeting.closed_at) == (OfferingState.CLOSED, 2, before)
    assert states([row]) == [COMPLETE]
    assert not closing.may_close(meeting)


def test_a_correction_judges_by_the_same_rule(db, make):
    offering = two_sessions(make)
    row = make.enrolment(offering)
    for meeting in offering.sessions:
        attends(db, row, meeting)
    closed(db, offering)
    facts = {"headcount": 0, "reason": "核对签到表", "scope": EVERYTHING, "zone": ZONE}
    correction.correct_session(db, loaded(db, offering, 1), present={row.id: False}, now=clock.now(), **facts)
    assert states([row]) == [HALF]
    correction.correct_session(db, loaded(db, offering, 1), present={row.id: True}, now=clock.now(), **facts)
    assert states([row]) == [COMPLETE]


def test_closing_before_the_planned_end_asks(db, make):
    course = make.new_course(pass_mark=None, skills=0, hours=Decimal(3))
    offering = make.offering(course=course, starts=[clock.now() - HOUR], hours=3)
    row = make.enrolment(offering)
    attends(db, row, offering.sessions[0])
    meeting = loaded(db, offering)
    assert closing.outlook(db, meeting).before_end
    assert refusal(closing.close, db, meeting, zone=ZONE) == "before_end"
    assert (meeting.closed_at, offering.state) == (None, OfferingState.PUBLISHED)
    closing.close(db, meeting, zone=ZONE, before_end=True)
    assert (offering.state, row.minutes_attended) == (OfferingState.CLOSED, 180)
    entry = db.scalars(
        select(AuditEntry).where(
            AuditEntry.subject == f"course_session:{meeting.id}", AuditEntry.action == "session.close"
        )
    ).one()
    assert entry.after["before_end"] is True


def test_a_session_that_ended_early_gets_its_end_and_is_judged_by_it(db, make):
    course = make.new_course(
        pass_mark=None, skills=0, hours=Decimal(3), attendance_rule=AttendanceRule.SHARE, minutes_share=80
    )
    start = clock.now().replace(second=0, microsecond=0) - 2 * HOUR
    offering = make.offering(course=course, starts=[start], hours=3)
    complete, late = make.enrolment(offering), make.enrolment(offering)
    attends(db, complete, offering.sessions[0])
    attends(db, late, offering.sessions[0], late=30)
    meeting = loaded(db, offering)
    assert [person.minutes for person in closing.outlook(db, meeting).missed] == [150]  # of 180: 83 %
    closing.end_now(db, meeting)
    ended = closing.outlook(db, meeting)
    assert (ended.before_end, ended.hours_undecided) == (False, True)
    planned = ended.requirements.minutes_planned
    assert planned in {121, 122}
    assert [person.minutes for person in ended.missed] == [planned - 30]  # of 121: 75 %
    assert meeting.instructors[0].during.upper == meeting.ends_at
    assert refusal(closing.close, db, meeting, zone=ZONE) == "fewer_hours"
    closing.close(db, meeting, zone=ZONE, hours=HoursDecision())
    assert (offering.certificate_hours, complete.certificate_due, late.shortfalls) == (2, True, ["minutes_missing"])
    assert refusal(closing.end_now, db, meeting) == "not_running"


def test_the_end_of_a_session_is_set_only_while_it_runs(db, make):
    coming = make.offering(starts=[clock.now() + HOUR])
    assert refusal(closing.end_now, db, loaded(db, coming)) == "not_begun"
    over = make.offering(starts=[clock.now() - 3 * HOUR], hours=2)
    meeting = loaded(db, over)
    before = meeting.ends_at
    closing.end_now(db, meeting)
    assert meeting.ends_at == before


def test_fewer_hours_are_confirmed_with_a_reason_or_the_certificates_state_what_was_given(db, make):
    given, confirmed = two_sessions(make, hours=Decimal(8)), two_sessions(make, hours=Decimal(8))
    given.hours_reason = "发布时的理由"
    for offering in (given, confirmed):
        row = make.enrolment(offering)
        for meeting in offering.sessions:
            attends(db, row, meeting)
        closing.close(db, loaded(db, offering), zone=ZONE)  # not the last one: nothing is asked yet
        assert refusal(closing.close, db, loaded(db, offering, 1), zone=ZONE) == "fewer_hours"
        blank = HoursDecision(" ")
        assert refusal(closing.close, db, loaded(db, offering, 1), zone=ZONE, hours=blank) == "hours_reason"
        assert offering.state == OfferingState.PUBLISHED
    closing.close(db, loaded(db, given, 1), zone=ZONE, hours=HoursDecision())
    assert (given.certificate_hours, given.hours_reason) == (4, None)
    closing.close(db, loaded(db, confirmed, 1), zone=ZONE, hours=HoursDecision("另有四小时网上自学，有记录"))
    assert (confirmed.certificate_hours, confirmed.hours_reason) == (None, "另有四小时网上自学，有记录")
    entry = db.scalars(
        select(AuditEntry).where(
            AuditEntry.subject == f"offering:{confirmed.id}", AuditEntry.action == "offering.close"
        )
    ).one()
    assert entry.after["hours_reason"] == "另有四小时网上自学，有记录"
