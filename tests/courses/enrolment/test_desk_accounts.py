"""Accounts at the desk: a link that staff hand over to a person whom they have just seen, shown once."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models.trainees import Trainee
from lms.accounts.models import User
from lms.core import clock
from lms.core.contacts import ContactKind, ContactProof
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
PROOF = {"phone": "y", "document": "resident", "seen": "y"}
PASSWORD = "vier Hasen hoppeln heim"


@pytest.fixture
def person(make: Make) -> Trainee:
    return make.trainee("张三", district_id=1, phone="+8613812345678")


@pytest.fixture
def staff(make: Make) -> User:
    return make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1)


def link_on(page: str) -> str:
    found = re.search(r"/sign-in/password/[\w-]+", page)
    assert found is not None
    return found[0]


def test_staff_at_the_desk_open_an_account_for_the_person(
    app: Flask, db: Session, sign_in: SignIn, staff: User, person: Trainee
) -> None:
    desk = sign_in(staff)
    address = f"/trainees/{person.id}/account"
    assert desk.post(address).status_code == 409, "nobody was seen yet"
    desk.post(f"/trainees/{person.id}/proof", data=PROOF)
    assert address in desk.get(f"/trainees/{person.id}").text
    shown = desk.post(address)
    assert shown.headers["Cache-Control"] == "no-store"
    assert "<svg" in shown.text
    link = link_on(shown.text)
    user = db.get(User, db.scalars(select(Trainee.user_id).where(Trainee.id == person.id)).one())
    assert user is not None
    assert not user.is_proven(ContactKind.PHONE)

    phone = app.test_client()
    assert phone.post(link, data={"password": PASSWORD, "again": PASSWORD}).status_code == 302
    db.expire_all()
    assert (user.phone, user.phone_proof, user.phone_proven_by) == ("+8613812345678", ContactProof.STAFF, staff.id)
    assert phone.get(link).status_code == 410
    assert desk.post(address).status_code == 409, "the account is in use"


def test_a_second_link_ends_the_first(app: Flask, sign_in: SignIn, staff: User, person: Trainee) -> None:
    desk = sign_in(staff)
    desk.post(f"/trainees/{person.id}/proof", data=PROOF)
    first, second = (link_on(desk.post(f"/trainees/{person.id}/account").text) for _ in range(2))
    visitor = app.test_client()
    assert (visitor.get(first).status_code, visitor.get(second).status_code) == (410, 200)


def test_a_colleague_or_another_day_does_not_do(
    db: Session, make: Make, sign_in: SignIn, staff: User, person: Trainee
) -> None:
    address = f"/trainees/{person.id}/account"
    person.set_proof(ContactKind.PHONE, ContactProof.STAFF, by=make.user(Role.COORDINATOR).id)
    assert sign_in(staff).post(address).status_code == 409
    person.set_proof(ContactKind.PHONE, ContactProof.CODE)
    assert sign_in(staff).post(address).status_code == 409
    with clock.at(clock.now() - timedelta(hours=2)):
        person.set_proof(ContactKind.PHONE, ContactProof.STAFF, by=staff.id)
    assert sign_in(staff).post(address).status_code == 409


def test_a_phone_that_an_account_has_proven_makes_no_second_one(
    make: Make, sign_in: SignIn, staff: User, person: Trainee
) -> None:
    make.user(Role.TRAINEE, phone="+8613812345678")
    desk = sign_in(staff)
    desk.post(f"/trainees/{person.id}/proof", data=PROOF)
    assert desk.post(f"/trainees/{person.id}/account").status_code == 409


def test_whoever_may_only_propose_hands_nothing_over(make: Make, sign_in: SignIn, person: Trainee) -> None:
    host = make.organisation(2)
    make.enrolment(make.offering(organisation=host), person)
    user = make.user(Role.COORDINATOR, organisation_id=host.id)
    person.set_proof(ContactKind.PHONE, ContactProof.STAFF, by=user.id)
    assert sign_in(user).post(f"/trainees/{person.id}/account").status_code == 403
