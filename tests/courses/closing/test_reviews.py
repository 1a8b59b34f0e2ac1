"""A check-in in the review queue counts for nothing; a decision counts once, and results and totals follow."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from courses.attendance import recording, review_queue
from courses.attendance.check_ins import AttendanceInput, WalkIn
from courses.closing import closing, reviews
from courses.counting import person_time
from courses.enrolment import places
from courses.enrolment.trainees import TraineeFacts
from courses.models.attendance import Attendance, AttendanceDecision, AttendanceKind, AttendanceMethod, ReviewReason
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import OfferingState
from courses.models.trainees import Trainee
from courses.models.walk_ins import WalkInPerson
from courses.outcomes import Outcome
from lms.core import audit, clock
from lms.core.audit import AuditEntry
from lms.core.errors import Denied, DomainError, NotFound
from lms.core.scope import EVERYTHING, Role, Scope
from tests.courses.closing.confirming import CONFIRMED


@pytest.fixture
def course(make):
    return make.new_course(pass_mark=None, skills=0)


@pytest.fixture
def offering(make, course):
    return make.offering(course=course, starts=[clock.now() - timedelta(hours=3)], hours=2)


def meeting_of(offering):
    return offering.sessions[0]


def sent(db, offering, **facts):
    """Send one event as a device would, and give its answer."""
    facts.setdefault("told_at", meeting_of(offering).starts_at + timedelta(minutes=5))
    event = AttendanceInput(facts.pop("id", uuid4()), meeting_of(offering).id, **facts)
    (answer,) = recording.record_all(db, [event], user_id=audit.actor(db), now=clock.now())
    return answer


def deciding(settings, **facts):
    return {"scope": EVERYTHING, "now": clock.now(), "zone": settings.zone} | facts


def present(db, offering):
    return set(
        db.scalars(select(Attendance.enrolment_id).where(Attendance.course_session_id == meeting_of(offering).id))
    )


def close(db, make, offering, settings):
    """Close an offering at which somebody else was present."""
    sent(db, offering, enrolment_id=make.enrolment(offering).id)
    closing.close(db, meeting_of(offering), zone=settings.zone, **CONFIRMED)


def test_a_late_upload_to_a_closed_session_waits_and_then_corrects_everything(db, make, offering, settings):
    late = make.enrolment(offering)
    close(db, make, offering, settings)
    assert (late.state, late.certificate_due) == (EnrolmentState.INCOMPLETE, False)
    before = person_time.ledger_total(db, offering.id)
    answer = sent(db, offering, enrolment_id=late.id)
    assert (answer.outcome, answer.code, answer.present) == (Outcome.REVIEW, "session_closed", False)
    assert late.id not in present(db, offering)
    assert late.certificate_due is False
    reviews.accept(db, answer.id, **deciding(settings))
    assert late.id in present(db, offering)
    assert (late.state, late.certificate_due, late.sessions_attended) == (EnrolmentState.COMPLETED, True, 1)
    after = person_time.ledger_total(db, offering.id)
    assert (before.named, after.named) == (1, 2)
    assert after == person_time.total(db, offering.id)
    assert (
        late in db.scalars(select(Enrolment).where(Enrolment.certificate_due, Enrolment.certified_at.is_(None))).all()
    )


def test_a_time_outside_the_window_counts_from_within_it_once_accepted(db, make, offering, settings):
    row = make.enrolment(offering)
    start = meeting_of(offering).starts_at
    answer = sent(db, offering, enrolment_id=row.id, told_at=start - timedelta(days=1))
    assert (answer.outcome, answer.code) == (Outcome.REVIEW, "outside_window")
    reviews.accept(db, answer.id, **deciding(settings))
    assert db.scalars(select(Attendance.arrived_at)).one() == start - timedelta(hours=1)


def test_the_clock_of_the_device_is_put_right(db, make, offering):
    row, other = make.enrolment(offering), make.enrolment(offering)
    start = meeting_of(offering).starts_at
    wrong = start + timedelta(days=300)
    behind = -int(timedelta(days=300).total_seconds() * 1000)
    right = sent(db, offering, enrolment_id=row.id, told_at=wrong, offset_ms=behind)
    assert (right.outcome, right.arrived_at) == (Outcome.ACCEPTED, start)
    assert sent(db, offering, enrolment_id=other.id, told_at=wrong).code == "outside_window"


def test_a_cancelled_trainee_gets_a_place_again_when_accepted(db, make, offering, settings):
    row = make.enrolment(offering, state=EnrolmentState.CANCELLED)
    answer = sent(db, offering, enrolment_id=row.id)
    assert answer.code == "not_enrolled"
    outcome = reviews.accept(db, answer.id, **deciding(settings))
    assert outcome.name == row.trainee.name
    (again,) = present(db, offering)
    assert again != row.id
    assert db.get_one(Enrolment, again).trainee_id == row.trainee_id


def test_a_ticket_of_another_training_and_one_of_nobody(db, make, offering, settings):
    elsewhere = make.enrolment(make.offering())
    foreign = sent(db, offering, ticket=elsewhere.ticket)
    unknown = sent(db, offering, ticket="x" * 22)
    assert (foreign.code, unknown.code) == ("not_enrolled", "unknown_ticket")
    with pytest.raises(DomainError, match="does not name a person"):
        reviews.accept(db, unknown.id, **deciding(settings))
    reviews.accept(db, foreign.id, **deciding(settings))
    row = make.enrolment(offering)
    reviews.merge(db, unknown.id, row.id, **deciding(settings))
    assert {db.get_one(Enrolment, one).trainee_id for one in present(db, offering)} == {
        elsewhere.trainee_id,
        row.trainee_id,
    }


def test_a_hashed_ticket_finds_its_owner_and_a_foreign_id_nobody(db, make, offering):
    row = make.enrolment(offering)
    hashed = AttendanceInput(uuid4(), 1, ticket=row.ticket).ticket_hash
    assert sent(db, offering, ticket=hashed).enrolment_id == row.id
    stranger = make.enrolment(make.offering())
    answer = sent(db, offering, enrolment_id=stranger.id)
    assert (answer.outcome, answer.code) == (Outcome.REJECTED, "not_found")


def test_a_walk_in_comes_and_goes_and_is_registered_with_one_word(db, make, offering, settings):
    guest, start = WalkIn(uuid4(), "赵云", "+8613800001111"), meeting_of(offering).starts_at
    came = sent(db, offering, walk_in=guest, method=AttendanceMethod.WALK_IN)
    sent(db, offering, walk_in=guest, kind=AttendanceKind.LEAVE, told_at=start + timedelta(hours=1))
    assert review_queue.count_cases(db, EVERYTHING) == 1
    assert db.get_one(WalkInPerson, guest.id).phone == "+8613800001111"
    facts = TraineeFacts(name="赵云", phone="+8613800001111")
    reviews.admit(db, came.id, facts, **deciding(settings))
    there = db.execute(select(Attendance.arrived_at, Attendance.left_at)).one()
    assert tuple(there) == (start + timedelta(minutes=5), start + timedelta(hours=1))
    assert db.get_one(WalkInPerson, guest.id).phone is None
    assert db.scalars(select(Trainee.name).join(Enrolment)).all() == ["赵云"]
    later = sent(db, offering, walk_in=guest, told_at=start + timedelta(hours=1, minutes=10))
    assert (later.outcome, later.left_at) == (Outcome.ACCEPTED, None)


def test_a_walk_in_may_be_somebody_of_the_register(db, make, offering, settings):
    known = make.trainee("赵云")
    answer = sent(db, offering, walk_in=WalkIn(uuid4(), "赵云"))
    reviews.merge_trainee(db, answer.id, known.id, **deciding(settings))
    (row,) = present(db, offering)
    assert db.get_one(Enrolment, row).trainee_id == known.id


def test_a_walk_in_of_a_closed_training_is_admitted_and_counted(db, make, offering, settings):
    close(db, make, offering, settings)
    answer = sent(db, offering, walk_in=WalkIn(uuid4(), "赵云"))
    facts = TraineeFacts(name="赵云", phone="+8613800002222")
    reviews.admit(db, answer.id, facts, **deciding(settings))
    row = db.scalars(select(Enrolment).join(Trainee).where(Trainee.name == "赵云")).one()
    assert (row.state, row.certificate_due) == (EnrolmentState.COMPLETED, True)


def test_whoever_waits_for_a_place_is_given_one(db, make, offering, settings):
    row = make.enrolment(offering, state=EnrolmentState.WAITLISTED)
    answer = sent(db, offering, enrolment_id=row.id)
    reviews.accept(db, answer.id, **deciding(settings))
    assert row.state == EnrolmentState.ENROLLED
    assert present(db, offering) == {row.id}


def test_rejecting_needs_a_reason_and_leaves_a_trail(db, make, offering, settings):
    row = make.enrolment(offering, state=EnrolmentState.CANCELLED)
    answer = sent(db, offering, enrolment_id=row.id)
    when = {"scope": EVERYTHING, "now": clock.now()}
    with pytest.raises(DomainError, match="Enter a reason"):
        reviews.reject(db, answer.id, "  ", **when)
    reviews.reject(db, answer.id, "没有来", **when)
    assert present(db, offering) == set()
    assert review_queue.cases_by_session(db, EVERYTHING) == []
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "check_in.reject")).one()
    assert entry.reason == "没有来"
    with pytest.raises(DomainError) as caught:
        reviews.accept(db, answer.id, **deciding(settings))
    assert caught.value.code == "decided_already"
    assert db.scalar(select(func.count()).select_from(AttendanceDecision)) == 1


def test_a_decision_is_never_altered(db, make, offering):
    row = make.enrolment(offering, state=EnrolmentState.CANCELLED)
    reviews.reject(db, sent(db, offering, enrolment_id=row.id).id, "没有来", scope=EVERYTHING, now=clock.now())
    db.scalars(select(AttendanceDecision)).one().reason = "来了"
    with pytest.raises(IntegrityError, match="append-only"):
        db.flush()


def test_a_draft_or_cancelled_training_takes_nobody(db, make, settings):
    cancelled = make.offering(state=OfferingState.CANCELLED, cancelled_at=clock.now(), cancel_reason="暴雨")
    answer = sent(db, cancelled, enrolment_id=make.enrolment(cancelled).id)
    assert answer.code == "not_running"
    with pytest.raises(DomainError, match="publish it first"):
        reviews.accept(db, answer.id, **deciding(settings))


def test_several_are_accepted_at_once(db, make, offering, settings):
    rows = [make.enrolment(offering) for _ in range(3)]
    close(db, make, offering, settings)
    answers = [sent(db, offering, enrolment_id=row.id) for row in rows]
    outcomes = reviews.accept_all(db, [answer.id for answer in answers], **deciding(settings))
    assert {outcome.name for outcome in outcomes} == {row.trainee.name for row in rows}
    assert {row.id for row in rows} <= present(db, offering)


def test_who_may_see_and_decide(db, make, offering, settings):
    row = make.enrolment(offering, state=EnrolmentState.CANCELLED)
    answer = sent(db, offering, enrolment_id=row.id)
    other = Scope(district_ids=frozenset({9}), user_id=1)
    assert review_queue.count_cases(db, other) == 0
    with pytest.raises(NotFound):
        reviews.accept(db, answer.id, **deciding(settings, scope=other))
    auditor = Scope(everything=True, read_only=True)
    assert review_queue.count_cases(db, auditor) == 1
    with pytest.raises(Denied):
        reviews.accept(db, answer.id, **deciding(settings, scope=auditor))


def test_after_closing_only_those_decide_who_may_correct(db, make, settings):
    user = make.user(Role.INSTRUCTOR)
    assistant = make.instructor(user=user)
    course = make.new_course(pass_mark=None, skills=0)
    offering = make.offering(course=course, starts=[clock.now() - timedelta(hours=3)], hours=2, assistants=[assistant])
    row = make.enrolment(offering)
    close(db, make, offering, settings)
    answer = sent(db, offering, enrolment_id=row.id)
    scope = Scope(instructor_user_id=user.id, user_id=user.id)
    assert review_queue.count_cases(db, scope) == 1
    with pytest.raises(Denied):
        reviews.accept(db, answer.id, **deciding(settings, scope=scope))
    with pytest.raises(Denied):
        reviews.reject(db, answer.id, "没有来", scope=scope, now=clock.now())


def test_cancelling_does_not_make_what_waits_count(db, make, offering):
    row = make.enrolment(offering)
    sent(db, offering, enrolment_id=row.id, review=ReviewReason.SECOND_FROM_BROWSER)
    places.cancel(db, row, "不来了")
    assert present(db, offering) == set()
