"""Requests for password links: stored the same for everybody, handled and erased by a worker."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.accounts import password_requests
from lms.accounts.models import PasswordRequest, PasswordReset, User
from lms.accounts.tasks import send_links
from lms.core import clock
from lms.core.contacts import ContactKind, ContactProof
from lms.core.messages import owing
from lms.core.messages.models import Channel, Message
from lms.core.scope import Role
from tests.factories import Make
from tests.lms.accounts.test_password_links import request


@pytest.mark.parametrize("whose", ["known", "nobody's", "claimed", "disabled"])
def test_the_web_does_the_same_whoever_has_the_contact(
    client: FlaskClient, db: Session, make: Make, statements: list[str], whose: str
) -> None:
    user = make.user(Role.AUDITOR, proven=whose != "claimed", email="li@example.org")
    if whose == "disabled":
        user.disabled_at = clock.now()
    db.commit()
    statements.clear()
    client.post("/sign-in/forgotten", data={"identifier": "x@example.org" if whose == "nobody's" else "li@example.org"})
    assert [statement.split()[0:3] for statement in statements] == [["INSERT", "INTO", "password_request"]]


def test_a_request_is_sealed_and_erased_when_it_is_handled(client: FlaskClient, db: Session, make: Make) -> None:
    user = make.user(Role.AUDITOR)
    db.commit()
    for identifier in (user.email or "", "nobody@example.org"):
        client.post("/sign-in/forgotten", data={"identifier": identifier})
    rows = db.scalars(select(PasswordRequest)).all()
    assert len(rows) == 2
    assert all(b"example.org" not in row.identifier_sealed for row in rows)
    with client.application.app_context():
        send_links()
        send_links()
    assert db.scalars(select(PasswordRequest.id)).all() == []
    assert len(db.scalars(select(Message)).all()) == 1


def test_a_proven_phone_gets_the_link_by_sms(client: FlaskClient, db: Session, person: User) -> None:
    request(client, person.phone or "")
    assert db.scalars(select(Message)).all() == []
    person.set_proof(ContactKind.PHONE, ContactProof.CODE)
    db.commit()
    request(client, (person.phone or "").removeprefix("+86"))
    (message,) = db.scalars(select(Message))
    assert message.channel == Channel.SMS
    assert owing.content_of(message)["addresses"] == [["sms", person.phone]]
    assert db.scalars(select(PasswordReset.proves)).all() == [ContactKind.PHONE]


def test_one_account_gets_a_bounded_number_of_links(app: Flask, db: Session, make: Make) -> None:
    user = make.user(Role.AUDITOR)
    db.commit()
    for number in range(10):
        app.test_client().post(
            "/sign-in/forgotten", data={"identifier": user.email}, environ_base={"REMOTE_ADDR": f"10.0.{number}.1"}
        )
    with app.app_context():
        send_links()
    assert len(db.scalars(select(Message)).all()) == password_requests.SENT[0].amount
