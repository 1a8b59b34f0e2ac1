"""The audit trail: each change with its user, moment, reason, and the values before and after.

Rows are never altered.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from lms.core import clock
from lms.core.db import Base, Identifier
from lms.core.masks import mask_all
from lms.core.records import of_record


@of_record("at")
class AuditEntry(Base):
    """A recorded act.

    `subject` names the row ("trainee:17"). `before` and `after` hold the changed fields; personal data is masked.
    """

    __tablename__ = "audit_entry"

    id: Mapped[Identifier]
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(BigInteger)  # a reference that triggers keep (migration 0014)
    action: Mapped[str]
    subject: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    reason: Mapped[str | None]

    __table_args__ = (
        Index("ix_audit_entry_subject", "subject", "at"),
        Index("ix_audit_entry_at", "at"),
        Index("ix_audit_entry_alarm", "at", postgresql_where="action = 'certificate.alarm'"),
    )


_ACTOR = "actor"
_ORIGIN = "origin"


@dataclass(frozen=True)
class Origin:
    """The network address of a request and the User-Agent header of its browser; empty texts where there is no request."""

    address: str = ""
    agent: str = ""


def act_as(db: Session, user_id: int | None) -> None:
    """Set the user whose unit of work this is. The edge does this once. None stands for the system itself."""
    db.info[_ACTOR] = user_id


def actor(db: Session) -> int | None:
    """The user whose unit of work this is; None for the system."""
    value = db.info.get(_ACTOR)
    return value if isinstance(value, int) else None


def come_from(db: Session, origin: Callable[[], Origin]) -> None:
    """Set the function that tells the origin of this unit of work. The edge does this once; most units never ask."""
    db.info[_ORIGIN] = origin


def origin(db: Session) -> Origin:
    """The origin of this unit of work."""
    tell = db.info.get(_ORIGIN)
    result = tell() if callable(tell) else None
    return result if isinstance(result, Origin) else Origin()


def record(
    db: Session,
    action: str,
    subject: object,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Add an entry in the transaction of the change.

    action: noun and verb, such as "attendance.undo". subject: a mapped row, or a text "noun:key". Values must be JSON's
    own. Contacts and ID numbers in them, also in what somebody typed as a reason, are masked.
    """
    name = subject if isinstance(subject, str) else f"{subject.__tablename__}:{subject.id}"  # type: ignore[attr-defined]
    db.add(
        AuditEntry(
            at=clock.now(),
            user_id=actor(db),
            action=action,
            subject=name,
            before=mask_all(before),
            after=mask_all(after),
            reason=mask_all(reason),
        )
    )


def record_change(
    db: Session,
    action: str,
    subject: object,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    reason: str | None = None,
) -> None:
    """Add an entry with the fields that differ between `before` and `after`; add none where no field differs."""
    changed = [name for name in after if before.get(name) != after[name]]
    if changed:
        record(
            db,
            action,
            subject,
            before={name: before.get(name) for name in changed},
            after={name: after[name] for name in changed},
            reason=reason,
        )
