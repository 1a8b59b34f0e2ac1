"""Invitations of instructors: sent to the register's contact, accepted once, and never matched with an account."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask.testing import FlaskClient
from sqlalchemy import create_engine, select, update
from sqlalchemy.orm import Session

from instructors import invitations
from instructors.models import Instructor, InstructorInvitation
from lms.accounts import passwords, users
from lms.accounts.models import User
from lms.accounts.password_links import Site
from lms.core import clock
from lms.core.contacts import ContactKind, ContactProof
from lms.core.errors import DomainError
from lms.core.messages import owing
from lms.core.messages.models import Channel, Message
from lms.core.scope import Role
from tests.factories import PASSWORD, Make

SignIn = Callable[[User], FlaskClient]
SITE = Site("https://training.example.org", "红十字会", "Red Cross")
PHONE = "+8613800138000"
EMAIL = "zheng@example.org"


@pytest.fixture
def person(make: Make, db: Session) -> Instructor:
    """An instructor of district 1 with a phone and an e-mail address, and without an account."""
    row = make.instructor(name="郑红")
    row.phone, row.email = PHONE, EMAIL
    db.commit()
    return row


def sent(db: Session, person: Instructor) -> str:
    """Send an invitation, and return the token in it."""
    invitations.send(db, person, SITE)
    message = db.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()
    db.commit()
    match = re.search(r"/invitations/([\w-]{22})", str(owing.content_of(message)["text"]))
    assert match
    return match[1]


def test_it_goes_to_the_registers_mail_else_by_sms(db: Session, person: Instructor) -> None:
    sent(db, person)
    message = db.scalars(select(Message)).one()
    assert owing.content_of(message)["addresses"] == [[Channel.EMAIL, EMAIL]]
    person.email = None
    db.execute(update(InstructorInvitation).values(created_at=clock.now() - timedelta(hours=1)))
    token = sent(db, person)
    message = db.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()
    assert owing.content_of(message)["addresses"] == [[Channel.SMS, PHONE]]
    assert owing.content_of(message)["parameters"] == {"token": token}
    person.phone = None
    with pytest.raises(DomainError, match="Enter one first"):
        invitations.send(db, person, SITE)


def test_a_visitors_account_with_the_instructors_phone_gets_nothing(
    db: Session, make: Make, person: Instructor, sign_in: SignIn
) -> None:
    """A visitor who knew the phone made an account that claims it; the invitation does not look for accounts."""
    visitor = make.user(Role.TRAINEE, email=None, phone=PHONE, proven=False, password_hash=passwords.seal(PASSWORD))
    db.commit()
    admin = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR))
    assert admin.post(f"/instructors/{person.id}/invitation").status_code == 302
    db.expire_all()
    assert person.user_id is None
    assert [grant.role for grant in visitor.grants] == [Role.TRAINEE]
    token = sent_by_sms(db, person)
    user = invitations.accept_with_new_account(db, token, PASSWORD, "zh")
    db.expire_all()
    assert user.id != visitor.id
    assert (person.user_id, user.phone, user.phone_proof) == (user.id, PHONE, ContactProof.LINK)
    assert (visitor.phone, visitor.disabled_at is None) == (None, False)
    assert users.find(db, PHONE) is user


def sent_by_sms(db: Session, person: Instructor) -> str:
    person.email = None
    db.execute(update(InstructorInvitation).values(created_at=clock.now() - timedelta(hours=1)))
    db.flush()
    return sent(db, person)


def test_opening_the_link_changes_nothing_and_a_new_account_is_made_once(
    client: FlaskClient, db: Session, person: Instructor
) -> None:
    token = sent(db, person)
    for method in ("GET", "HEAD", "GET"):
        assert client.open(f"/invitations/{token}", method=method).status_code == 200
    db.refresh(person)
    assert person.user_id is None
    page = client.get(f"/invitations/{token}")
    assert "z***@example.org" in page.text
    assert EMAIL not in page.text
    assert client.post(f"/invitations/{token}/account", data={"password": "short"}).status_code == 422
    assert client.post(f"/invitations/{token}/account", data={"password": PASSWORD}).status_code == 302
    db.refresh(person)
    user = users.authenticate(users.claimed(db, EMAIL, None), PASSWORD)
    assert person.user_id == user.id
    assert [grant.role for grant in user.grants] == [Role.INSTRUCTOR]
    assert user.is_proven(ContactKind.EMAIL)
    assert client.post(f"/invitations/{token}/account", data={"password": PASSWORD}).status_code == 410


def test_accepted_with_the_account_that_is_signed_in(
    db: Session, make: Make, person: Instructor, sign_in: SignIn, client: FlaskClient
) -> None:
    user = make.user(Role.TRAINEE, email="own@example.org")
    browser = sign_in(user)
    token = sent_by_sms(db, person)
    assert client.post(f"/invitations/{token}/accept").status_code == 403
    assert user.name in browser.get(f"/invitations/{token}").text
    assert browser.post(f"/invitations/{token}/accept").status_code == 302
    db.expire_all()
    assert person.user_id == user.id
    assert {grant.role for grant in user.grants} == {Role.TRAINEE, Role.INSTRUCTOR}
    assert (user.phone, user.is_proven(ContactKind.PHONE)) == (PHONE, True)
    assert user.email == "own@example.org"
    assert browser.get(f"/invitations/{token}").status_code == 410


def test_who_has_proven_the_contact_is_asked_to_sign_in(db: Session, make: Make, person: Instructor) -> None:
    make.user(Role.TRAINEE, email=EMAIL)
    token = sent(db, person)
    with pytest.raises(DomainError, match="Sign in to it"):
        invitations.accept_with_new_account(db, token, PASSWORD, "zh")


def test_an_account_stands_for_one_instructor(db: Session, make: Make, person: Instructor, sign_in: SignIn) -> None:
    user = make.user(Role.INSTRUCTOR)
    make.instructor(user=user)
    token = sent(db, person)
    answer = sign_in(user).post(f"/invitations/{token}/accept")
    assert answer.status_code == 422
    db.refresh(person)
    assert person.user_id is None


def test_sent_again_withdrawn_and_expired(
    db: Session, person: Instructor, make: Make, sign_in: SignIn, client: FlaskClient
) -> None:
    admin = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR))
    first = sent(db, person)
    admin.post(f"/instructors/{person.id}/invitation")
    assert client.get(f"/invitations/{first}").status_code == 200  # a second one within a minute is refused
    second = sent_by_sms(db, person)
    assert client.get(f"/invitations/{first}").status_code == 410
    assert client.get(f"/invitations/{second}").status_code == 200
    admin.post(f"/instructors/{person.id}/invitation/withdraw")
    assert client.get(f"/invitations/{second}").status_code == 410
    third = sent_by_sms(db, person)
    db.execute(update(InstructorInvitation).values(expires_at=clock.now()))
    db.commit()
    assert client.post(f"/invitations/{third}/account", data={"password": PASSWORD}).status_code == 410


def test_handed_over_in_person_is_a_proof_by_staff(
    db: Session, person: Instructor, make: Make, sign_in: SignIn, client: FlaskClient
) -> None:
    administrator = make.user(Role.DISTRICT_ADMINISTRATOR)
    page = sign_in(administrator).post(f"/instructors/{person.id}/invitation/in-person")
    assert "<svg" in page.text
    match = re.search(r"/invitations/([\w-]{22})", page.text)
    assert match
    assert db.scalars(select(Message)).all() == []
    assert client.post(f"/invitations/{match[1]}/account", data={"password": PASSWORD}).status_code == 302
    user = users.authenticate(users.claimed(db, PHONE, None), PASSWORD)
    assert (user.phone_proof, user.phone_proven_by) == (ContactProof.STAFF, administrator.id)


def test_of_two_acceptances_at_once_one_wins(fresh_database: str) -> None:
    engine = create_engine(fresh_database)
    with Session(engine) as db:
        make = Make(db)
        row = make.instructor()
        row.email = EMAIL
        people = [make.user(Role.TRAINEE).id for _ in range(4)]
        db.commit()
        token = invitations.hand_over(db, row, SITE).rpartition("/")[2]
        db.commit()
    begin = Barrier(4)

    def accept(user_id: int) -> bool:
        with Session(engine) as db:
            user = db.get_one(User, user_id)
            begin.wait()
            try:
                invitations.accept(db, token, user)
                db.commit()
            except DomainError:
                return False
            return True

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(accept, people)) == [False, False, False, True]
    with Session(engine) as db:
        holders = [user_id for user_id in people if len(db.get_one(User, user_id).grants) == 2]
        assert [db.scalars(select(Instructor.user_id)).one()] == holders
    engine.dispose()
