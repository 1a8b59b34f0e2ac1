"""Repeating what was put aside, once its cause is mended."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.config import Settings
from lms.core.audit import AuditEntry
from lms.core.messages import repeating
from lms.core.messages.models import MessageState
from tests.lms.core.messages.conftest import SECRET, Owe
from tests.lms.core.messages.mail_server import MailServer
from tests.messages import deliver_all


def test_what_was_put_aside_is_sent_again(db: Session, owe: Owe, settings: Settings, mail_server: MailServer) -> None:
    mail_server.recipients = lambda _address: "550 relay denied"
    aside, to_call, nowhere = owe("a@example.org", purpose=SECRET), owe("b@example.org"), owe()
    deliver_all(db, settings, mail_url=mail_server.url)
    mail_server.recipients = lambda _address: None
    assert repeating.retry(db) == 1
    assert repeating.retry(db, to_call=True, reason="no_channel") == 0
    assert repeating.retry(db, to_call=True, purpose="test_notice") == 1
    db.commit()
    deliver_all(db, settings, mail_url=mail_server.url)
    assert (aside.state, to_call.state, nowhere.state) == (
        MessageState.SENT, MessageState.SENT, MessageState.TO_CALL,
    )  # fmt: skip
    assert db.scalars(select(AuditEntry.action)).all() == ["message.retry", "message.retry"]


def test_what_expired_is_not(db: Session, owe: Owe) -> None:
    owe(purpose=SECRET, lives=timedelta(seconds=-1))
    assert repeating.retry(db) == 0
