"""The places of an offering: given once, in the order of the waiting list, and never beyond the capacity."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from courses.enrolment import listings, places, waiting_list
from courses.enrolment.trainees import TraineeFacts, register
from courses.models.enrolment import Enrolment, EnrolmentSource, EnrolmentState
from courses.models.offerings import OfferingState
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.engine import make_engine
from lms.core.errors import DomainError
from lms.core.transactions import make_sessions, transaction
from tests.factories import Make
from tests.messages import mails

STAFF = EnrolmentSource.STAFF
WAITLISTED = EnrolmentState.WAITLISTED
ENROLLED = EnrolmentState.ENROLLED
TOMORROW = timedelta(days=1)


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
        assert [waiting_list.position(db, row) for row in rows[1:]] == list(range(1, people))
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
            enrolment = places.find_enrolment(db, offering.id, people[number].id)
            assert enrolment is not None
            places.cancel(db, enrolment, "临时有事")
            (inside if number in inside else queue).remove(number)
        while queue and len(inside) < capacity:
            inside.append(queue.pop(0))
        rows = listings.list_of_offering(db, offering.id)
        assert {row.enrolment.trainee_id for row in rows if row.enrolment.state == ENROLLED} == {
            people[person].id for person in inside
        }
        assert [row.enrolment.trainee_id for row in rows if row.position] == [people[person].id for person in queue]


def test_a_cancelled_trainee_gets_no_place_from_the_waiting_list(db: Session, make: Make) -> None:
    offering = make.offering(capacity=1, starts=[clock.now() + TOMORROW])
    first, second, third = (places.enrol(db, offering.id, make.trainee(), source=STAFF) for _ in range(3))
    places.cancel(db, second, "不来了")
    places.cancel(db, first, "不来了")
    assert (first.state, second.state, third.state) == ("cancelled", "cancelled", "enrolled")
    again = places.enrol(db, offering.id, second.trainee, source=STAFF)
    assert again.id != second.id
    assert waiting_list.position(db, again) == 1
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
    assert [waiting_list.position(db, row) for row in rows] == [None, 1, 3, 2]
    places.move_up(db, rows[3])
    places.move_up(db, rows[3])
    assert [waiting_list.position(db, row) for row in rows] == [None, 2, 3, 1]
    places.give_place(db, rows[2], "带队老师")
    assert rows[2].state == ENROLLED
    with pytest.raises(DomainError, match="no longer on the waiting list"):
        places.give_place(db, rows[2], "带队老师")
    actions = db.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"enrolment:{rows[2].id}")).all()
    assert actions == ["enrolment.create", "enrolment.promote"]


def test_a_draft_or_cancelled_offering_takes_no_enrolments(db: Session, make: Make) -> None:
    for state in (OfferingState.DRAFT, OfferingState.CANCELLED):
        facts = {"cancel_reason": "停电", "cancelled_at": clock.now()} if state is OfferingState.CANCELLED else {}
        offering = make.offering(state=state, **facts)
        with pytest.raises(DomainError) as refused:
            places.enrol(db, offering.id, make.trainee(), source=STAFF)
        assert refused.value.code == "not_open"


def test_nobody_gets_a_free_place_in_an_offering_that_is_over(db: Session, make: Make) -> None:
    offering = make.offering(capacity=1, starts=[clock.now() - timedelta(days=2)])
    row = make.enrolment(offering)
    waiting = make.enrolment(offering, state=WAITLISTED)
    places.cancel(db, row, "没有来")
    assert waiting.state == WAITLISTED


def test_the_database_refuses_a_second_live_enrolment(db: Session, make: Make) -> None:
    offering, person = make.offering(), make.trainee()
    make.enrolment(offering, person, EnrolmentState.CANCELLED)
    make.enrolment(offering, person)
    with pytest.raises(IntegrityError, match="uq_enrolment_once"):
        make.enrolment(offering, person, WAITLISTED)


def test_a_stranger_who_knows_name_and_phone_gets_no_ticket_and_changes_no_record(db: Session, make: Make) -> None:
    offering = make.offering(starts=[clock.now() + TOMORROW])
    facts = TraineeFacts(name="王小明", phone="+8613912345678", email="real@example.org")
    own = places.enrol_oneself(db, offering.id, facts)
    assert not own.already_enrolled
    stranger = TraineeFacts(name="王 小明", phone="+8613912345678", email="other@example.org", birth_year=1970)
    result = places.enrol_oneself(db, offering.id, stranger)
    assert result.already_enrolled
    person = own.enrolment.trainee
    assert (person.email, person.birth_year) == ("real@example.org", None)
    assert all("other@example.org" not in text for text in mails(db))
    assert db.scalar(select(func.count()).select_from(Enrolment).where(Enrolment.offering_id == offering.id)) == 1


def test_visitors_enrol_only_in_published_open_coming_offerings(db: Session, make: Make) -> None:
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
