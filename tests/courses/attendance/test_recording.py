from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from courses.attendance.check_ins import AttendanceInput
from courses.attendance.recording import record
from courses.models.attendance import Attendance, AttendanceEvent, AttendanceKind, AttendanceMethod
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from courses.outcomes import Outcome
from lms.core import audit, clock
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError, NotFound
from lms.core.scope import Role
from tests.factories import Make


@pytest.fixture
def offering(make):
    return make.offering(hours=3)


@pytest.fixture
def enrolment(make, offering):
    return make.enrolment(offering)


def happening(enrolment, offering=None, kind=AttendanceKind.ARRIVE, method=AttendanceMethod.TAP, **facts):
    meeting = (offering or enrolment.offering).sessions[0]
    return AttendanceInput(facts.pop("id", uuid4()), meeting.id, enrolment.id, kind, method, **facts)


def undoing(enrolment):
    return happening(enrolment, kind=AttendanceKind.UNDO, reason="点错了")


def refusal(db, event, now=None):
    with pytest.raises(DomainError) as caught:
        record(db, event, now=now or clock.now())
    return caught.value


def entries(db, enrolment):
    return db.scalars(select(AuditEntry).where(AuditEntry.subject == f"enrolment:{enrolment.id}")).all()


def test_a_check_in_locks_reads_and_writes_in_three_statements(db, enrolment, statements):
    event, now = happening(enrolment), clock.now()
    statements.clear()
    answer = record(db, event, now=now)
    db.flush()
    assert len(statements) == 3
    assert (answer.outcome, answer.present, answer.arrived_at) == (Outcome.ACCEPTED, True, now)
    assert [entry.action for entry in entries(db, enrolment)] == ["attendance.arrive"]


def test_the_same_event_again_answers_as_the_first_time(db, enrolment):
    event = happening(enrolment)
    first = record(db, event, now=clock.now())
    again = record(db, event, now=clock.now() + timedelta(minutes=10))
    assert again == first
    assert db.scalar(select(func.count()).select_from(AttendanceEvent)) == 1
    assert len(entries(db, enrolment)) == 1


def test_a_repeated_arrival_does_not_take_back_an_undo(db, enrolment):
    arrival = happening(enrolment)
    record(db, arrival, now=clock.now())
    undo = undoing(enrolment)
    assert not record(db, undo, now=clock.now()).present
    record(db, arrival, now=clock.now())
    assert record(db, undo, now=clock.now()).outcome is Outcome.ACCEPTED
    assert db.scalar(select(func.count()).select_from(Attendance)) == 0


@pytest.mark.parametrize("other", [{"kind": AttendanceKind.LEAVE}, {"method": AttendanceMethod.SCAN}])
def test_one_id_for_two_bodies_is_a_conflict(db, enrolment, other):
    event = happening(enrolment)
    record(db, event, now=clock.now())
    found = refusal(db, happening(enrolment, id=event.id, **other))
    assert (found.code, found.status) == ("event_conflict", 409)


def test_one_id_for_two_people_is_a_conflict(db, make, offering, enrolment):
    event = happening(enrolment)
    record(db, event, now=clock.now())
    assert refusal(db, happening(make.enrolment(offering), id=event.id)).code == "event_conflict"


def test_the_second_instructor_is_told_who_was_first(db, make, enrolment):
    first = make.user(Role.INSTRUCTOR, name="王老师")
    audit.act_as(db, first.id)
    arrived = record(db, happening(enrolment), now=clock.now()).arrived_at
    audit.act_as(db, make.user(Role.INSTRUCTOR).id)
    answer = record(db, happening(enrolment), now=clock.now() + timedelta(minutes=1))
    assert (answer.outcome, answer.by, answer.arrived_at) == (Outcome.ALREADY, "王老师", arrived)
    assert db.scalar(select(func.count()).select_from(AttendanceEvent)) == 2


def test_undo_and_arrive_again(db, enrolment):
    now = clock.now()
    record(db, happening(enrolment), now=now)
    assert not record(db, undoing(enrolment), now=now).present
    again = record(db, happening(enrolment), now=now + timedelta(minutes=3))
    assert again.outcome is Outcome.ACCEPTED
    assert again.arrived_at == now + timedelta(minutes=3)
    undone = entries(db, enrolment)[1]
    assert (undone.action, undone.reason) == ("attendance.undo", "点错了")


@pytest.mark.parametrize("reason", [None, "", "   "])
def test_undoing_needs_a_reason(db, enrolment, reason):
    record(db, happening(enrolment), now=clock.now())
    assert refusal(db, happening(enrolment, kind=AttendanceKind.UNDO, reason=reason)).code == "reason_missing"


def test_leaving_and_coming_back(db, enrolment):
    now = clock.now()
    assert refusal(db, happening(enrolment, kind=AttendanceKind.LEAVE)).code == "not_present"
    record(db, happening(enrolment), now=now)
    left = record(db, happening(enrolment, kind=AttendanceKind.LEAVE), now=now + timedelta(minutes=30))
    assert left.left_at == now + timedelta(minutes=30)
    back = record(db, happening(enrolment), now=now + timedelta(minutes=40))
    assert (back.arrived_at, back.left_at) == (now, None)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (timedelta(minutes=-10), timedelta(minutes=-10)),
        (timedelta(minutes=4), timedelta(0)),
        (timedelta(minutes=6), timedelta(0)),
        (timedelta(days=-1), timedelta(0)),
    ],
)
def test_the_devices_time_is_believed_within_bounds(db, enrolment, told, kept):
    now = clock.now()
    answer = record(db, happening(enrolment, told_at=now + told), now=now)
    assert answer.arrived_at == now + kept


@pytest.mark.parametrize(
    ("state", "code"),
    [(EnrolmentState.CANCELLED, "enrolment_cancelled"), (EnrolmentState.WAITLISTED, "waitlisted")],
)
def test_only_a_trainee_with_a_place_is_checked_in(db, make, offering, state, code):
    assert refusal(db, happening(make.enrolment(offering, state=state), offering)).code == code


def test_nobody_is_checked_in_at_a_cancelled_offering_or_a_draft(db, make):
    cancelled = make.offering(state=OfferingState.CANCELLED, cancelled_at=clock.now(), cancel_reason="暴雨")
    assert refusal(db, happening(make.enrolment(cancelled))).code == "offering_cancelled"
    draft = make.offering(state=OfferingState.DRAFT)
    assert refusal(db, happening(make.enrolment(draft))).code == "offering_draft"


def test_a_closed_session_takes_corrections_alone(db, enrolment):
    enrolment.offering.sessions[0].closed_at = clock.now()
    db.flush()
    assert refusal(db, happening(enrolment)).code == "session_closed"
    correcting = {"method": AttendanceMethod.CORRECTION}
    assert refusal(db, happening(enrolment, **correcting)).code == "reason_missing"
    assert record(db, happening(enrolment, **correcting, reason="漏签"), now=clock.now()).present


def test_somebody_of_another_offering_is_not_found(db, make, offering):
    with pytest.raises(NotFound):
        record(db, happening(make.enrolment(make.offering()), offering), now=clock.now())


def test_fifty_at_once_make_one_attendance(fresh_database):
    engine = create_engine(fresh_database, pool_size=50, connect_args={"options": "-c timezone=UTC"})
    with Session(engine) as db:
        enrolment = Make(db).enrolment(Make(db).offering())
        events = [happening(enrolment) for _ in range(50)]
        db.commit()

    def check_in(event):
        with Session(engine) as own:
            answer = record(own, event, now=clock.now())
            own.commit()
            return answer.outcome

    with ThreadPoolExecutor(50) as threads:
        outcomes = list(threads.map(check_in, events))
    with Session(engine) as db:
        assert db.scalar(select(func.count()).select_from(Attendance)) == 1
        assert db.scalar(select(func.count()).select_from(AttendanceEvent)) == 50
    assert outcomes.count(Outcome.ACCEPTED) == 1
    assert outcomes.count(Outcome.ALREADY) == 49
    engine.dispose()


def test_one_event_sent_by_twenty_at_once_is_kept_once(fresh_database):
    engine = create_engine(fresh_database, pool_size=20, connect_args={"options": "-c timezone=UTC"})
    with Session(engine) as db:
        event = happening(Make(db).enrolment(Make(db).offering()))
        db.commit()

    def check_in(_):
        with Session(engine) as own:
            answer = record(own, event, now=clock.now())
            own.commit()
            return answer.outcome

    with ThreadPoolExecutor(20) as threads:
        assert set(threads.map(check_in, range(20))) == {Outcome.ACCEPTED}
    with Session(engine) as db:
        assert db.scalar(select(func.count()).select_from(AttendanceEvent)) == 1
        assert db.scalar(select(func.count()).select_from(AuditEntry)) == 1
    engine.dispose()
