"""Personal data in messages: their addresses and texts, encrypted."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from lms.core import personal_data, plain_values, retention_rules
from lms.core.errors import N_
from lms.core.messages import owing, retention
from lms.core.messages.models import Message, MessageState
from lms.core.personal_data import Basis, DataKind, Erased, Receiver, Row, Subject, Whose
from lms.core.retention_rules import RetentionKind


def _of(subject: Subject) -> ColumnElement[bool]:
    people = [f"trainee:{trainee_id}" for trainee_id in subject.trainee_ids]
    if subject.user_id is not None:
        people.append(f"user:{subject.user_id}")
    return Message.person.in_(people)


def _export(db: Session, subject: Subject) -> list[Row]:
    rows = db.scalars(select(Message).where(_of(subject)).order_by(Message.id))
    return [
        plain_values.of_row(message, "purpose", "state", "channel", "created_at", "settled_at")
        | ({"content": owing.content_of(message)} if message.content and not _is_secret(message) else {})
        for message in rows
    ]


def _is_secret(message: Message) -> bool:
    """Codes and links of proofs are no data about the person, and a file that is handed over must not hold them."""
    return owing.purpose_of(message.purpose).secret


def _erase(db: Session, subject: Subject) -> Erased:
    pending = or_(Message.state == MessageState.WAITING, Message.state == MessageState.TO_CALL)
    now = func.now()
    changed = db.execute(
        update(Message)
        .where(_of(subject), pending)
        .values(
            state=MessageState.ASIDE, reason="erased", content=None, settled_at=func.coalesce(Message.settled_at, now)
        )
    ).rowcount  # type: ignore[attr-defined]
    changed += db.execute(
        update(Message).where(_of(subject), Message.content.is_not(None)).values(content=None)
    ).rowcount  # type: ignore[attr-defined]
    return Erased(changed)


def _due(db: Session, before: datetime) -> int:
    return db.scalar(select(func.count()).select_from(Message).where(*retention.due(before))) or 0


def _erase_old(db: Session, before: datetime) -> Iterator[int]:
    yield retention.erase_before(db, before)


personal_data.register(
    DataKind(
        code="message",
        label=N_("Messages"),
        purpose=N_("To tell people about their trainings, certificates and accounts"),
        tables={"message": ("content",)},
        whose=(Whose.TRAINEE, Whose.USER, Whose.INSTRUCTOR, Whose.GUARDIAN),
        basis=Basis.CONSENT,
        retention="message",
        receivers=(Receiver.SMS_GATEWAY, Receiver.MAIL_PROVIDER, Receiver.HOST),
        export=_export,
        erase=_erase,
    )
)
retention_rules.register(RetentionKind("message", N_("Messages"), N_("sent, or given up"), due=_due, erase=_erase_old))
