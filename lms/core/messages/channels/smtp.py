"""E-mail by SMTP: one connection for a batch of messages, and each answer of the server sorted by what follows from it."""

import smtplib
import ssl
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from lms.core.messages.channels.interface import Letter, RefusedForGood, TryLater, Unreachable
from lms.core.messages.channels.mail import Composer, Mail

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
MOST_DISCONNECTS = 3  # in a row, after which the server is left alone for a while
# Answers of a server (RFC 5321).
REFUSED = 400
REFUSED_FOR_GOOD = 500
CLOSING = 421
TOO_LARGE = 552


class Smtp:
    """An SMTP server at a URL: `smtp://`, `smtp+starttls://` or `smtps://`."""

    def __init__(self, url: str, composer: Composer) -> None:
        self._parts = urlsplit(url)
        self._composer = composer
        self._server: smtplib.SMTP | None = None
        self._disconnects = 0

    def serves(self, purpose: str) -> bool:  # noqa: ARG002
        """Every purpose can be sent by e-mail."""
        return True

    def build(self, letter: Letter) -> Mail:
        """Compose the mail."""
        return self._composer.compose(letter)

    def deliver(self, built: Mail) -> None:
        """Send the mail, on the connection of the mail before it where the server still keeps that open."""
        try:
            server = self._begin(built)
            self._recipient(server, built)
            self._data(server, built)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self._drop()
            self._disconnects += 1
            if _timed_out(error):
                raise TryLater("timeout", channel=True) from error
            raise TryLater("connection_closed", channel=self._disconnects >= MOST_DISCONNECTS) from error
        except smtplib.SMTPException as error:
            self._drop()
            raise TryLater("protocol") from error
        self._disconnects = 0

    def close(self) -> None:
        """Say goodbye."""
        if self._server is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._server.quit()
        self._drop()

    def _begin(self, mail: Mail) -> smtplib.SMTP:
        """The connection on which the server took the sender."""
        if self._server is not None:
            with suppress(smtplib.SMTPServerDisconnected, OSError):
                code = self._sender(self._server, mail)
                if code != CLOSING:
                    self._judge_sender(code)
                    return self._server
            self._drop()  # the server ended the connection between two mails, as some do after a hundred
        self._server = self._connect()
        self._judge_sender(self._sender(self._server, mail))
        return self._server

    def _sender(self, server: smtplib.SMTP, mail: Mail) -> int:
        options = [f"SIZE={len(mail.content)}"] if server.has_extn("size") else []
        return server.mail(self._composer.envelope_sender, options)[0]

    def _judge_sender(self, code: int) -> None:
        """Raise for an answer to our sender: it concerns the installation and not the recipient, unless it is the size."""
        if code == TOO_LARGE:
            self._reset()
            raise RefusedForGood("too_large")
        if code >= REFUSED:
            self._drop()
            raise Unreachable("sender_refused")

    def _recipient(self, server: smtplib.SMTP, mail: Mail) -> None:
        code, _answer = server.rcpt(mail.address)
        self._judge(code, "recipient_refused")

    def _data(self, server: smtplib.SMTP, mail: Mail) -> None:
        try:
            code, _answer = server.data(mail.content)
        except smtplib.SMTPDataError as error:
            code = error.smtp_code
        self._judge(code, "content_refused")

    def _judge(self, code: int, reason: str) -> None:
        """Raise for an answer that refuses: 4xx for now, 5xx for good, 421 for everybody."""
        if code < REFUSED:
            return
        if code == CLOSING:
            self._drop()
            raise TryLater("server_busy", channel=True)
        self._reset()
        if code >= REFUSED_FOR_GOOD:
            raise RefusedForGood(reason)
        raise TryLater("deferred")

    def _reset(self) -> None:
        """Begin anew on the same connection."""
        if self._server is not None:
            try:
                self._server.rset()
            except (smtplib.SMTPException, OSError):
                self._drop()

    def _connect(self) -> smtplib.SMTP:
        parts = self._parts
        host = parts.hostname or "localhost"
        context = ssl.create_default_context()
        server: smtplib.SMTP | None = None
        try:
            if parts.scheme == "smtps":
                server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=CONNECT_SECONDS, context=context)
            else:
                server = smtplib.SMTP(host, parts.port or 25, timeout=CONNECT_SECONDS)
            if server.sock is not None:
                server.sock.settimeout(ANSWER_SECONDS)
            if parts.scheme == "smtp+starttls":
                server.starttls(context=context)
            server.ehlo_or_helo_if_needed()
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
        except (OSError, smtplib.SMTPException) as error:
            if server is not None:
                server.close()
            raise Unreachable(
                "sign_in_refused" if isinstance(error, smtplib.SMTPAuthenticationError) else "unreachable"
            ) from error
        return server

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


def _timed_out(error: BaseException) -> bool:
    """Tell whether a server did not answer in time; smtplib wraps the timeout in its own exception."""
    return isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
