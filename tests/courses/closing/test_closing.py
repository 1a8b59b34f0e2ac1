from datetime import timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from courses.assessment import assessment
from courses.assessment.assessment import Marks
from courses.attendance import recording, roster, walk_ins
from courses.closing import closing, correction
from courses.counting import person_time
from courses.enrolment.trainees import TraineeFacts
from courses.events import OfferingClosed
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.offerings import staffing
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.errors import Denied, DomainError, NotFound
from lms.core.scope import EVERYTHING, Role, Scope
from tests.courses.attendance.test_recording import happening

ZONE = ZoneInfo("Asia/Shanghai")


def refusal(rule, *arguments, **facts):
    with pytest.raises(DomainError) as caught:
        rule(*arguments, **facts)
    return caught.value.code


def published(db):
    return [event for event in db.info.get("events", []) if isinstance(event, OfferingClosed)]


@pytest.fixture
def offering(make):
    return make.offering(course=make.new_course(skills=1), starts=[clock.now() - timedelta(hours=2)], hours=1)


def loaded(db, offering, number=0):
    return roster.meeting(db, offering.sessions[number].id, EVERYTHING)


def passing(db, enrolment, score=80):
    skills = {skill.id: True for skill in enrolment.offering.course.skills}
    assessment.save(db, enrolment, Marks(score, skills), seen="0.0", retest=False)


def arrived(db, enrolment):
    recording.record(db, happening(enrolment), now=clock.now())
    return enrolment


def test_the_instructor_checks_in_and_out(db, make):
    user = make.user(Role.INSTRUCTOR)
    offering = make.offering(lead=make.instructor(user=user), starts=[clock.now() + timedelta(hours=4)])
    meeting = loaded(db, offering)
    start = meeting.starts_at
    assert refusal(closing.arrive, db, meeting, user.id, now=start - timedelta(minutes=181)) == "too_early"
    assert refusal(closing.leave, db, meeting, user.id, now=start) == "not_present"
    for moment in (start - timedelta(minutes=20), start):
        closing.arrive(db, meeting, user.id, now=moment)
    teaching = staffing.teaching_of(db, meeting, user.id)
    assert teaching.arrived_at == start - timedelta(minutes=20)
    closing.leave(db, meeting, user.id, now=start + timedelta(hours=1))
    assert teaching.left_at == start + timedelta(hours=1)
    with pytest.raises(NotFound):
        closing.arrive(db, meeting, make.user(Role.INSTRUCTOR).id, now=start)


def test_an_instructor_who_forgot_was_there_all_along(db, make):
    user = make.user(Role.INSTRUCTOR)
    offering = make.offering(lead=make.instructor(user=user), starts=[clock.now() - timedelta(hours=9)], hours=2)
    meeting = loaded(db, offering)
    closing.arrive(db, meeting, user.id, now=clock.now())
    teaching = staffing.teaching_of(db, meeting, user.id)
    assert (teaching.arrived_at, teaching.left_at) == (meeting.starts_at, meeting.ends_at)


def test_the_headcount_is_entered_and_audited(db, offering):
    meeting = loaded(db, offering)
    closing.count_heads(db, meeting, 300, now=clock.now())
    assert meeting.headcount == 300
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "session.headcount")).one()
    assert (entry.before, entry.after) == ({"headcount": 0}, {"headcount": 300})
    assert refusal(closing.count_heads, db, meeting, -1, now=clock.now()) == "headcount_range"


def test_closing_judges_everybody_counts_and_tells(db, make, offering):
    earns, failed, unmarked, absent = (make.enrolment(offering) for _ in range(4))
    waiting = make.enrolment(offering, state=EnrolmentState.WAITLISTED)
    gone = make.enrolment(offering, state=EnrolmentState.CANCELLED)
    for row in (earns, failed, unmarked):
        arrived(db, row)
    passing(db, earns)
    passing(db, failed, 59)
    meeting = loaded(db, offering)
    closing.count_heads(db, meeting, 7, now=clock.now())
    seen = closing.outlook(db, meeting)
    assert (seen.last, seen.present, seen.people, seen.certified, len(seen.short)) == (True, 3, 3, 1, 3)
    closing.close(db, meeting, zone=ZONE, seen=seen.seen)
    assert (offering.state, offering.counted_on) == (OfferingState.CLOSED, clock.day_of(meeting.starts_at, ZONE))
    assert meeting.closed_at == offering.closed_at
    assert (earns.state, earns.certificate_due, earns.shortfalls) == (EnrolmentState.COMPLETED, True, [])
    assert (failed.state, failed.shortfalls) == (EnrolmentState.FAILED, ["theory_failed"])
    assert (unmarked.state, unmarked.shortfalls) == (EnrolmentState.INCOMPLETE, ["theory_missing", "skills_missing"])
    assert (absent.state, absent.shortfalls[0]) == (EnrolmentState.INCOMPLETE, "absent")
    assert waiting.state == EnrolmentState.CANCELLED
    assert waiting.cancel_reason
    assert gone.state == EnrolmentState.CANCELLED
    assert (earns.sessions_attended, earns.minutes_attended) == (1, 60)
    totals = person_time.total(db, offering.id)
    assert (totals.enrolled, totals.named, totals.counted, totals.passed) == (4, 3, 7, 1)
    assert person_time.kept(db, offering.id) == totals
    assert published(db) == [OfferingClosed(offering.id)]
    assert refusal(closing.close, db, meeting, zone=ZONE) == "not_running"


def test_a_session_that_is_not_the_last_closes_alone(db, make):
    now = clock.now()
    offering = make.offering(starts=[now - timedelta(hours=3), now - timedelta(hours=1)], hours=1)
    arrived(db, make.enrolment(offering))
    first = loaded(db, offering)
    assert not closing.close(db, first, zone=ZONE).last
    assert offering.state == OfferingState.PUBLISHED
    assert published(db) == []
    assert closing.close(db, loaded(db, offering, 1), zone=ZONE).last
    assert offering.state == OfferingState.CLOSED


def test_closing_is_refused_before_the_session_begins_and_where_nobody_came(db, make, offering):
    coming = make.offering(starts=[clock.now() + timedelta(minutes=30)])
    assert refusal(closing.close, db, loaded(db, coming), zone=ZONE) == "not_begun"
    make.enrolment(offering)
    assert refusal(closing.close, db, loaded(db, offering), zone=ZONE) == "nobody_came"


def test_a_confirmation_of_what_is_so_no_more_is_refused(db, make, offering):
    arrived(db, make.enrolment(offering))
    meeting = loaded(db, offering)
    seen = closing.outlook(db, meeting).seen
    arrived(db, make.enrolment(offering))
    assert refusal(closing.close, db, meeting, zone=ZONE, seen=seen) == "closing_changed"


def test_shortfalls_name_who_is_short(db, make, offering):
    fine, short = make.enrolment(offering), make.enrolment(offering)
    passing(db, arrived(db, fine))
    assert [one.enrolment.id for one in closing.shortfalls(db, offering.id)] == [short.id]


@pytest.fixture
def closed(db, make, offering):
    rows = [make.enrolment(offering) for _ in range(3)]
    for row in rows[:2]:
        passing(db, arrived(db, row))
    closing.close(db, loaded(db, offering), zone=ZONE)
    db.info["events"].clear()
    return rows


def correct(db, offering, present, *, headcount=0, scope=EVERYTHING, reason="核对纸质签到表", now=None):
    return correction.of_session(
        db, loaded(db, offering), present=present, headcount=headcount, reason=reason, scope=scope,
        now=now or clock.now(), zone=ZONE,
    )  # fmt: skip


def test_a_correction_makes_everything_follow(db, offering, closed):
    first, _, third = closed
    first.certified_at = clock.now()
    done = correct(db, offering, {first.id: False, third.id: True}, headcount=5)
    assert done.changes == 3
    assert [one.enrolment.id for one in done.unentitled] == [first.id]
    assert (first.state, first.certificate_due) == (EnrolmentState.INCOMPLETE, False)
    assert first.certified_at is not None
    assert (third.sessions_attended, third.minutes_attended) == (1, 60)
    assert person_time.kept(db, offering.id) == person_time.total(db, offering.id)
    line = db.scalars(select(PersonTimeEntry).where(PersonTimeEntry.kind == EntryKind.CORRECTION)).one()
    assert (line.counted, line.named, line.reason) == (5, 0, "核对纸质签到表")
    assert published(db) == [OfferingClosed(offering.id)]
    events = db.scalars(select(AuditEntry).where(AuditEntry.reason == "核对纸质签到表")).all()
    assert {entry.action for entry in events} == {"attendance.undo", "attendance.arrive", "session.headcount"}


def test_a_corrected_result_makes_a_certificate_due(db, offering, closed):
    third = closed[2]
    correct(db, offering, {third.id: True})
    skills = {skill.id: True for skill in offering.course.skills}
    correction.of_result(
        db,
        third,
        Marks(90, skills),
        seen="0.0",
        retest=False,
        reason="补录",
        scope=EVERYTHING,
        now=clock.now(),
        zone=ZONE,
    )
    assert (third.state, third.certificate_due) == (EnrolmentState.COMPLETED, True)
    assert person_time.kept(db, offering.id).passed == 3


def test_a_correction_needs_a_reason_and_a_closed_session(db, make, offering, closed):
    assert refusal(correct, db, offering, {}, reason="  ") == "reason_missing"
    other = make.offering()
    assert refusal(correct, db, other, {}) == "not_closed"


def test_who_may_correct(db, make, offering, closed):
    user = make.user(Role.INSTRUCTOR)
    offering.lead_instructor.user_id = user.id
    db.flush()
    lead = Scope(instructor_user_id=user.id, user_id=user.id)
    week = offering.closed_at + timedelta(days=7)
    correct(db, offering, {}, scope=lead, now=week)
    correct(db, offering, {}, scope=Scope(district_ids=frozenset({offering.district_id})))
    for scope, moment in (
        (lead, week + timedelta(seconds=1)),
        (Scope(instructor_user_id=make.user(Role.INSTRUCTOR).id), clock.now()),
        (Scope(district_ids=frozenset({16})), clock.now()),
        (Scope(organisation_ids=frozenset({offering.organisation_id})), clock.now()),
        (Scope(everything=True, read_only=True), clock.now()),
    ):
        with pytest.raises(Denied):
            correct(db, offering, {}, scope=scope, now=moment)


def test_a_walk_in_is_registered_enrolled_and_checked_in_once(db, make):
    offering = make.offering(capacity=1)
    make.enrolment(offering)
    meeting, event_id = loaded(db, offering), uuid4()
    facts = TraineeFacts(name="孙晓明", phone="+8613912345678")
    for _ in range(2):
        answer = walk_ins.admit(db, meeting, facts, event_id=event_id, now=clock.now())
    people = roster.read(db, meeting)
    row = next(row for row in people.rows if row.enrolment_id == answer.enrolment_id)
    assert (row.name, row.walk_in, row.present) == ("孙晓明", True, True)
    assert len(people.rows) == 2


def test_a_walk_in_who_is_enrolled_or_waits_is_let_in(db, make):
    offering = make.offering(capacity=1)
    meeting = loaded(db, offering)
    enrolled = make.enrolment(offering, make.trainee("李娜", name_key="李娜", phone="+8613912340000"))
    waiting = make.enrolment(offering, state=EnrolmentState.WAITLISTED)
    facts = TraineeFacts(name="李娜", phone="+8613912340000")
    assert walk_ins.admit(db, meeting, facts, event_id=uuid4(), now=clock.now()).enrolment_id == enrolled.id
    answer = walk_ins.let_in(db, meeting, waiting.id, event_id=uuid4(), now=clock.now())
    assert (answer.present, waiting.state) == (True, EnrolmentState.ENROLLED)
    with pytest.raises(NotFound):
        walk_ins.let_in(db, meeting, make.enrolment(make.offering()).id, event_id=uuid4(), now=clock.now())


def test_nobody_walks_in_before_check_in_opens_or_after_closing(db, make, offering, closed):
    facts = TraineeFacts(name="孙晓明", phone="+8613912345678")
    over = loaded(db, offering)
    assert refusal(walk_ins.admit, db, over, facts, event_id=uuid4(), now=clock.now()) == "session_closed"
    coming = make.offering(starts=[clock.now() + timedelta(hours=2)])
    assert refusal(walk_ins.admit, db, loaded(db, coming), facts, event_id=uuid4(), now=clock.now()) == "too_early"
