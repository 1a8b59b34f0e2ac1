"""A mail server for tests (aiosmtpd): it takes mails, and is slow, refuses, greylists or hangs up as a test says."""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as Peer


class MailServer:
    """A running server. The functions in `recipients` and `contents` answer for an address; None accepts.

    delay: seconds before each end of data is answered. hang_up: connections that are closed in the middle of the data.
    """

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()
        self.mails: list[EmailMessage] = []
        self.connections = 0
        self.recipients: Callable[[str], str | None] = lambda _address: None
        self.contents: Callable[[str], str | None] = lambda _address: None
        self.delay = 0.0
        self.hang_up: Callable[[str], bool] = lambda _address: False
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port, decode_data=False, enable_SMTPUTF8=True
        )

    @property
    def url(self) -> str:
        """The setting MAIL_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def delivered(self) -> Counter[str]:
        """How often each address got a mail."""
        return Counter(str(mail["To"]) for mail in self.mails)

    def __enter__(self) -> "MailServer":
        self._controller.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._controller.stop()

    async def handle_EHLO(  # the names and arguments of aiosmtpd
        self, _server: SMTP, session: Peer, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self, _server: SMTP, _session: Peer, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        refusal = self.recipients(address)
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Peer, envelope: Envelope) -> Any:
        address = envelope.rcpt_tos[0]
        if self.hang_up(address):
            server.transport.close()
            return "451 never read"
        await asyncio.sleep(self.delay)
        refusal = self.contents(address)
        if refusal is not None:
            return refusal
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(message_from_bytes(content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
