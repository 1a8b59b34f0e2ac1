"""Notices to the owner of an account: to each proven contact, in the owner's language."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.accounts import notices
from lms.accounts.models import User
from lms.accounts.notices import Notice
from lms.core.contacts import ContactKind, ContactProof
from lms.core.messages import owing
from lms.core.messages.models import Channel, Message
from lms.core.messages.owing import Address
from tests.lms.accounts.conftest import enter

PHONE_AGENT = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36"


def told(db: Session) -> list[dict[str, object]]:
    messages = db.scalars(select(Message).where(Message.purpose.startswith("notice_")).order_by(Message.id))
    return [owing.content_of(message) | {"purpose": message.purpose} for message in messages]


def test_each_proven_contact_is_told_and_no_claimed_one(app: Flask, db: Session, person: User) -> None:
    with app.app_context():
        notices.tell(db, person, Notice.PASSWORD)
        assert [content["addresses"] for content in told(db)] == [[["email", person.email]]]
        person.set_proof(ContactKind.PHONE, ContactProof.CODE)
        notices.tell(db, person, Notice.CONTACT, also=[Address(Channel.EMAIL, "old@example.org")])
    assert [content["addresses"] for content in told(db)[1:]] == [
        [["sms", person.phone]],
        [["email", person.email]],
        [["email", "old@example.org"]],
    ]


@pytest.mark.parametrize("notice", Notice)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_notice_says_what_happened_and_what_to_do(
    app: Flask, db: Session, person: User, notice: Notice, language: str
) -> None:
    person.language = language
    with app.app_context():
        notices.tell(db, person, notice, detail="138****5678")
    (content,) = told(db)
    text = str(content["text"])
    assert person.name in text
    assert "138****5678" in text
    assert "{site}/sign-in/forgotten" in text
    assert ("If it was not you" in text) == (language == "en")
    assert ("如果不是您本人" in text) == (language == "zh")
    assert "%(" not in text + str(content["subject"])


def test_a_new_browser_is_told_except_the_very_first(
    app: Flask, client: FlaskClient, person: User, db: Session
) -> None:
    enter(client, person.email or "")
    client.post("/account/sign-out")
    enter(client, person.email or "")
    assert told(db) == []
    elsewhere = app.test_client()
    elsewhere.post(
        "/sign-in/",
        data={"identifier": person.email, "password": "correct horse battery"},
        headers={"User-Agent": PHONE_AGENT},
    )
    (content,) = told(db)
    assert content["purpose"] == "notice_browser"
    assert "Chrome · Android" in str(content["text"])
