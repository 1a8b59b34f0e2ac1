"""Keeping the register: instructors, their qualifications and accounts."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from instructors import qualifications, register
from instructors.models import Instructor, Qualification
from instructors.register import InstructorFilter, Validity
from lms.accounts import users
from lms.accounts.models import User
from lms.accounts.password_links import Site
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError, NotFound
from lms.core.scope import EVERYTHING, Role, Scope
from tests.factories import Make
from tests.lms.accounts.test_users import mails

SignIn = Callable[[User], FlaskClient]
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


@given(st.integers(-50, 50), st.integers(0, 60), st.integers(-50, 50), st.integers(0, 60))
def test_periods_of_one_programme_never_overlap(  # noqa: PLR0917  # drawn by hypothesis
    db: Session, make: Make, start: int, length: int, other_start: int, other_length: int
) -> None:
    person = periods(make.instructor(), (start, start + length))
    db.flush()
    first, last = TODAY + timedelta(days=other_start), TODAY + timedelta(days=other_start + other_length)
    apart = other_start > start + length or other_start + other_length < start
    if apart:
        qualifications.add(db, person, programme_code="RESCUE", valid_from=first, valid_until=last)
        assert len(person.qualifications) == 2
    else:
        with pytest.raises(DomainError) as refusal:
            qualifications.add(db, person, programme_code="RESCUE", valid_from=first, valid_until=last)
        assert refusal.value.code == "periods_overlap"
    qualifications.add(db, person, programme_code="INSTRUCTOR", valid_from=first, valid_until=last)


def test_a_qualification_ends_early_and_only_early(db: Session, make: Make) -> None:
    person, stranger = periods(make.instructor(), (-10, 10)), make.instructor()
    db.flush()
    row = person.qualifications[0]
    for days, code in ((10, "not_earlier"), (-11, "period")):
        with pytest.raises(DomainError) as refusal:
            qualifications.end(db, person, row.id, last_day=TODAY + timedelta(days=days), reason="x")
        assert refusal.value.code == code
    with pytest.raises(NotFound):
        qualifications.end(db, stranger, row.id, last_day=TODAY, reason="x")
    qualifications.end(db, person, row.id, last_day=TODAY, reason="转岗")
    assert register.may_lead(db, person.id, "RESCUE", TODAY)
    assert not register.may_lead(db, person.id, "RESCUE", TODAY + timedelta(days=1))
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "qualification.end")).one()
    assert entry.reason == "转岗"
    assert entry.before is not None
    assert entry.before["valid_until"] == (TODAY + timedelta(days=10)).isoformat()


def test_registered_and_qualified_through_the_pages(make: Make, sign_in: SignIn, db: Session) -> None:
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR))
    facts = {
        "name": "郑红",
        "registration_number": "BJ-1",
        "district_id": "1",
        "level": "senior",
        "phone": "13800138000",
    }
    assert browser.post("/instructors/new", data=facts | {"district_id": "2"}).status_code == 422
    assert browser.post("/instructors/new", data=facts).status_code == 302
    assert browser.post("/instructors/new", data=facts).status_code == 422
    person = db.scalars(select(Instructor)).one()
    page = f"/instructors/{person.id}"
    period = {"programme": "RESCUE", "valid_from": "2026-01-01", "valid_until": "2099-01-01"}
    assert browser.post(f"{page}/qualifications", data=period).status_code == 302
    assert browser.post(f"{page}/qualifications", data=period).status_code == 422
    assert "郑红" in browser.get("/instructors/?programme=RESCUE&validity=valid").text
    assert "郑红" not in browser.get("/instructors/?programme=INSTRUCTOR").text
    assert browser.post(f"{page}/edit", data=facts | {"level": "junior"}).status_code == 302
    assert "郑红" not in browser.get("/instructors/").text
    assert "郑红" in browser.get("/instructors/?state=left").text
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "instructor.change")).one()
    assert entry.before == {"level": "senior", "active": True}


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


def test_the_list_costs_few_statements(make: Make, sign_in: SignIn, db: Session, statements: list[str]) -> None:
    for _ in range(12):
        make.instructor()
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    statements.clear()
    assert browser.get("/instructors/").status_code == 200
    assert len(statements) <= 9
