"""Sending through a real mail server: what is refused, put off or poison harms no other message."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lms.config import Settings
from lms.core import clock
from lms.core.messages import retries, sending
from lms.core.messages.channels import configured, smtp
from lms.core.messages.models import Channel, ChannelPause, Message, MessageState
from tests.lms.core.messages.conftest import NOTICE, SECRET, Owe
from tests.lms.core.messages.mail_server import MailServer, free_port
from tests.messages import deliver_all

Send = Callable[..., None]
POISON = (
    "=?utf-8?q?=0A?=@example.com", "a@b\r\nBcc: all@example.org", "a\nb@example.org", "a@", "@example.org", "a b@c.org",
    "<a@example.org>, b@example.org", "a@example.org,b@example.org", "\ud800@example.org", "a@\x00example.org", "a@b@c",
    "\u202ea@example.org", '"a\n"@example.org', "", "undisclosed:;",
)  # fmt: skip


@pytest.fixture
def send(db: Session, settings: Settings, mail_server: MailServer) -> Send:
    """Send what is due through the mail server."""

    def sent(**changes: object) -> None:
        deliver_all(db, settings, **({"mail_url": mail_server.url} | changes))

    return sent


def later(hours: float) -> "clock.at":  # type: ignore[valid-type]
    return clock.at(clock.now() + timedelta(hours=hours))


def test_a_mail_arrives_whole_and_its_content_is_erased(owe: Owe, send: Send, mail_server: MailServer) -> None:
    message = owe("li@example.org")
    send()
    assert (message.state, message.content, message.reason) == (MessageState.SENT, None, None)
    assert message.settled_at is not None
    (arrived,) = mail_server.mails
    assert (arrived["To"], arrived["Subject"]) == ("li@example.org", "培训班取消")
    assert arrived["Message-ID"] == f"<{message.ref.hex}@127.0.0.1>"
    assert "已取消" in arrived.get_content()
    assert "http://127.0.0.1:8000/tickets/x" in arrived.get_content()


def test_a_batch_goes_through_one_connection(owe: Owe, send: Send, mail_server: MailServer) -> None:
    for number in range(20):
        owe(f"p{number}@example.org")
    send()
    assert (len(mail_server.mails), mail_server.connections) == (20, 1)


@pytest.mark.parametrize("address", POISON)
def test_poison_goes_aside_and_the_next_message_arrives(
    owe: Owe, send: Send, mail_server: MailServer, address: str
) -> None:
    poison = owe("x@y")  # replaced, because an empty address or one without @ is none of a phone either
    _readdress(poison, address)
    good = owe("good@example.org")
    send()
    assert poison.state is MessageState.TO_CALL
    assert poison.reason in {"bad_address", "cannot_be_built"}
    assert good.state is MessageState.SENT
    assert mail_server.delivered == {"good@example.org": 1}


def test_a_surrogate_in_a_text_goes_aside(owe: Owe, send: Send) -> None:
    poison = owe("li@example.org", text="\ud800")
    good = owe("good@example.org")
    send()
    assert (poison.state, poison.reason) == (MessageState.TO_CALL, "cannot_be_built")
    assert good.state is MessageState.SENT


def test_a_line_feed_in_a_subject_makes_no_header(owe: Owe, send: Send, mail_server: MailServer) -> None:
    owe("li@example.org", subject="急救\r\nBcc: all@example.org")
    send()
    (arrived,) = mail_server.mails
    assert (arrived["Subject"], arrived["Bcc"]) == ("急救 Bcc: all@example.org", None)


def test_a_content_that_cannot_be_read_goes_aside(db: Session, owe: Owe, send: Send) -> None:
    poison, good = owe("li@example.org"), owe("good@example.org")
    db.execute(text("UPDATE message SET content = '\\x0102' WHERE id = :id"), {"id": poison.id})
    db.commit()
    send()
    assert (poison.state, poison.reason, good.state) == (MessageState.ASIDE, "unreadable", MessageState.SENT)


def test_a_refused_recipient_is_passed_on_for_good(owe: Owe, send: Send, mail_server: MailServer) -> None:
    mail_server.recipients = lambda address: "550 no such user" if address == "gone@example.org" else None
    gone, two, good = owe("gone@example.org"), owe("gone@example.org", "other@example.org"), owe("good@example.org")
    send()
    assert (gone.state, gone.reason) == (MessageState.TO_CALL, "recipient_refused")
    assert (two.state, good.state) == (MessageState.SENT, MessageState.SENT)
    assert mail_server.delivered == {"other@example.org": 1, "good@example.org": 1}
    assert mail_server.connections == 1


def test_whom_nobody_calls_for_goes_aside(owe: Owe, send: Send, mail_server: MailServer) -> None:
    mail_server.recipients = lambda _address: "550 no such user"
    message = owe("gone@example.org", purpose=SECRET)
    send()
    assert message.state is MessageState.ASIDE


def test_greylisting_waits_with_growing_pauses(owe: Owe, send: Send, mail_server: MailServer) -> None:
    mail_server.recipients = lambda address: "451 come back" if address == "grey@example.org" else None
    grey, good = owe("grey@example.org"), owe("good@example.org")
    send()
    assert (grey.state, grey.attempts, grey.reason, good.state) == (
        MessageState.WAITING, 1, "deferred", MessageState.SENT,
    )  # fmt: skip
    send()
    assert grey.attempts == 1
    with later(0.02):
        send()
    assert grey.attempts == 2
    mail_server.recipients = lambda _address: None
    with later(0.1):
        send()
    assert grey.state is MessageState.SENT


def test_a_content_that_is_refused_later_or_for_good(owe: Owe, send: Send, mail_server: MailServer) -> None:
    answers = {"spam@example.org": "554 spam", "full@example.org": "452 full"}
    mail_server.contents = answers.get
    spam, full, good = owe("spam@example.org"), owe("full@example.org"), owe("good@example.org")
    send()
    assert (spam.reason, full.reason, good.state) == ("content_refused", "deferred", MessageState.SENT)


def test_a_server_that_hangs_up_in_the_middle_costs_one_message_a_pause(
    owe: Owe, send: Send, mail_server: MailServer
) -> None:
    mail_server.hang_up = lambda address: address == "bad@example.org"
    bad, good = owe("bad@example.org"), owe("good@example.org")
    send()
    assert (bad.state, bad.attempts, bad.reason) == (MessageState.WAITING, 1, "connection_closed")
    assert good.state is MessageState.SENT


def test_a_server_that_always_hangs_up_is_left_alone(
    db: Session, owe: Owe, send: Send, mail_server: MailServer
) -> None:
    mail_server.hang_up = lambda _address: True
    messages = [owe(f"p{number}@example.org") for number in range(10)]
    send()
    assert sum(message.attempts for message in messages) == smtp.MOST_DISCONNECTS
    assert db.scalars(select(ChannelPause.channel)).all() == [Channel.EMAIL]


def test_a_slow_server_holds_the_queue_for_one_timeout(
    owe: Owe, send: Send, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "ANSWER_SECONDS", 0.2)
    mail_server.delay = 0.6
    messages = [owe(f"p{number}@example.org") for number in range(5)]
    by_sms = owe("+8613800138000")
    send()
    assert [message.attempts for message in messages] == [1, 0, 0, 0, 0]
    assert messages[0].reason == "timeout"
    assert by_sms.state is MessageState.SENT


def test_a_server_that_is_away_pauses_its_channel_and_costs_no_message_an_attempt(
    db: Session, owe: Owe, send: Send, mail_server: MailServer
) -> None:
    away = f"smtp://127.0.0.1:{free_port()}"
    messages = [owe(f"p{number}@example.org") for number in range(3)]
    by_sms = owe("+8613800138000")
    send(mail_url=away)
    pause = db.scalars(select(ChannelPause)).one()
    assert (pause.channel, pause.failures, pause.reason) == (Channel.EMAIL, 1, "unreachable")
    assert [message.attempts for message in messages] == [0, 0, 0]
    assert by_sms.state is MessageState.SENT
    send()
    assert mail_server.mails == []
    with later(0.02):
        send()
    assert len(mail_server.mails) == 3
    assert db.scalars(select(ChannelPause)).all() == []


def test_three_days_without_a_server_end_on_the_list(owe: Owe, send: Send) -> None:
    away = f"smtp://127.0.0.1:{free_port()}"
    message, code = owe("li@example.org"), owe("li@example.org", purpose=SECRET)
    for hours in (0, 1, 71.9):
        with later(hours):
            send(mail_url=away)
    assert message.state is MessageState.WAITING
    with later(72.1):
        send(mail_url=away)
    assert (message.state, message.reason) == (MessageState.TO_CALL, "unreachable")
    assert code.state is MessageState.ASIDE


def test_three_days_without_a_worker_are_no_reason_to_give_up(owe: Owe, send: Send, mail_server: MailServer) -> None:
    away = f"smtp://127.0.0.1:{free_port()}"
    message = owe("li@example.org")
    with later(96):
        send(mail_url=away)
        assert message.state is MessageState.WAITING
    with later(96.1):
        send()
    assert message.state is MessageState.SENT


def test_three_days_of_greylisting_lead_to_the_next_address(owe: Owe, send: Send, mail_server: MailServer) -> None:
    mail_server.recipients = lambda address: "451 come back" if address == "grey@example.org" else None
    message = owe("grey@example.org", "li@example.org")
    for hours in (0, 24, 48, 71.9):
        with later(hours):
            send()
    assert (message.state, message.attempts) == (MessageState.WAITING, 4)
    with later(80):
        send()
    assert message.state is MessageState.SENT
    assert mail_server.delivered == {"li@example.org": 1}


def test_what_expires_is_given_up_also_while_its_channel_is_paused(owe: Owe, send: Send) -> None:
    away = f"smtp://127.0.0.1:{free_port()}"
    code = owe("li@example.org", purpose=SECRET, lives=timedelta(minutes=10))
    invitation = owe("li@example.org", purpose=NOTICE, lives=timedelta(minutes=10))
    send(mail_url=away)
    with later(0.15), pytest.MonkeyPatch.context() as patch:
        patch.setattr(retries, "CHANNEL_PAUSES", (600,))
        send(mail_url=away)
    with later(0.2):
        send(mail_url=away)
    assert (code.state, code.reason) == (MessageState.ASIDE, "expired")
    assert invitation.state is MessageState.TO_CALL


def test_what_expires_comes_before_what_can_wait(owe: Owe, send: Send, mail_server: MailServer) -> None:
    owe("patient@example.org")
    owe("urgent@example.org", lives=timedelta(minutes=10))
    send()
    assert [mail["To"] for mail in mail_server.mails] == ["urgent@example.org", "patient@example.org"]


def test_a_defect_of_a_channel_costs_the_message_a_pause(owe: Owe, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object) -> None:
        raise KeyError("defect")

    monkeypatch.setattr(smtp.Smtp, "deliver", broken)
    message = owe("li@example.org")
    send()
    assert (message.state, message.reason, message.attempts) == (MessageState.WAITING, "unexpected", 1)


def test_without_a_channel_the_next_address_or_a_call(db: Session, owe: Owe, settings: Settings) -> None:
    message = owe("+8613800138000", "li@example.org")
    only = owe("+8613800138000")
    with configured.opened(settings) as gateways:
        mail_only = {Channel.EMAIL: gateways[Channel.EMAIL]}
        while sending.send_next(db, mail_only, settings.public_url):
            db.commit()
    assert (message.state, message.channel) == (MessageState.SENT, Channel.EMAIL)
    assert (only.state, only.reason) == (MessageState.TO_CALL, "no_channel")


def _readdress(message: Message, address: str) -> None:
    """Put an address into a stored message that no form would let through."""
    import json

    from lms.core import crypto
    from lms.core.messages.owing import COLUMN, Content

    content = Content.of(message)
    changed = {
        "name": content.name, "addresses": [["email", address]], "subject": content.subject, "text": content.text,
        "parameters": {}, "phone": None,
    }  # fmt: skip
    message.content = crypto.cipher().encrypt(COLUMN, message.ref, json.dumps(changed))
