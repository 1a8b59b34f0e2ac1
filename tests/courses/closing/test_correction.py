from datetime import timedelta

import pytest
from sqlalchemy import select

from courses.assessment.marking import Marks
from courses.closing import correction
from courses.counting import person_time
from courses.events import OfferingClosed
from courses.models.enrolment import EnrolmentState
from courses.models.person_time import EntryKind, PersonTimeEntry
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.errors import Denied
from lms.core.scope import EVERYTHING, Role, Scope
from tests.courses.closing.steps import ZONE, loaded, published, refusal


def correct(db, offering, present, *, headcount=0, scope=EVERYTHING, reason="核对纸质签到表", now=None):
    return correction.correct_session(
        db, loaded(db, offering), present=present, headcount=headcount, reason=reason, scope=scope,
        now=now or clock.now(), zone=ZONE,
    )  # fmt: skip


def test_a_correction_makes_everything_follow(db, offering, closed):
    first, _, third = closed
    first.certified_at = clock.now()
    outcome = correct(db, offering, {first.id: False, third.id: True}, headcount=5)
    assert outcome.changes == 3
    assert [judgement.enrolment.id for judgement in outcome.unentitled] == [first.id]
    assert (first.state, first.certificate_due) == (EnrolmentState.INCOMPLETE, False)
    assert first.certified_at is not None
    assert (third.sessions_attended, third.minutes_attended) == (1, 60)
    assert person_time.ledger_total(db, offering.id) == person_time.total(db, offering.id)
    line = db.scalars(select(PersonTimeEntry).where(PersonTimeEntry.kind == EntryKind.CORRECTION)).one()
    assert (line.counted, line.named, line.reason) == (5, 0, "核对纸质签到表")
    assert published(db) == [OfferingClosed(offering.id)]
    events = db.scalars(select(AuditEntry).where(AuditEntry.reason == "核对纸质签到表")).all()
    assert {entry.action for entry in events} == {"attendance.undo", "attendance.arrive", "session.headcount"}


def test_a_corrected_result_makes_a_certificate_due(db, offering, closed):
    third = closed[2]
    correct(db, offering, {third.id: True})
    skills = {skill.id: True for skill in offering.course.skills}
    correction.correct_result(
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
    assert person_time.ledger_total(db, offering.id).passed == 3


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


def test_the_empty_enrolment_of_a_merged_record_cannot_become_present(db, offering, closed):
    first, _, third = closed
    third.trainee.merged_into_id = first.trainee_id
    db.flush()
    assert refusal(correct, db, offering, {third.id: True}) == "merged_present"
