"""Outgoing mails: stored encrypted in the transaction of their cause, and sent later by a worker.

Without the setting `MAIL_URL` a mail is written to a file under `instance/mail/`.
"""

import json
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid4

import structlog
from sqlalchemy import Index, LargeBinary, SmallInteger, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from lms.config import Settings
from lms.core import clock, crypto, events
from lms.core.db import Base, Identifier

log = structlog.get_logger(__name__)

ATTEMPTS = 8
TIMEOUT_SECONDS = 20
COLUMN = "outgoing_mail.content"
# A placeholder for the site's address in a text, because the rules that owe a mail do not know the settings.
SITE = "{site}"


class OutgoingMail(Base):
    """A pending or sent mail. Its content (recipient, subject, text) is encrypted, and deleted once it was sent."""

    __tablename__ = "outgoing_mail"

    id: Mapped[Identifier]
    ref: Mapped[UUID] = mapped_column(unique=True)
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    attempts: Mapped[Annotated[int, mapped_column(SmallInteger)]] = mapped_column(default=0)

    __table_args__ = (Index("ix_outgoing_mail_owed", "id", postgresql_where="sent_at IS NULL"),)


class MailOwed:
    """The event of a pending mail; the reaction sends the task to the queue."""


def owe(db: Session, *, recipient: str, subject: str, text: str) -> None:
    """Store a pending mail in this unit of work. The texts are already in the recipient's language."""
    ref = uuid4()
    content = json.dumps({"to": recipient, "subject": subject, "text": text}, ensure_ascii=False)
    sealed = crypto.cipher().encrypt(COLUMN, ref, content)
    db.add(OutgoingMail(ref=ref, content=sealed, created_at=clock.now()))
    events.publish(db, MailOwed())


def take_one(db: Session) -> OutgoingMail | None:
    """The pending mail with the fewest attempts, locked; mails that another worker locked are skipped."""
    return db.scalars(
        select(OutgoingMail)
        .where(OutgoingMail.sent_at.is_(None), OutgoingMail.attempts < ATTEMPTS)
        .order_by(OutgoingMail.attempts, OutgoingMail.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()


def send(mail: OutgoingMail, settings: Settings) -> bool:
    """Send one mail. Gives False where that failed; the failure is counted, and the mail stays pending."""
    if mail.content is None:
        raise ValueError("the mail was sent already")
    content = json.loads(crypto.cipher().decrypt(COLUMN, mail.ref, mail.content))
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = content["to"]
    message["Subject"] = content["subject"]
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = make_msgid(idstring=mail.ref.hex, domain=urlsplit(settings.public_url).hostname)
    message.set_content(content["text"].replace(SITE, settings.public_url))
    try:
        if settings.mail_url is None:
            _write(message, settings.mail_dir, mail.ref)
        else:
            _deliver(message, settings.mail_url)
    except (OSError, smtplib.SMTPException) as error:
        mail.attempts += 1
        log.warning("mail_failed", mail=str(mail.ref), attempt=mail.attempts, error=type(error).__name__)
        return False
    mail.sent_at = clock.now()
    mail.content = None
    return True


def _write(message: EmailMessage, folder: Path, ref: UUID) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{clock.now():%Y%m%dT%H%M%S}-{ref.hex[:8]}.eml"
    path.write_bytes(message.as_bytes())
    path.chmod(0o600)
    log.info("mail_written", path=str(path))


def _deliver(message: EmailMessage, mail_url: str) -> None:
    parts = urlsplit(mail_url)
    host = parts.hostname or "localhost"
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT_SECONDS)
    with server:
        if parts.scheme == "smtp+starttls":
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)
