"""Mails: owed in the transaction, sent once by a real mail server or written as a file, wiped afterwards."""

import smtplib
import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.config import Settings
from lms.core import mail
from lms.core.mail import OutgoingMail


class Inbox(MessageHandler):
    """Keeps what arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[EmailMessage] = []

    def prepare_message(self, session: object, envelope: object) -> EmailMessage:
        content = envelope.content  # type: ignore[attr-defined]
        return message_from_bytes(content, policy=policy.default)  # type: ignore[return-value]

    def handle_message(self, message: EmailMessage) -> None:  # type: ignore[override]
        self.mails.append(message)


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, str]]:
    handler = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    yield handler, f"smtp://127.0.0.1:{port}"
    server.stop()


def owe(db: Session) -> OutgoingMail:
    mail.owe(db, recipient="li@example.org", subject="培训班取消", text="您报名的培训班已取消。\n\nIt was cancelled.\n")
    db.flush()
    return db.scalars(select(OutgoingMail)).one()


def test_a_mail_arrives_whole_and_is_wiped(db: Session, settings: Settings, inbox: tuple[Inbox, str]) -> None:
    handler, url = inbox
    owed = owe(db)
    assert owed.content is not None
    assert b"li@example.org" not in owed.content
    assert mail.send(owed, settings.model_copy(update={"mail_url": url}))
    assert owed.content is None
    assert owed.sent_at is not None
    (arrived,) = handler.mails
    assert arrived["To"] == "li@example.org"
    assert arrived["Subject"] == "培训班取消"
    assert "已取消" in arrived.get_content()


def test_a_server_that_is_away_costs_an_attempt_and_not_the_mail(db: Session, settings: Settings) -> None:
    owed = owe(db)
    assert not mail.send(owed, settings.model_copy(update={"mail_url": "smtp://127.0.0.1:9"}))
    assert owed.attempts == 1
    assert owed.content is not None
    assert mail.take_one(db) is owed


def test_a_mail_that_never_goes_stops_being_tried(db: Session) -> None:
    owed = owe(db)
    owed.attempts = mail.ATTEMPTS
    db.flush()
    assert mail.take_one(db) is None


def test_a_mail_is_not_sent_twice(db: Session, settings: Settings) -> None:
    owed = owe(db)
    owed.content = None
    with pytest.raises(ValueError, match="already"):
        mail.send(owed, settings)


def test_the_inbox_of_these_tests_is_a_real_one(inbox: tuple[Inbox, str]) -> None:
    handler, url = inbox
    with smtplib.SMTP("127.0.0.1", int(url.rpartition(":")[2])) as client:
        client.sendmail("a@example.org", ["b@example.org"], "Subject: hello\r\n\r\nthere")
    assert handler.mails[0]["Subject"] == "hello"
