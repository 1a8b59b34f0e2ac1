"""The answers of a mail server that `test_sending.py` does not need: our own side, its limits, its extensions."""

import pytest

from lms.core.messages.channels.interface import RefusedForGood, TryLater, Unreachable
from lms.core.messages.channels.mail import Composer
from lms.core.messages.channels.smtp import Smtp
from tests.lms.core.messages.channels.letters import letter
from tests.lms.core.messages.mail_server import MailServer

COMPOSER = Composer("no-reply@example.org", "http://localhost")


@pytest.fixture
def smtp(mail_server: MailServer) -> Smtp:
    """The channel to the mail server."""
    return Smtp(mail_server.url, COMPOSER)


def send(smtp: Smtp, address: str = "li@example.org", **changes: object) -> None:
    smtp.deliver(smtp.build(letter(address, **changes)))


def test_a_connection_that_the_server_closed_between_two_mails_is_made_anew(
    smtp: Smtp, mail_server: MailServer
) -> None:
    send(smtp)
    assert smtp._server is not None
    assert smtp._server.sock is not None
    smtp._server.sock.shutdown(2)
    send(smtp)
    smtp.close()
    assert (len(mail_server.mails), mail_server.connections) == (2, 2)


def test_a_mail_that_is_too_large_concerns_that_mail_alone(
    smtp: Smtp, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RefusedForGood, match="too_large"):
        send(smtp, text="长" * 9_000_000)
    send(smtp)
    smtp.close()
    assert mail_server.connections == 1


@pytest.mark.parametrize(("answer", "reason"), [("550 not yours", "sender_refused"), ("451 later", "sender_refused")])
def test_a_refused_sender_concerns_the_whole_channel(
    smtp: Smtp, mail_server: MailServer, answer: str, reason: str
) -> None:
    async def refuse(*_arguments: object) -> str:
        return answer

    mail_server.handle_MAIL = refuse  # type: ignore[attr-defined]
    with pytest.raises(Unreachable, match=reason):
        send(smtp)
    smtp.close()


def test_a_server_that_is_closing_is_left_alone(smtp: Smtp, mail_server: MailServer) -> None:
    mail_server.recipients = lambda _address: "421 too many"
    with pytest.raises(TryLater, match="server_busy") as refused:
        send(smtp)
    assert refused.value.channel
    smtp.close()


def test_a_sign_in_that_is_refused_pauses_the_channel(mail_server: MailServer) -> None:
    smtp = Smtp(mail_server.url.replace("//", "//user:secret@"), COMPOSER)
    with pytest.raises(Unreachable):
        send(smtp)
    smtp.close()


def test_a_domain_in_chinese_is_encoded(smtp: Smtp, mail_server: MailServer) -> None:
    send(smtp, "li@例子.中国")
    assert mail_server.delivered == {"li@xn--fsqu00a.xn--fiqs8s": 1}
    smtp.close()
