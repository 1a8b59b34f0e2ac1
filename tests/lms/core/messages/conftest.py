"""Real ends for messages: a mail server that misbehaves as a test says, and an SMS gateway of the tests' own."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.orm import Session

from lms.core import clock
from lms.core.messages import owing
from lms.core.messages.models import Channel, Message
from lms.core.messages.owing import Address, Purpose, Recipient
from tests.lms.core.messages.mail_server import MailServer
from tests.lms.core.messages.sms_gateway import SmsGateway

NOTICE = Purpose("test_notice", "Notice", parameters=("course", "day"))
SECRET = Purpose("test_secret", "Secret", called=False)

Owe = Callable[..., Message]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDKs go to the test's gateway themselves."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server on this machine."""
    with MailServer() as server:
        yield server


@pytest.fixture
def sms_gateway() -> Iterator[SmsGateway]:
    """An SMS gateway on this machine."""
    with SmsGateway() as gateway:
        yield gateway


@pytest.fixture
def owe(db: Session) -> Owe:
    """Owe a message to e-mail addresses and phones, and give its row."""

    def owed(*addresses: str, purpose: Purpose = NOTICE, **facts: object) -> Message:
        ways = tuple(Address(Channel.EMAIL if "@" in each else Channel.SMS, each) for each in addresses)
        recipient = Recipient("trainee:1", "李雷", ways, district_id=1)
        values = {"day": "5月4日", "course": "急救"}
        defaults = {"subject": "培训班取消", "text": "您报名的培训班已取消。\n{site}/tickets/x\n"}
        owing.owe(db, purpose, recipient, parameters=values, **(defaults | facts))  # type: ignore[arg-type]
        db.commit()
        return db.query(Message).order_by(Message.id.desc()).limit(1).one()

    owing.configure(None)
    assert clock.now() is not None
    return owed
