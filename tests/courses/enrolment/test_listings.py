"""Lists of enrolments: their order, their positions on the waiting list, and whom a scope lets see them."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from courses.enrolment import listings
from courses.models.enrolment import EnrolmentState
from lms.core import clock
from lms.core.errors import NotFound
from lms.core.scope import EVERYTHING, Role, Scope
from tests.courses.worlds import attend
from tests.factories import Make

DISTRICT_1 = Scope(district_ids=frozenset({1}))
DISTRICT_2 = Scope(district_ids=frozenset({2}))


def test_lists_places_by_name_then_the_waiting_list_in_its_order_then_the_cancelled(db: Session, make: Make) -> None:
    offering = make.offering()
    for name, state in (
        ("B", EnrolmentState.ENROLLED),
        ("A", EnrolmentState.COMPLETED),
        ("C", EnrolmentState.CANCELLED),
    ):
        make.enrolment(offering, make.trainee(name), state)
    later = make.enrolment(offering, make.trainee("D"), EnrolmentState.WAITLISTED)
    first = make.enrolment(offering, make.trainee("E"), EnrolmentState.WAITLISTED)
    later.queued_at = clock.now() + timedelta(minutes=1)
    db.flush()
    rows = listings.list_of_offering(db, offering.id)
    assert [(row.enrolment.trainee.name, row.position) for row in rows] == [
        ("A", None), ("B", None), ("E", 1), ("D", 2), ("C", None),
    ]  # fmt: skip
    assert rows[2].enrolment is first


def test_marks_those_who_attended_a_session(db: Session, make: Make) -> None:
    offering = make.offering()
    present, absent = make.enrolment(offering, make.trainee("A")), make.enrolment(offering, make.trainee("B"))
    attend(db, present, offering.sessions[0])
    rows = {row.enrolment.id: row.attended for row in listings.list_of_offering(db, offering.id)}
    assert rows == {present.id: True, absent.id: False}


def test_finds_the_enrolment_of_a_ticket(db: Session, make: Make) -> None:
    enrolment = make.enrolment(make.offering())
    assert listings.get_by_ticket(db, enrolment.ticket) is enrolment
    with pytest.raises(NotFound):
        listings.get_by_ticket(db, "unknown")


def test_finds_an_enrolment_only_in_its_offering_and_in_scope(db: Session, make: Make) -> None:
    offering, other = make.offering(organisation=make.organisation(1)), make.offering(organisation=make.organisation(1))
    enrolment = make.enrolment(offering)
    assert listings.get_in_offering(db, offering.id, enrolment.id, DISTRICT_1) is enrolment
    for offering_id, scope in ((other.id, DISTRICT_1), (offering.id, DISTRICT_2)):
        with pytest.raises(NotFound):
            listings.get_in_offering(db, offering_id, enrolment.id, scope)


def test_lists_a_trainee_s_enrolments_in_scope_newest_first(db: Session, make: Make) -> None:
    user = make.user(Role.TRAINEE)
    trainee = make.trainee(user_id=user.id)
    first = make.enrolment(make.offering(organisation=make.organisation(1)), trainee)
    second = make.enrolment(make.offering(organisation=make.organisation(2)), trainee)
    make.enrolment(make.offering())
    assert listings.list_of_trainee(db, trainee.id, EVERYTHING) == [second, first]
    assert listings.list_of_trainee(db, trainee.id, DISTRICT_1) == [first]
    assert listings.list_of_user(db, user.id) == [second, first]
