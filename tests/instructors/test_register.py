"""The register of instructors: who may teach what and when, who sees whom, validity filters, and accounts."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from instructors import register
from instructors.models import Instructor, Qualification
from instructors.register import InstructorFilter, Validity
from lms.accounts import users
from lms.accounts.password_links import Site
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING, Role, Scope
from tests.factories import Make
from tests.lms.accounts.test_users import mails

TODAY = date(2026, 6, 1)
SITE = Site("https://training.example.org", "红十字会", "Red Cross")
DISTRICT_1 = Scope(district_ids=frozenset({1}))


def periods(person: Instructor, *spans: tuple[int, int], programme: str = "RESCUE") -> Instructor:
    """Give an instructor these periods instead, in days from TODAY."""
    person.qualifications[:] = [
        Qualification(
            programme_code=programme,
            valid_from=TODAY + timedelta(days=first),
            valid_until=TODAY + timedelta(days=last),
        )
        for first, last in spans
    ]
    return person


def test_validity_looks_at_the_last_period_of_a_programme(db: Session, make: Make) -> None:
    valid = periods(make.instructor(), (-10, 500))
    soon = periods(make.instructor(), (-500, 90))
    today = periods(make.instructor(), (-500, 0))
    renewed = periods(make.instructor(), (-500, 30), (31, 900))
    expired = periods(make.instructor(), (-500, -1))
    without = periods(make.instructor())
    db.flush()

    def found(validity: Validity | None, programme: str | None = "RESCUE") -> set[Instructor]:
        wanted = InstructorFilter(programme_code=programme, validity=validity)
        return set(register.listing(db, EVERYTHING, wanted, TODAY, 1).rows)

    assert found(Validity.VALID) == {valid, soon, today, renewed}
    assert found(Validity.EXPIRING) == {soon, today}
    assert found(Validity.EXPIRED) == {expired}
    assert found(None) == {valid, soon, today, renewed, expired}
    assert without in found(None, None)
    assert found(Validity.EXPIRED, None) == {expired}
    assert found(Validity.VALID, "INSTRUCTOR") == set()


def test_an_account_is_made_and_its_owner_invited(db: Session, make: Make) -> None:
    person = make.instructor(name="郑红")
    assert register.give_account(db, person, email="z@example.org", phone=None, scope=DISTRICT_1, site=SITE) is None
    user = users.find(db, "z@example.org")
    assert user is not None
    assert person.user_id == user.id
    assert [grant.role for grant in user.grants] == [Role.INSTRUCTOR]
    assert "z@example.org" in mails(db)[0]
    with pytest.raises(DomainError):
        register.give_account(db, person, email="other@example.org", phone=None, scope=DISTRICT_1, site=SITE)


def test_an_account_that_is_there_gains_the_role(db: Session, make: Make) -> None:
    host = make.organisation(1)
    user = make.user(Role.COORDINATOR, organisation_id=host.id)
    person = make.instructor()
    register.give_account(db, person, email=user.email, phone=None, scope=DISTRICT_1, site=SITE)
    assert person.user_id == user.id
    assert {grant.role for grant in user.grants} == {Role.COORDINATOR, Role.INSTRUCTOR}
    assert mails(db) == []


def test_a_district_does_not_take_an_account_of_elsewhere(db: Session, make: Make) -> None:
    admin = make.user(Role.CITY_ADMINISTRATOR)
    with pytest.raises(DomainError) as refusal:
        register.give_account(db, make.instructor(), email=admin.email, phone=None, scope=DISTRICT_1, site=SITE)
    assert refusal.value.code == "beyond_reach"


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
