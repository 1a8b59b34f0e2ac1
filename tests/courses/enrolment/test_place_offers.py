"""Answers to offers: good once, harmless twice, never after the end, and never more people than places."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import place_offers, places, waiting_groups, waiting_list
from courses.enrolment.place_counts import count_places
from courses.enrolment.trainees import TraineeFacts
from courses.models.enrolment import Enrolment, EnrolmentSource, EnrolmentState
from courses.models.offerings import Offering
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.engine import make_engine
from lms.core.errors import DomainError
from lms.core.messages.models import Message, MessageState
from lms.core.messages.owing import Content
from lms.core.transactions import make_sessions, transaction
from tests.factories import Make

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STAFF = EnrolmentSource.STAFF


def full(db: Session, make: Make, waiting: int) -> tuple[Offering, list[Enrolment]]:
    """An offering with one place, and its enrolments: the first has the place."""
    offering = make.offering(capacity=1, starts=[clock.now() + 30 * DAY])
    rows = [
        places.enrol(db, offering.id, make.trainee(), source=STAFF, given=TraineeFacts("学员", phone=make.phone()))
        for _ in range(waiting + 1)
    ]
    return offering, rows


def test_an_offer_is_accepted_once(db: Session, make: Make) -> None:
    _offering, (first, second, third) = full(db, make, 2)
    places.cancel(db, first, "有事")
    assert [place_offers.accept(db, second) for _ in range(2)] == [1, 0]
    assert (second.state, second.offered_until, third.is_offered) == ("enrolled", None, False)
    with pytest.raises(DomainError, match="accepted this place"):
        place_offers.decline(db, second)
    with pytest.raises(DomainError, match="offer has ended"):
        place_offers.accept(db, third)
    assert db.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"enrolment:{second.id}")).all() == [
        "enrolment.create", "enrolment.offer", "enrolment.accept",
    ]  # fmt: skip


def test_whoever_enrols_again_is_told_of_the_offer(db: Session, make: Make) -> None:
    offering = make.offering(capacity=1, starts=[clock.now() + 30 * DAY])
    first = places.enrol(db, offering.id, make.trainee(), source=STAFF)
    facts = TraineeFacts("王芳", phone=make.phone())
    places.enrol_oneself(db, offering.id, facts)
    places.cancel(db, first, "有事")
    assert places.enrol_oneself(db, offering.id, facts).already_enrolled
    again = db.scalars(select(Message).where(Message.purpose == "ticket_again")).one()
    assert "It is held for you until" in Content.of(again).text


def test_a_declined_place_goes_on(db: Session, make: Make) -> None:
    _offering, (first, second, third) = full(db, make, 2)
    places.cancel(db, first, "有事")
    assert [place_offers.decline(db, second) for _ in range(2)] == [1, 0]
    assert (second.state, second.offered_until, third.is_offered) == ("cancelled", None, True)
    with pytest.raises(DomainError, match="offer has ended"):
        place_offers.accept(db, second)


def test_an_offer_that_ended_is_never_accepted_though_nobody_settled_it(db: Session, make: Make) -> None:
    offering, (first, second) = full(db, make, 1)
    places.cancel(db, first, "有事")
    with clock.at(clock.now() + DAY):
        for answer in (place_offers.accept, place_offers.decline):
            with pytest.raises(DomainError, match="offer has ended"):
                answer(db, second)
    places.lock_offerings(db, [offering.id])
    offering.state = "closed"  # type: ignore[assignment]
    assert not place_offers.is_open(second)


def test_staff_withdraw_an_offer_and_the_person_stands_at_the_end(db: Session, make: Make) -> None:
    offering, (first, second, third) = full(db, make, 2)
    places.cancel(db, first, "有事")
    place_offers.withdraw(db, second, "名额保留给讲师")
    assert (second.state, second.is_offered, third.is_offered) == ("waitlisted", False, True)
    assert waiting_list.position(db, second) == 1
    states = {
        row.purpose: row.state
        for row in db.scalars(select(Message).where(Message.person == f"trainee:{second.trainee_id}"))
    }
    assert states["place_offer"] == MessageState.ASIDE
    assert states["offer_withdrawn"] == MessageState.WAITING
    with pytest.raises(DomainError, match="No place is offered"):
        place_offers.withdraw(db, second, "再来")
    place_offers.decline(db, third)
    assert second.is_offered
    places.give_place(db, second, "等了很久")
    assert (second.state, second.offered_until, count_places(db, offering).taken) == ("enrolled", None, 1)


def test_whoever_enrolled_others_answers_for_all_in_one_tap(db: Session, make: Make) -> None:
    offering = make.offering(capacity=3, starts=[clock.now() + 30 * DAY])
    seated = [places.enrol(db, offering.id, make.trainee(), source=STAFF) for _ in range(3)]
    phone = make.phone()
    mother = places.enrol_oneself(db, offering.id, TraineeFacts("王芳", phone=phone)).enrolment
    children = [
        places.enrol_oneself(db, offering.id, TraineeFacts(name, phone=phone), companion=mother).enrolment
        for name in ("李明", "李红")
    ]
    assert waiting_groups.standing(db, children[0]) is not None
    for row in seated:
        places.cancel(db, row, "有事")
    offers = db.scalars(select(Message).where(Message.purpose == "place_offer")).all()
    assert [message.person for message in offers] == [f"trainee:{mother.trainee_id}"]
    assert place_offers.answered_with(db, mother) == [mother, *children]
    assert place_offers.answered_with(db, children[1]) == [children[1]]
    assert place_offers.decline(db, children[1]) == 1
    assert place_offers.accept(db, mother) == 2
    assert [row.state for row in (mother, *children)] == ["enrolled", "enrolled", "cancelled"]


def test_fifty_accept_decline_and_cancel_at_once(fresh_database: str) -> None:
    people, capacity = 50, 10
    engine = make_engine(fresh_database, pool_size=people)
    sessions = make_sessions(engine)
    with transaction(sessions) as db:
        make = Make(db)
        offering_id = make.offering(capacity=capacity, starts=[clock.now() + 30 * DAY]).id
        for _ in range(people):
            given = TraineeFacts("学员", phone=make.phone())
            places.enrol(db, offering_id, make.trainee(), source=STAFF, given=given)
    together = threading.Barrier(people)
    acts: list[Callable[[Session, Enrolment], object]] = [
        lambda db, row: places.cancel(db, row, "有事"),
        place_offers.accept,
        place_offers.decline,
        place_offers.accept,
    ]

    def go(number: int) -> None:
        together.wait()
        for turn in range(4):
            try:
                with transaction(sessions) as db:
                    rows = db.scalars(
                        select(Enrolment).where(Enrolment.offering_id == offering_id).order_by(Enrolment.id)
                    ).all()
                    acts[(number + turn) % len(acts)](db, rows[number])
            except DomainError:
                pass
            with transaction(sessions) as db:
                offering = db.get_one(Offering, offering_id)
                assert count_places(db, offering).taken <= capacity

    with ThreadPoolExecutor(people) as pool:
        list(pool.map(go, range(people)))
    with transaction(sessions) as db:
        counts = count_places(db, db.get_one(Offering, offering_id))
        assert counts.taken <= capacity
        assert counts.waiting == 0 or counts.taken == capacity  # no place stays empty while somebody waits
        states = db.scalars(select(Enrolment.state).where(Enrolment.offering_id == offering_id)).all()
        assert EnrolmentState.CANCELLED in states
    engine.dispose()
