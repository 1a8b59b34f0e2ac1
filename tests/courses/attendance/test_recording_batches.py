"""Batches from devices: many events at once, sent again, from several at a time; each is answered and none is lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from courses.attendance.check_ins import AttendanceInput, WalkIn
from courses.attendance.recording import record_all
from courses.device_events import BATCH_LIMIT
from courses.models.attendance import Attendance, AttendanceEvent, AttendanceKind, ReviewReason
from courses.models.walk_ins import WalkInPerson
from courses.outcomes import Outcome
from lms.accounts.models import Device
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from tests.factories import Make


@pytest.fixture
def offering(make):
    return make.offering(hours=3)


def arrival(enrolment, **facts):
    return AttendanceInput(facts.pop("id", uuid4()), enrolment.offering.sessions[0].id, enrolment.id, **facts)


def send(db, *events, now=None, user_id=None):
    return record_all(db, events, user_id=user_id, now=now or clock.now())


def outcomes(answers):
    return [(str(answer.outcome), answer.code) for answer in answers]


@pytest.mark.parametrize("number", [1, 40, BATCH_LIMIT])
def test_a_batch_of_any_size_is_three_statements(db, make, offering, statements, number):
    events = [arrival(make.enrolment(offering)) for _ in range(number)]
    statements.clear()
    answers = send(db, *events)
    assert len(statements) == 3
    assert outcomes(answers) == [("accepted", "arrived")] * number
    assert [answer.id for answer in answers] == [event.id for event in events]
    assert db.scalar(select(func.count()).select_from(Attendance)) == number
    assert db.scalar(select(func.count()).where(AuditEntry.action == "attendance.arrive")) == number


def test_a_batch_sent_again_is_answered_as_the_first_time_and_writes_nothing(db, make, offering):
    first, second = make.enrolment(offering), make.enrolment(offering)
    user = make.user(Role.INSTRUCTOR, name="王老师")
    send(db, arrival(second), user_id=user.id)
    events = [
        arrival(first, told_at=clock.now()),
        arrival(second),
        arrival(first, told_at=clock.now() - timedelta(days=1)),
        AttendanceInput(uuid4(), offering.sessions[0].id, ticket="nobody's"),
        AttendanceInput(uuid4(), offering.sessions[0].id, walk_in=WalkIn(uuid4(), "李娜")),
        arrival(first, kind=AttendanceKind.UNDO, reason="点错了"),
        AttendanceInput(uuid4(), offering.sessions[0].id, 10**9),
    ]
    answers = send(db, *events)
    assert outcomes(answers) == [
        ("accepted", "arrived"),
        ("already", "already"),
        ("review", "outside_window"),
        ("review", "unknown_ticket"),
        ("review", "walk_in_match"),
        ("accepted", "undone"),
        ("rejected", "not_found"),
    ]
    assert answers[1].by == "王老师"
    counts = select(select(func.count()).select_from(AttendanceEvent).scalar_subquery(),
                    select(func.count()).select_from(AuditEntry).scalar_subquery())  # fmt: skip
    before = db.execute(counts).one()
    assert send(db, *events, now=clock.now() + timedelta(days=7)) == answers
    assert db.execute(counts).one() == before


def test_one_bad_event_spoils_nothing(db, make, offering):
    row, meeting = make.enrolment(offering), offering.sessions[0].id
    twice = arrival(row)
    bad = [
        AttendanceInput(uuid4(), meeting),
        AttendanceInput(uuid4(), meeting, row.id, ticket="and a ticket"),
        AttendanceInput(uuid4(), 10**9, row.id),
        AttendanceInput(uuid4(), 2**70, row.id),
        AttendanceInput(uuid4(), meeting, row.id, AttendanceKind.UNDO),
        AttendanceInput(uuid4(), meeting, walk_in=WalkIn(uuid4(), " \0 ")),
        AttendanceInput(twice.id, meeting, row.id, AttendanceKind.LEAVE),
    ]
    answers = send(db, twice, *bad, twice)
    assert [answer.code for answer in answers] == [
        "arrived", "bad_event", "bad_event", "not_found", "not_found", "reason_missing", "bad_event", "event_conflict",
        "arrived",
    ]  # fmt: skip
    assert {answer.outcome for answer in answers[1:-1]} == {Outcome.REJECTED}
    assert db.scalar(select(func.count()).select_from(AttendanceEvent)) == 1


def test_odd_texts_and_clocks_are_recorded_or_kept_for_review(db, make, offering):
    row = make.enrolment(offering)
    last = datetime.max.replace(tzinfo=UTC)
    events = [
        arrival(row, told_at=last, offset_ms=2**62),
        arrival(row, told_at=datetime.min.replace(tzinfo=UTC), offset_ms=-1),
        AttendanceInput(uuid4(), offering.sessions[0].id, ticket="\0票" * 500),
        arrival(row, kind=AttendanceKind.UNDO, reason="\0" * 300 + "点错了"),
        AttendanceInput(uuid4(), offering.sessions[0].id, walk_in=WalkIn(uuid4(), "李\0娜" * 50)),
    ]
    codes = [answer.code for answer in send(db, *events)]
    assert codes == ["outside_window", "outside_window", "unknown_ticket", "not_present", "walk_in_match"]
    assert db.scalar(select(AttendanceEvent.reason).where(AttendanceEvent.kind == "undo")) == "点错了"
    assert len(db.scalar(select(WalkInPerson.name))) <= 60


def test_an_earlier_arrival_that_comes_later_moves_the_time_and_is_told_who_was_first(db, make, offering):
    row, now = make.enrolment(offering), clock.now()
    first = make.user(Role.INSTRUCTOR, name="王老师")
    send(db, arrival(row, told_at=now), user_id=first.id, now=now)
    (answer,) = send(db, arrival(row, told_at=now - timedelta(minutes=20)), now=now + timedelta(hours=1))
    assert (answer.outcome, answer.by, answer.arrived_at) == (Outcome.ALREADY, "王老师", now)
    assert answer.message % answer.params == f"Already checked in by 王老师 at {now}."
    assert db.scalars(select(Attendance.arrived_at)).one() == now - timedelta(minutes=20)


def test_leaving_may_arrive_before_coming(db, make, offering):
    row, now = make.enrolment(offering), clock.now()
    left = arrival(row, kind=AttendanceKind.LEAVE, told_at=now - timedelta(minutes=5))
    (early,) = send(db, left)
    assert (early.outcome, early.present) == (Outcome.ALREADY, False)
    send(db, arrival(row, told_at=now - timedelta(minutes=30)))
    assert db.execute(select(Attendance.arrived_at, Attendance.left_at)).one() == (
        now - timedelta(minutes=30),
        now - timedelta(minutes=5),
    )


def test_the_event_keeps_the_device_and_its_clock(db, make, offering):
    user = make.user(Role.INSTRUCTOR)
    device = Device(user_id=user.id, name="王老师的手机", token_hash=bytes(32))
    db.add(device)
    db.flush()
    told = clock.now() - timedelta(minutes=10)
    event = arrival(make.enrolment(offering), told_at=told, offset_ms=60_000)
    record_all(db, [event], user_id=user.id, device_id=device.id, now=clock.now())
    kept = db.get_one(AttendanceEvent, event.id)
    assert (kept.device_id, kept.user_id, kept.told_at, kept.offset_ms) == (device.id, user.id, told, 60_000)
    assert kept.happened_at == told + timedelta(minutes=1)


def test_a_doubt_of_the_caller_is_kept_and_counts_for_nothing(db, make, offering):
    (answer,) = send(db, arrival(make.enrolment(offering), review=ReviewReason.SECOND_FROM_BROWSER))
    assert outcomes([answer]) == [("review", "second_from_browser")]
    assert db.scalar(select(func.count()).select_from(Attendance)) == 0


@pytest.fixture
def sessions_of(fresh_database):
    engine = create_engine(fresh_database, pool_size=50, connect_args={"options": "-c timezone=UTC"})
    yield engine
    engine.dispose()


def test_fifty_devices_send_the_same_people_in_other_orders(sessions_of):
    with Session(sessions_of) as db:
        offering = Make(db).offering()
        meeting = offering.sessions[0].id
        people = [Make(db).enrolment(offering).id for _ in range(20)]
        db.commit()

    def device(seed):
        mixed = Random(seed).sample(people, len(people))
        with Session(sessions_of) as own:
            answers = record_all(
                own, [AttendanceInput(uuid4(), meeting, one) for one in mixed], user_id=None, now=clock.now()
            )
            own.commit()
            return [answer.outcome for answer in answers]

    with ThreadPoolExecutor(50) as threads:
        told = [outcome for answers in threads.map(device, range(50)) for outcome in answers]
    with Session(sessions_of) as db:
        assert db.scalar(select(func.count()).select_from(Attendance)) == 20
        assert db.scalar(select(func.count()).select_from(AttendanceEvent)) == 1000
    assert (told.count(Outcome.ACCEPTED), told.count(Outcome.ALREADY)) == (20, 980)


def test_one_batch_sent_by_twenty_at_once_is_kept_once(sessions_of):
    with Session(sessions_of) as db:
        offering = Make(db).offering()
        meeting = offering.sessions[0].id
        batch = [AttendanceInput(uuid4(), meeting, Make(db).enrolment(offering).id) for _ in range(5)]
        batch.append(AttendanceInput(uuid4(), meeting, walk_in=WalkIn(uuid4(), "李娜")))
        batch.append(AttendanceInput(uuid4(), meeting, ticket="nobody's"))
        db.commit()

    def attempt(_):
        with Session(sessions_of) as own:
            answers = record_all(own, batch, user_id=None, now=clock.now())
            own.commit()
            return tuple(outcomes(answers))

    with ThreadPoolExecutor(20) as threads:
        told = set(threads.map(attempt, range(20)))
    assert told == {(("accepted", "arrived"),) * 5 + (("review", "walk_in_match"), ("review", "unknown_ticket"))}
    with Session(sessions_of) as db:
        assert db.scalar(select(func.count()).select_from(AttendanceEvent)) == 7
        assert db.scalar(select(func.count()).select_from(AuditEntry)) == 5
