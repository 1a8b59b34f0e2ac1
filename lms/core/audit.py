"""The audit trail: who changed what, from what, to what, why and when. Rows are added and never altered."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from lms.core import clock
from lms.core.db import Base, Identifier


class AuditEntry(Base):
    """One act. `subject` names the row ("trainee:17"); `before` and `after` hold the changed fields only, personal ones masked."""

    __tablename__ = "audit_entry"

    id: Mapped[Identifier]
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(BigInteger)  # a reference that triggers keep (migration 0014)
    action: Mapped[str]
    subject: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    reason: Mapped[str | None]

    __table_args__ = (Index("ix_audit_entry_subject", "subject", "at"), Index("ix_audit_entry_at", "at"))


_ACTOR = "actor"


def act_as(db: Session, user_id: int | None) -> None:
    """Say whose unit of work this is; the edge does, once. None is the system itself."""
    db.info[_ACTOR] = user_id


def actor(db: Session) -> int | None:
    """The user whose unit of work this is, or None for the system."""
    value = db.info.get(_ACTOR)
    return value if isinstance(value, int) else None


def record(
    db: Session,
    action: str,
    subject: object,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Leave an entry in the same transaction as the change it tells of.

    action: verb and noun, as in "attendance.undo". subject: a mapped row, or a text "noun:key". Values must be JSON's own.
    """
    name = subject if isinstance(subject, str) else f"{subject.__tablename__}:{subject.id}"  # type: ignore[attr-defined]
    db.add(
        AuditEntry(
            at=clock.now(),
            user_id=actor(db),
            action=action,
            subject=name,
            before=before,
            after=after,
            reason=reason,
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
    """Leave an entry of those facts that differ; none where nothing does."""
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
