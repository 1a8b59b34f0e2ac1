"""Owing a message: stored encrypted, once for each key, and put on the list to call where there is no address."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.core.messages import owing
from lms.core.messages.models import Channel, Message, MessageState
from lms.core.messages.owing import Address, Purpose, Recipient

TICKET = Purpose("ticket", "Ticket")
CODE = Purpose("code", "Code", called=False)
BY_MAIL = (Address(Channel.EMAIL, "li@example.org"),)


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
    assert owing.content_of(message)["addresses"] == [["email", "li@example.org"]]


def test_a_message_of_a_key_is_owed_once(db: Session) -> None:
    owe(db, key="reminder:7:30")
    owe(db, key="reminder:7:30")
    assert len(db.scalars(select(Message)).all()) == 1


def test_somebody_without_an_address_is_called_unless_nobody_would_read_it_out(db: Session) -> None:
    owe(db, addresses=())
    owe(db, CODE, addresses=())
    states = db.scalars(select(Message.state).order_by(Message.id)).all()
    assert states == [MessageState.TO_CALL, MessageState.ASIDE]
