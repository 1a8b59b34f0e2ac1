"""The register of instructors: who may teach what and when, who sees whom, validity filters, and accounts."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from instructors import invitations, register
from instructors.models import Instructor, Level, Qualification
from instructors.register import InstructorFacts, InstructorFilter, Validity
from lms.accounts.password_links import Site
from lms.core.scope import EVERYTHING, Scope
from tests.factories import Make

TODAY = date(2026, 6, 1)
SITE = Site("https://training.example.org", "红十字会", "Red Cross")


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


def test_a_changed_contact_ends_the_invitation_that_was_sent_to_the_former_one(db: Session, make: Make) -> None:
    person = make.instructor()
    person.email = "z@example.org"
    db.flush()
    invitations.send(db, person, SITE)
    facts = InstructorFacts(person.name, person.registration_number, 1, Level.JUNIOR, None, "z@example.org")
    register.change(db, person, facts, True, EVERYTHING)
    assert invitations.pending(db, person) is not None
    register.change(db, person, replace(facts, email="other@example.org"), True, EVERYTHING)
    assert invitations.pending(db, person) is None
    assert person.email == "other@example.org"


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
