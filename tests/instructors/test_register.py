"""Who may teach what, when, and who sees whom."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from instructors import register
from instructors.models import Qualification
from lms.core.scope import EVERYTHING, Scope
from tests.factories import Make

FROM, UNTIL = date(2026, 1, 1), date(2026, 12, 31)


@given(st.integers(-400, 800))
def test_may_lead_on_the_days_of_the_qualification_and_no_other(db: Session, make: Make, days: int) -> None:
    person = make.instructor("RESCUE")
    person.qualifications[0].valid_from, person.qualifications[0].valid_until = FROM, UNTIL
    db.flush()
    day = FROM + timedelta(days=days)
    assert register.may_lead(db, person.id, "RESCUE", day) is (FROM <= day <= UNTIL)
    assert not register.may_lead(db, person.id, "INSTRUCTOR", day)


def test_who_left_the_register_may_not_lead(db: Session, make: Make) -> None:
    person = make.instructor()
    assert register.may_lead(db, person.id, "RESCUE", FROM)
    person.active = False
    db.flush()
    assert not register.may_lead(db, person.id, "RESCUE", FROM)
    assert person not in register.qualified(db, "RESCUE", FROM, EVERYTHING)


def test_nobody_who_does_not_exist_may_lead(db: Session) -> None:
    assert not register.may_lead(db, 10**12, "RESCUE", FROM)


def test_each_planner_is_offered_the_instructors_of_the_district(db: Session, make: Make) -> None:
    here, there = make.instructor("RESCUE", district_id=1), make.instructor("RESCUE", district_id=2)
    host = make.organisation(2)
    assert {here, there} <= set(register.qualified(db, "RESCUE", FROM, EVERYTHING))
    assert there not in register.qualified(db, "RESCUE", FROM, Scope(district_ids=frozenset({1})))
    assert here in register.qualified(db, "RESCUE", FROM, Scope(district_ids=frozenset({1})))
    offered = register.qualified(db, "RESCUE", FROM, Scope(organisation_ids=frozenset({host.id})))
    assert there in offered
    assert here not in offered
    assert register.qualified(db, "RESCUE", FROM, Scope()) == []


def test_two_qualifications_offer_an_instructor_once(db: Session, make: Make) -> None:
    person = make.instructor("RESCUE")
    person.qualifications.append(Qualification(programme_code="RESCUE", valid_from=FROM, valid_until=UNTIL))
    db.flush()
    assert register.qualified(db, "RESCUE", FROM, EVERYTHING).count(person) == 1
