"""Places are given once, in order, and never to too many."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from courses.enrolment import listings, places
from courses.enrolment.trainees import TraineeFacts, register
from courses.models.enrolment import Enrolment, EnrolmentSource, EnrolmentState
from courses.models.offerings import OfferingState
from lms.core import clock, crypto
from lms.core.audit import AuditEntry
from lms.core.db import make_engine, make_sessions, transaction
from lms.core.errors import DomainError
from lms.core.mail import COLUMN, OutgoingMail
from tests.factories import Make

STAFF = EnrolmentSource.STAFF
WAITLISTED = EnrolmentState.WAITLISTED
ENROLLED = EnrolmentState.ENROLLED
TOMORROW = timedelta(days=1)


def mails(db: Session) -> list[str]:
    return [
        crypto.cipher().decrypt(COLUMN, row.ref, row.content)
        for row in db.scalars(select(OutgoingMail).order_by(OutgoingMail.id))
        if row.content
    ]


def test_fifty_at_once_for_the_last_place(fresh_database: str) -> None:
    people = 50
    engine = make_engine(fresh_database, pool_size=people)
    sessions = make_sessions(engine)
    with transaction(sessions) as db:
        offering_id = Make(db).offering(capacity=1, starts=[clock.now() + TOMORROW]).id
    together = threading.Barrier(people)

    def go(number: int) -> None:
        together.wait()
        with transaction(sessions) as db:
            facts = TraineeFacts(name=f"学员{number}", phone=f"+86139{number:08d}", birth_year=1990)
            places.enrol(db, offering_id, register(db, facts), source=STAFF)

    with ThreadPoolExecutor(people) as pool:
        list(pool.map(go, range(people)))
    with transaction(sessions) as db:
        rows = db.scalars(select(Enrolment).order_by(Enrolment.id)).all()
        assert [row.state for row in rows] == [ENROLLED] + [WAITLISTED] * (people - 1)
        queued = [row.queued_at for row in rows[1:] if row.queued_at]
        assert queued == sorted(queued)
        assert len(set(queued)) == people - 1
        assert [places.position(db, row) for row in rows[1:]] == list(range(1, people))
    engine.dispose()


@settings(max_examples=25)
@given(
    capacity=st.integers(1, 3),
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("enrol"), st.integers(0, 5)),
            st.tuples(st.just("cancel"), st.integers(0, 5)),
            st.tuples(st.just("grow"), st.integers(1, 2)),
        ),
        max_size=14,
    ),
)
def test_places_follow_a_plain_queue(capacity: int, steps: list[tuple[str, int]], db: Session, make: Make) -> None:
    offering = make.offering(capacity=capacity, starts=[clock.now() + TOMORROW])
    people = [make.trainee() for _ in range(6)]
    inside: list[int] = []
    queue: list[int] = []
    for act, number in steps:
        if act == "grow":
            capacity += number
            offering.capacity = capacity
            places.promote(db, offering.id)
        elif act == "enrol" and number not in inside + queue:
            places.enrol(db, offering.id, people[number], source=STAFF)
            queue.append(number)
        elif act == "enrol":
            with pytest.raises(DomainError, match="already"):
                places.enrol(db, offering.id, people[number], source=STAFF)
        elif number in inside + queue:
            row = places.of_trainee(db, offering.id, people[number].id)
            assert row is not None
            places.cancel(db, row, "临时有事")
            (inside if number in inside else queue).remove(number)
        while queue and len(inside) < capacity:
            inside.append(queue.pop(0))
        listed = listings.listing(db, offering.id)
        assert {line.enrolment.trainee_id for line in listed if line.enrolment.state == ENROLLED} == {
            people[person].id for person in inside
        }
        assert [line.enrolment.trainee_id for line in listed if line.position] == [
            people[person].id for person in queue
        ]


def test_whoever_cancelled_is_not_called_again(db: Session, make: Make) -> None:
    offering = make.offering(capacity=1, starts=[clock.now() + TOMORROW])
    first, second, third = (places.enrol(db, offering.id, make.trainee(), source=STAFF) for _ in range(3))
    places.cancel(db, second, "不来了")
    places.cancel(db, first, "不来了")
    assert (first.state, second.state, third.state) == ("cancelled", "cancelled", "enrolled")
    again = places.enrol(db, offering.id, second.trainee, source=STAFF)
    assert again.id != second.id
    assert places.position(db, again) == 1
    assert again.ticket != second.ticket


def test_nobody_jumps_the_list_when_a_place_is_free(db: Session, make: Make) -> None:
    offering = make.offering(capacity=1, starts=[clock.now() + TOMORROW])
    places.enrol(db, offering.id, make.trainee(), source=STAFF)
    waiting = places.enrol(db, offering.id, make.trainee(), source=STAFF)
    offering.capacity = 2
    late = places.enrol(db, offering.id, make.trainee(), source=STAFF)
    assert (waiting.state, late.state) == (ENROLLED, WAITLISTED)


def test_a_place_beyond_the_capacity(db: Session, make: Make) -> None:
    offering = make.offering(capacity=1)
    places.enrol(db, offering.id, make.trainee(), source=STAFF)
    walk_in = places.enrol(db, offering.id, make.trainee(), source=EnrolmentSource.WALK_IN, over_capacity=True)
    assert walk_in.state == ENROLLED
    waiting = places.enrol(db, offering.id, make.trainee(), source=STAFF)
    assert places.enrol(db, offering.id, waiting.trainee, source=STAFF, over_capacity=True) is waiting
    assert waiting.state == ENROLLED


def test_staff_move_people_up(db: Session, make: Make) -> None:
    offering = make.offering(capacity=1)
    rows = [places.enrol(db, offering.id, make.trainee(), source=STAFF) for _ in range(4)]
    places.move_up(db, rows[3])
    assert [places.position(db, row) for row in rows] == [None, 1, 3, 2]
    places.move_up(db, rows[3])
    places.move_up(db, rows[3])
    assert [places.position(db, row) for row in rows] == [None, 2, 3, 1]
    places.give_place(db, rows[2], "带队老师")
    assert rows[2].state == ENROLLED
    with pytest.raises(DomainError, match="not on the waiting list"):
        places.give_place(db, rows[2], "带队老师")
    actions = db.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"enrolment:{rows[2].id}")).all()
    assert actions == ["enrolment.create", "enrolment.promote"]


def test_what_is_refused(db: Session, make: Make) -> None:
    for state in (OfferingState.DRAFT, OfferingState.CANCELLED):
        facts = {"cancel_reason": "停电", "cancelled_at": clock.now()} if state is OfferingState.CANCELLED else {}
        offering = make.offering(state=state, **facts)
        with pytest.raises(DomainError) as refused:
            places.enrol(db, offering.id, make.trainee(), source=STAFF)
        assert refused.value.code == "not_open"


def test_nobody_is_called_to_an_offering_that_is_over(db: Session, make: Make) -> None:
    offering = make.offering(capacity=1, starts=[clock.now() - timedelta(days=2)])
    row = make.enrolment(offering)
    waiting = make.enrolment(offering, state=WAITLISTED)
    places.cancel(db, row, "没有来")
    assert waiting.state == WAITLISTED


def test_mails_carry_the_ticket_in_both_languages(db: Session, make: Make) -> None:
    offering = make.offering(capacity=1, starts=[clock.now() + TOMORROW])
    first = places.enrol(db, offering.id, make.trainee(email="a@example.org"), source=STAFF)
    second = places.enrol(db, offering.id, make.trainee(email="b@example.org"), source=STAFF)
    places.enrol(db, offering.id, make.trainee(), source=STAFF)
    places.cancel(db, first, "不来了")
    sent = mails(db)
    assert len(sent) == 3
    assert "候补" in sent[1]
    assert "waiting list" in sent[1]
    assert "a@example.org" in sent[0]
    assert "b@example.org" in sent[2]
    assert f"/tickets/{second.ticket}" in sent[2]
    assert "You have a place now" in sent[2]


def test_overlapping_sessions_of_another_enrolment(db: Session, make: Make) -> None:
    start = clock.now() + TOMORROW
    one = make.offering(starts=[start, start + TOMORROW], hours=4)
    other = make.offering(starts=[start + timedelta(hours=3)], hours=4)
    after = make.offering(starts=[start + timedelta(hours=4)], hours=2)
    person = make.trainee()
    first = places.enrol(db, one.id, person, source=STAFF)
    assert places.overlapping(db, first) == []
    second = places.enrol(db, other.id, person, source=STAFF)
    assert [meeting.id for meeting in places.overlapping(db, first)] == [one.sessions[0].id]
    assert places.clashes(db, person.id, after.id) == [after.sessions[0]]
    places.cancel(db, second, "时间冲突")
    assert places.overlapping(db, first) == []


def test_the_database_refuses_a_second_live_enrolment(db: Session, make: Make) -> None:
    offering, person = make.offering(), make.trainee()
    make.enrolment(offering, person, EnrolmentState.CANCELLED)
    make.enrolment(offering, person)
    with pytest.raises(IntegrityError, match="uq_enrolment_once"):
        make.enrolment(offering, person, WAITLISTED)


def test_a_stranger_gets_no_ticket_and_changes_no_record(db: Session, make: Make) -> None:
    offering = make.offering(starts=[clock.now() + TOMORROW])
    facts = TraineeFacts(name="王小明", phone="+8613912345678", email="real@example.org")
    mine = places.enrol_oneself(db, offering.id, facts)
    assert not mine.again
    stranger = TraineeFacts(name="王 小明", phone="+8613912345678", email="other@example.org", birth_year=1970)
    answer = places.enrol_oneself(db, offering.id, stranger)
    assert answer.again
    person = mine.enrolment.trainee
    assert (person.email, person.birth_year) == ("real@example.org", None)
    assert all("other@example.org" not in text for text in mails(db))
    assert db.scalar(select(func.count()).select_from(Enrolment).where(Enrolment.offering_id == offering.id)) == 1


def test_by_oneself_only_where_it_is_open(db: Session, make: Make) -> None:
    facts = TraineeFacts(name="王小明", phone="+8613912345678")
    soon = [clock.now() + TOMORROW]
    for offering, code in (
        (make.offering(starts=soon, by_invitation=True), "by_invitation"),
        (make.offering(), "begun"),
        (make.offering(starts=soon, state=OfferingState.DRAFT), "not_found"),
    ):
        with pytest.raises(DomainError) as refused:
            places.enrol_oneself(db, offering.id, facts)
        assert refused.value.code == code
