"""The review queue: events in doubt, gathered into cases by session and person, within the reader's scope."""

from datetime import timedelta
from uuid import uuid4

import pytest

from courses.attendance import recording, review_queue
from courses.attendance.check_ins import AttendanceInput, WalkIn
from courses.closing import reviews
from courses.models.attendance import AttendanceEvent, AttendanceKind, AttendanceMethod, ReviewReason
from courses.models.enrolment import EnrolmentState
from lms.core import audit, clock
from lms.core.errors import NotFound
from lms.core.scope import EVERYTHING, Role, Scope


@pytest.fixture
def offering(make):
    return make.offering(starts=[clock.now() - timedelta(hours=3)], hours=2)


def sent(db, offering, **facts):
    """Send one event as a device would, and return its answer."""
    meeting = offering.sessions[0]
    facts.setdefault("told_at", meeting.starts_at + timedelta(minutes=5))
    event = AttendanceInput(facts.pop("id", uuid4()), meeting.id, **facts)
    (answer,) = recording.record_all(db, [event], user_id=audit.actor(db), now=clock.now())
    return answer


def test_a_walk_in_is_suggested_those_of_the_same_name(db, make, offering):
    enrolled = make.enrolment(offering, make.trainee("李 娜"))
    registered = make.trainee("李娜")
    make.trainee("王芳")
    sent(db, offering, walk_in=WalkIn(uuid4(), "李娜"), method=AttendanceMethod.WALK_IN)
    db.flush()
    enrolled.trainee.name_key = "李娜"
    ((case,),) = [session.cases for session in review_queue.cases_by_session(db, EVERYTHING)]
    assert (case.name, case.walk_in, case.registered) == ("李娜", True, False)
    assert [(suggestion.enrolment_id, suggestion.trainee_id) for suggestion in case.suggestions] == [
        (enrolled.id, enrolled.trainee_id),
        (None, registered.id),
    ]


def test_an_undo_by_its_sender_takes_the_case_off_the_queue(db, make, offering):
    row = make.enrolment(offering)
    start = offering.sessions[0].starts_at
    doubtful = sent(db, offering, enrolment_id=row.id, told_at=start - timedelta(days=1))
    undo = {"kind": AttendanceKind.UNDO, "undoes": doubtful.id, "reason": "点错了"}
    sent(db, offering, enrolment_id=row.id, **undo)
    assert review_queue.count_cases(db, EVERYTHING) == 0


def test_the_events_of_one_person_at_one_session_are_one_case(db, make, offering):
    audit.act_as(db, make.user(Role.INSTRUCTOR, name="王老师").id)
    cancelled = make.enrolment(offering, make.trainee("张伟"), state=EnrolmentState.CANCELLED)
    start = offering.sessions[0].starts_at
    came = sent(db, offering, enrolment_id=cancelled.id)
    sent(db, offering, enrolment_id=cancelled.id, kind=AttendanceKind.LEAVE, told_at=start + timedelta(hours=1))
    sent(db, offering, ticket="nobody's")
    assert review_queue.count_cases(db, EVERYTHING) == 2
    (session_cases,) = review_queue.cases_by_session(db, EVERYTHING)
    assert session_cases.meeting.id == offering.sessions[0].id
    cases = {case.review: case for case in session_cases.cases}
    named = cases[ReviewReason.NOT_ENROLLED]
    assert (named.event_id, named.name, named.registered, named.walk_in) == (came.id, "张伟", True, False)
    assert [(event.kind, event.by) for event in named.events] == [
        (AttendanceKind.ARRIVE, "王老师"),
        (AttendanceKind.LEAVE, "王老师"),
    ]
    unknown = cases[ReviewReason.UNKNOWN_TICKET]
    assert (unknown.name, unknown.registered, len(unknown.events)) == (None, False, 1)


def test_the_queue_is_narrowed_by_offering_session_and_scope(db, make, offering):
    other = make.offering(starts=[clock.now() - timedelta(hours=2)], hours=2)
    for each in (offering, other):
        sent(db, each, ticket="nobody's")

    def sessions(scope=EVERYTHING, **narrowed):
        return [cases.meeting.id for cases in review_queue.cases_by_session(db, scope, **narrowed)]

    first, second = offering.sessions[0].id, other.sessions[0].id
    assert sessions() == [second, first]
    assert sessions(offering_id=offering.id) == [first]
    assert sessions(session_id=second) == [second]
    assert review_queue.count_cases(db, EVERYTHING, session_id=first) == 1
    elsewhere = Scope(district_ids=frozenset({offering.district_id + 1}))
    assert sessions(elsewhere) == []
    assert review_queue.count_cases(db, elsewhere) == 0


def test_a_case_is_found_by_any_of_its_events_until_it_is_decided(db, make, offering):
    cancelled = make.enrolment(offering, state=EnrolmentState.CANCELLED)
    start = offering.sessions[0].starts_at
    came = sent(db, offering, enrolment_id=cancelled.id)
    left = sent(db, offering, enrolment_id=cancelled.id, kind=AttendanceKind.LEAVE, told_at=start + timedelta(hours=1))
    for answer in (came, left):
        (case,) = review_queue.case_of(db, answer.id, EVERYTHING).cases
        assert case.event_id == came.id
        events = review_queue.events_of_case(db, db.get_one(AttendanceEvent, answer.id))
        assert [event.id for event in events] == [came.id, left.id]
    reviews.reject(db, left.id, "没有来", scope=EVERYTHING, now=clock.now())
    with pytest.raises(NotFound):
        review_queue.case_of(db, came.id, EVERYTHING)
    assert review_queue.cases_by_session(db, EVERYTHING) == []


def test_every_reason_has_a_label():
    assert set(review_queue.REVIEW_LABELS) == set(ReviewReason)
