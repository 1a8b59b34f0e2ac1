"""Composing mails: from a message to the bytes that a mail server takes, or a refusal where that is impossible."""

from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.headerregistry import Address, AddressHeader
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import urlsplit
from uuid import UUID

from lms.core.messages.channels.interface import Letter, RefusedForGood


@dataclass(frozen=True)
class Mail:
    """A composed mail. address: in ASCII, with a domain in another script in its encoded form. content: with CRLF."""

    address: str = field(repr=False)
    content: bytes = field(repr=False)


class Composer:
    """Composes mails from one sender. public_url: its host stands in the message identifiers."""

    def __init__(self, sender: str, public_url: str) -> None:
        self._sender = sender
        self._host = urlsplit(public_url).hostname or "localhost"
        self.envelope_sender = parseaddr(sender)[1]

    def message_id(self, ref: UUID) -> str:
        """The Message-ID of a message: always the same, so that servers and readers see a repeated mail as one."""
        return f"<{ref.hex}@{self._host}>"

    def compose(self, letter: Letter) -> Mail:
        """Compose a mail. Raises RefusedForGood for an address that no header can carry, or that a reader reads otherwise.

        An example is `=?utf-8?q?=0A?=@example.com`, which reads as a line feed.
        """
        try:
            return self._compose(letter)
        except RefusedForGood:
            raise
        except Exception as error:  # the standard library raises about ten kinds of exceptions on odd addresses
            raise RefusedForGood("cannot_be_built") from error

    def _compose(self, letter: Letter) -> Mail:
        if any(character.isspace() or not character.isprintable() for character in letter.address):
            raise RefusedForGood("bad_address")
        name, _at, domain = letter.address.rpartition("@")
        try:
            address = f"{name}@{domain.encode('idna').decode()}"
            recipient = Address(addr_spec=address)
        except Exception as error:
            raise RefusedForGood("bad_address") from error
        mail = EmailMessage(policy.default)
        mail["From"] = self._sender
        mail["To"] = recipient
        mail["Subject"] = " ".join(letter.subject.split())
        mail["Date"] = format_datetime(letter.created_at)
        mail["Message-ID"] = self.message_id(letter.ref)
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(letter.text, cte="quoted-printable" if letter.text.isascii() else "base64")
        if letter.html:
            mail.add_alternative(letter.html, subtype="html", cte="base64")
        for attachment in letter.attachments:
            kind, _slash, subtype = attachment.media_type.partition("/")
            mail.add_attachment(attachment.data, kind, subtype, filename=attachment.name)
        content = mail.as_bytes(policy=policy.SMTP)
        header = message_from_bytes(content, policy=policy.default)["To"]
        if not isinstance(header, AddressHeader) or [one.addr_spec for one in header.addresses] != [address]:
            raise RefusedForGood("bad_address")
        return Mail(address, content)
