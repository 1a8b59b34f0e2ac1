"""The page of the own contacts."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lms.accounts import passwords, user_contacts
from lms.accounts.models import User
from lms.core.contacts import ContactKind
from lms.core.scope import Role
from tests.factories import PASSWORD, Make
from tests.lms.accounts.conftest import enter
from tests.lms.accounts.test_contact_checks import code_in

SignIn = Callable[[User], FlaskClient]
PHONE = "+8613800138000"


def test_a_phone_is_added_and_removed(make: Make, sign_in: SignIn, db: Session) -> None:
    user = make.user(Role.AUDITOR)
    browser = sign_in(user)
    assert browser.get("/account/contacts").status_code == 200
    assert browser.post("/account/contacts/phone", data={"phone": "12"}).status_code == 422
    asked = browser.post("/account/contacts/phone", data={"phone": "138 0013 8000"})
    assert asked.location.startswith("/prove/")
    assert browser.post(asked.location, data={"code": code_in(db)}).location == user_contacts.PAGE
    db.refresh(user)
    assert (user.phone, user.is_proven(ContactKind.PHONE)) == (PHONE, True)
    assert browser.post("/account/contacts/email/remove").status_code == 302
    db.refresh(user)
    assert user.email is None
    browser.post("/account/contacts/phone/remove")
    db.refresh(user)
    assert user.phone == PHONE


def test_an_administrators_change_is_taken_or_refused_by_the_owner(
    app: Flask, make: Make, sign_in: SignIn, db: Session
) -> None:
    user = make.user(Role.AUDITOR, password_hash="x")
    browser = sign_in(user)
    with app.app_context():
        user_contacts.ask_for_change(db, user, ContactKind.PHONE, PHONE)
    db.commit()
    assert "138****8000" in browser.get("/account/contacts").text
    assert browser.post("/account/contacts/phone/code").location.startswith("/prove/")
    assert browser.post("/account/contacts/phone/refuse").status_code == 302
    assert browser.post("/account/contacts/phone/refuse").status_code == 404
    assert browser.post("/account/contacts/phone/code").location == "/account/contacts"
    db.refresh(user)
    assert user.phone is None


def test_without_a_proven_contact_no_other_page_opens(client: FlaskClient, make: Make, db: Session) -> None:
    """An account of former times: made with a phone that anybody could have typed."""
    user = make.user(Role.TRAINEE, email=None, phone=PHONE, proven=False, password_hash=passwords.seal(PASSWORD))
    db.commit()
    assert enter(client, PHONE) == 302
    for address in ("/my-training/", "/account/", "/account/devices"):
        answer = client.get(address)
        assert (answer.status_code, answer.location.partition("?")[0]) == (302, "/account/contacts")
    assert client.post("/account/", data={"name": "x", "language": "en"}).status_code in {401, 403}
    assert "13800138000" in client.get("/account/contacts").text
    asked = client.post("/account/contacts/phone", data={"phone": PHONE})
    client.post(asked.location, data={"code": code_in(db)})
    assert client.get("/my-training/").status_code == 200
    db.refresh(user)
    assert user.is_proven(ContactKind.PHONE)


def test_who_has_proven_both_chooses_where_messages_come_first(make: Make, sign_in: SignIn, db: Session) -> None:
    user = make.user(Role.TRAINEE, phone=PHONE)
    browser = sign_in(user)
    assert 'name="messages_by"' in browser.get("/account/contacts").text
    browser.post("/account/contacts/messages", data={"messages_by": "carrier pigeon"})
    db.refresh(user)
    assert user.messages_by is None
    browser.post("/account/contacts/messages", data={"messages_by": "phone"})
    db.refresh(user)
    assert user.messages_by is ContactKind.PHONE
    assert 'name="messages_by"' not in sign_in(make.user(Role.TRAINEE)).get("/account/contacts").text
