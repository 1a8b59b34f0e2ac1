"""Owing a message: stored encrypted, once for each key, and put on the list to call where no channel leads to the person."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.core import clock, crypto
from lms.core.messages import owing
from lms.core.messages.models import Channel, Message, MessageState
from lms.core.messages.owing import Address, Purpose, Recipient

TICKET = Purpose("test_ticket", "Ticket")
CODE = Purpose("test_code", "Code", called=False)
BY_MAIL = (Address(Channel.EMAIL, "li@example.org"),)
BY_SMS = (Address(Channel.SMS, "+8613800138000"),)


@pytest.fixture
def no_sms(db: Session) -> Iterator[None]:
    """An installation without an SMS gateway."""
    owing.configure(lambda channel, _purpose: channel is Channel.EMAIL)
    yield
    owing.configure(None)


def owe(
    db: Session, purpose: Purpose = TICKET, addresses: tuple[Address, ...] = BY_MAIL, key: str | None = None
) -> None:
    recipient = Recipient("trainee:1", "李雷", addresses)
    owing.owe(db, purpose, recipient, subject="您已报名", text="见凭证", key=key)


def test_a_message_waits_and_its_content_is_encrypted(db: Session) -> None:
    owe(db)
    message = db.scalars(select(Message)).one()
    assert (message.state, message.channel, message.person) == (MessageState.WAITING, Channel.EMAIL, "trainee:1")
    assert message.content is not None
    assert "李雷".encode() not in message.content
    assert owing.Content.of(message).addresses == BY_MAIL


def test_a_message_of_a_key_is_owed_once(db: Session) -> None:
    owe(db, key="reminder:7:30")
    owe(db, key="reminder:7:30")
    assert len(db.scalars(select(Message)).all()) == 1


def test_somebody_without_an_address_is_called_unless_nobody_would_read_it_out(db: Session) -> None:
    owe(db, addresses=())
    owe(db, CODE, addresses=())
    states = db.scalars(select(Message.state).order_by(Message.id)).all()
    assert states == [MessageState.TO_CALL, MessageState.ASIDE]


def test_many_messages_are_one_insert_and_those_of_a_known_key_are_dropped(db: Session, statements: list[str]) -> None:
    owe(db, key="class:1")
    db.info.pop("events", None)
    statements.clear()
    until = clock.now()
    people = [Recipient(f"trainee:{number}", "李雷", BY_MAIL if number % 2 else ()) for number in range(6)]
    drafts = [owing.Draft(TICKET, each, "您已报名", "见凭证", {}, f"class:{n}", until) for n, each in enumerate(people)]
    owing.owe_many(db, drafts)
    owing.owe_many(db, [])
    assert len(statements) == 1
    rows = db.scalars(select(Message).order_by(Message.key)).all()
    assert [row.key for row in rows] == [f"class:{number}" for number in range(6)]
    assert [row.state for row in rows if row.key != "class:1"].count(MessageState.TO_CALL) == 3
    assert all(row.patient for row in rows)
    assert {row.expires_at for row in rows if row.key != "class:1"} == {until}
    assert [type(event) for event in db.info["events"]] == [owing.MessageOwed]


@pytest.mark.usefixtures("no_sms")
def test_an_address_that_no_channel_serves_is_left_out_and_its_number_is_called(db: Session) -> None:
    owe(db, addresses=BY_SMS + BY_MAIL)
    owe(db, addresses=BY_SMS)
    first, second = db.scalars(select(Message).order_by(Message.id)).all()
    assert (first.state, first.channel, first.position) == (MessageState.WAITING, Channel.EMAIL, 1)
    assert (second.state, second.reason) == (MessageState.TO_CALL, "no_channel")
    assert owing.Content.of(second).phone == "+8613800138000"


def test_no_character_of_a_text_keeps_its_cause_from_being_stored(db: Session) -> None:
    owing.owe(db, TICKET, Recipient(None, "\ud800", BY_MAIL), subject="\udcff", text="a\0b")
    message = db.scalars(select(Message)).one()
    assert owing.Content.of(message).name == "\ud800"


def test_the_content_of_an_earlier_mail_is_read_with_its_former_column(db: Session) -> None:
    owe(db)
    message = db.scalars(select(Message)).one()
    message.purpose = owing.EARLIER.code
    clear = '{"to": "li@example.org", "subject": "S", "text": "T"}'
    message.content = crypto.cipher().encrypt(owing.EARLIER_COLUMN, message.ref, clear)
    content = owing.Content.of(message)
    assert (content.addresses, content.subject, content.text) == (BY_MAIL, "S", "T")


def test_an_erased_content_is_not_read(db: Session) -> None:
    message = Message(purpose="p", language="zh", content=None, state=MessageState.SENT, settled_at=clock.now())
    with pytest.raises(ValueError, match="erased"):
        owing.Content.of(message)


def test_a_purpose_that_is_no_longer_used_has_its_code_as_label() -> None:
    assert owing.purpose_of("test_ticket") is TICKET
    assert owing.purpose_of("of_old").label == "of_old"
