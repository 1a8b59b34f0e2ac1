"""Accounts from a ticket: opened by a code to the record's phone, and by nothing that somebody typed."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import places
from courses.enrolment.trainees import TraineeFacts
from courses.models.enrolment import Enrolment, EnrolmentSource
from courses.models.trainees import Trainee
from lms.accounts import users
from lms.accounts.models import ContactCheck, User
from lms.core import clock
from lms.core.contacts import ContactKind, ContactProof
from lms.core.messages import owing
from lms.core.messages.models import Channel, Message
from lms.core.scope import Role
from tests.factories import Make
from tests.lms.accounts.test_contact_checks import code_in, wrong

SignIn = Callable[[User], FlaskClient]
PHONE = "+8613912345678"
PASSWORD = "a long enough pass phrase 7"


@pytest.fixture
def row(db: Session, make: Make) -> Enrolment:
    """An enrolment by oneself, or by somebody who knows name and phone."""
    offering = make.offering(starts=[clock.now() + timedelta(days=3)])
    facts = TraineeFacts("王小明", PHONE, email="visitor@example.org", birth_year=1990)
    done = places.enrol_oneself(db, offering.id, facts).enrolment
    db.commit()
    return done


def proven_by_code(user: User) -> User:
    user.set_proof(ContactKind.PHONE, ContactProof.CODE)
    return user


def by_staff(db: Session, make: Make) -> Enrolment:
    """The real person is enrolled by staff of another organisation."""
    later = make.offering(starts=[clock.now() + timedelta(days=9)], place="真人的地点")
    person = db.scalars(select(Trainee).where(Trainee.name == "王小明")).one()
    enrolment = places.enrol(db, later.id, person, source=EnrolmentSource.STAFF)
    db.commit()
    return enrolment


def addresses(db: Session) -> set[str]:
    """The addresses to which anything is owed."""
    return {
        str(address[1])
        for message in db.scalars(select(Message))
        for address in owing.content_of(message)["addresses"]  # type: ignore[attr-defined]
    }


def test_a_code_to_the_records_phone_opens_the_account(
    client: FlaskClient, row: Enrolment, db: Session, sign_in: SignIn
) -> None:
    address = f"/tickets/{row.ticket}/account"
    page = client.get(address)
    assert "139****5678" in page.text
    assert "13912345678" not in page.text
    assert 'type="password"' not in page.text
    asked = client.post(address)
    assert asked.location.startswith("/prove/")
    assert client.post(asked.location, data={"code": code_in(db)}).location == address
    assert client.post(address, data={"password": "short"}).status_code == 422
    assert client.post(address, data={"password": PASSWORD}).location == "/sign-in/"
    user = users.authenticate(users.claimed(db, PHONE, None), PASSWORD)
    db.expire_all()
    assert (row.trainee.user_id, user.phone_proof) == (user.id, ContactProof.CODE)
    assert row.trainee.is_proven(ContactKind.PHONE)
    assert [grant.role for grant in user.grants] == [Role.TRAINEE]
    assert row.offering.place in sign_in(user).get("/my-training/").text
    assert client.get(address).status_code == 302


def test_a_visitor_who_knows_name_and_phone_gets_no_account_and_nothing_of_the_person(
    client: FlaskClient, row: Enrolment, db: Session, make: Make, sign_in: SignIn
) -> None:
    """A visitor enrols an unknown person and tries to make the account; later staff enrol the real person."""
    address = f"/tickets/{row.ticket}/account"
    assert client.post(address, data={"password": PASSWORD, "email": "visitor@example.org"}).location.startswith(
        "/prove/"
    )
    page = client.post(address)
    for _ in range(7):
        client.post(page.location, data={"code": wrong(code_in(db))})
    assert client.post(address, data={"password": PASSWORD}).status_code != 200
    real = by_staff(db, make)
    db.expire_all()
    assert row.trainee_id == real.trainee_id
    assert row.trainee.user_id is None
    assert db.scalars(select(User).where(User.phone_index.is_not(None))).all() == []
    own = make.user(Role.TRAINEE, name="王小明", email="visitor@example.org")
    own.phone = PHONE  # typed by the visitor, and not proven
    db.commit()
    browser = sign_in(own)
    assert real.offering.place not in browser.get("/my-training/").text
    assert browser.post("/my-training/link").status_code == 404
    browser.post(f"{address}/link")
    assert real.offering.place not in client.get(f"/tickets/{row.ticket}").text
    assert real.ticket not in client.get(f"/tickets/{row.ticket}").text
    client.post(f"/tickets/{row.ticket}/cancel", data={})
    db.expire_all()
    assert (row.state, real.state, row.trainee.user_id) == ("cancelled", "enrolled", None)


def test_an_own_email_on_the_ticket_opens_nothing_and_gets_no_mail_of_the_persons(
    client: FlaskClient, row: Enrolment, db: Session, make: Make
) -> None:
    before = addresses(db)
    real = by_staff(db, make)
    places.cancel(db, real, "x")
    db.commit()
    told = {str(address) for address in addresses(db) - before}
    assert "visitor@example.org" not in told
    assert row.trainee.email is None or not row.trainee.is_proven(ContactKind.EMAIL)
    assert db.scalars(select(ContactCheck)).all() == []


def test_whoever_asked_for_the_code_gains_nothing_by_the_owners_typing_it(
    app: Flask, client: FlaskClient, row: Enrolment, db: Session
) -> None:
    """The account's password is chosen in the browser in which the code was typed."""
    address = f"/tickets/{row.ticket}/account"
    asked = client.post(address)
    owner = app.test_client()
    owner.post(asked.location, data={"code": code_in(db)})
    assert 'type="password"' not in client.get(address).text
    assert 'type="password"' in owner.get(address).text


def test_an_account_with_the_proven_phone_adds_the_record_by_a_tap(
    row: Enrolment, db: Session, make: Make, sign_in: SignIn, client: FlaskClient
) -> None:
    user = proven_by_code(make.user(Role.INSTRUCTOR, phone=PHONE))
    browser = sign_in(user)
    address = f"/tickets/{row.ticket}/account"
    assert user.name in browser.get(address).text
    assert client.post(f"{address}/link").location == address
    assert browser.post(f"{address}/link").location == "/my-training/"
    db.expire_all()
    assert row.trainee.user_id == user.id
    assert {grant.role for grant in user.grants} == {Role.INSTRUCTOR, Role.TRAINEE}
    assert row.trainee.phone_proof is ContactProof.CODE


def test_who_has_an_account_is_told_to_sign_in_to_it(
    client: FlaskClient, row: Enrolment, db: Session, make: Make
) -> None:
    make.user(Role.TRAINEE, phone=PHONE)
    db.commit()
    address = f"/tickets/{row.ticket}/account"
    asked = client.post(address)
    client.post(asked.location, data={"code": code_in(db)})
    answer = client.post(f"{address}?lang=en", data={"password": PASSWORD})
    assert answer.status_code == 422
    assert "Sign in to it" in answer.text


def test_an_account_of_former_times_gets_its_record_back_by_a_tap(
    row: Enrolment, db: Session, make: Make, sign_in: SignIn
) -> None:
    user = proven_by_code(make.user(Role.TRAINEE, name="王 小明", phone=PHONE))
    other = make.user(Role.TRAINEE, name="李四", email="li@example.org")
    browser = sign_in(user)
    page = browser.get("/my-training/").text
    assert re.search("/my-training/link", page)
    assert "/my-training/link" not in sign_in(other).get("/my-training/").text
    assert browser.post("/my-training/link").status_code == 302
    db.expire_all()
    assert row.trainee.user_id == user.id
    assert browser.post("/my-training/link").status_code == 404


def test_an_account_shows_one_record(row: Enrolment, db: Session, make: Make, sign_in: SignIn) -> None:
    user = proven_by_code(make.user(Role.TRAINEE, phone=PHONE))
    own = make.trainee()
    own.user_id = user.id
    db.commit()
    sign_in(user).post(f"/tickets/{row.ticket}/account/link")
    db.expire_all()
    assert row.trainee.user_id is None


def test_a_record_without_a_phone_is_opened_at_the_desk(client: FlaskClient, row: Enrolment, db: Session) -> None:
    row.trainee.phone = None
    db.commit()
    page = client.get(f"/tickets/{row.ticket}/account?lang=en").text
    assert "Bring your ID document" in page
    assert client.post(f"/tickets/{row.ticket}/account").status_code == 422


def test_a_link_of_the_desk_that_was_never_used_keeps_nobody_out(
    client: FlaskClient, row: Enrolment, db: Session, make: Make
) -> None:
    """Staff made an account, whose link expired unused: whoever proves the phone takes its place."""
    unused = make.user(Role.TRAINEE, email=None, phone=PHONE, proven=False)
    row.trainee.user_id = unused.id
    db.commit()
    address = f"/tickets/{row.ticket}/account"
    asked = client.post(address)
    client.post(asked.location, data={"code": code_in(db)})
    assert client.post(address, data={"password": PASSWORD}).location == "/sign-in/"
    db.expire_all()
    assert row.trainee.user_id != unused.id
    assert unused.disabled_at is not None


def test_without_an_sms_gateway_the_page_leads_to_the_desk(client: FlaskClient, row: Enrolment) -> None:
    address = f"/tickets/{row.ticket}/account"
    owing.configure(lambda channel, _purpose: channel is not Channel.SMS)
    try:
        page = client.get(f"{address}?lang=en").text
        answer = client.post(address)
    finally:
        owing.configure(None)
    assert "Send a code" not in page
    assert "Bring your ID document" in page
    assert answer.status_code == 422


def test_a_phone_that_staff_vouched_for_opens_no_record_before_its_code_came_back(
    row: Enrolment, db: Session, make: Make, sign_in: SignIn
) -> None:
    """A district makes an account with a trainee's name and phone, takes the link itself, and has a ticket of the person."""
    made = make.user(Role.COORDINATOR, Role.TRAINEE, name="王小明")
    made.phone = PHONE
    made.set_proof(ContactKind.PHONE, ContactProof.STAFF, by=made.id)
    db.commit()
    browser = sign_in(made)
    assert "王小明" not in browser.get("/my-training/").text.partition("<main")[2]
    assert browser.post("/my-training/link").status_code == 404
    page = browser.get(f"/tickets/{row.ticket}/account").text
    assert "/account/link" not in page
    browser.post(f"/tickets/{row.ticket}/account/link")
    db.expire_all()
    assert row.trainee.user_id is None
    # The owner of the phone gets the code, types it in the signed-in browser, and adds the record.
    asked = browser.post(f"/tickets/{row.ticket}/account")
    browser.post(asked.location, data={"code": code_in(db)})
    assert "/account/link" in browser.get(f"/tickets/{row.ticket}/account").text
    assert browser.post(f"/tickets/{row.ticket}/account/link").location == "/my-training/"
    db.expire_all()
    assert (row.trainee.user_id, made.phone_proof) == (made.id, ContactProof.CODE)
