"""Exports that are too long to wait for: what was asked, how far it is, and the file, kept a week for its owner alone."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, LargeBinary, func, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.core import clock, crypto
from lms.core.db import Base, EnumText, Identifier
from lms.core.exports import Format
from lms.core.scope import Scope


class ExportKind(StrEnum):
    """What a row of the file is: an offering, or somebody's participation in one; a person behind a number, with all of it;
    somebody enrolled in one offering, or present at one session; a certificate.
    """

    OFFERINGS = "offerings"
    PARTICIPATIONS = "participations"
    PEOPLE = "people"
    ENROLMENTS = "enrolments"
    ATTENDANCES = "attendances"
    CERTIFICATES = "certificates"


class Personal(StrEnum):
    """What the file says about people: nothing, names with masked phones, or names with phones in full."""

    NONE = "none"
    MASKED = "masked"
    FULL = "full"


class ExportState(StrEnum):
    """waiting → done, or failed after the last attempt. Whether somebody is at it, the progress tells."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class Export(Base):
    """One file. `question`: the filters as in an address. `head`: what stands above the rows, in the owner's words.

    district_ids: the reach it was asked with, null for everything. rows: expected, and exact once done. bytes: its size.
    """

    __tablename__ = "export"

    id: Mapped[Identifier]
    ref: Mapped[str] = mapped_column(unique=True, default=crypto.token)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    kind: Mapped[ExportKind] = mapped_column(EnumText(ExportKind))
    format: Mapped[Format] = mapped_column(EnumText(Format))
    personal: Mapped[Personal] = mapped_column(EnumText(Personal))
    question: Mapped[dict[str, Any]] = mapped_column(JSONB)
    head: Mapped[dict[str, Any]] = mapped_column(JSONB)
    district_ids: Mapped[list[int] | None] = mapped_column(JSONB(none_as_null=True))
    rows: Mapped[int]
    bytes: Mapped[int | None]
    state: Mapped[ExportState] = mapped_column(EnumText(ExportState), default=ExportState.WAITING)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]

    progress: Mapped["ExportProgress"] = relationship(back_populates="export", passive_deletes=True)

    __table_args__ = (
        CheckConstraint(
            "kind IN ('offerings', 'participations', 'people', 'enrolments', 'attendances', 'certificates')",
            name="kind",
        ),
        CheckConstraint("format IN ('csv', 'xlsx', 'parquet')", name="format"),
        CheckConstraint("personal IN ('none', 'masked', 'full')", name="personal"),
        CheckConstraint("state IN ('waiting', 'done', 'failed')", name="state"),
        CheckConstraint("(state = 'done') = (bytes IS NOT NULL)", name="done"),
        Index("ix_export_user_id", "user_id", "created_at"),
        Index("ix_export_waiting", "id", postgresql_where="state = 'waiting'"),
        Index("ix_export_expires_at", "expires_at"),
    )

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """One's own, as long as one's reach is no smaller than the one it was made with; an auditor's name nobody."""
        nameless = cls.personal == Personal.NONE if scope.read_only else true()
        reach = true() if scope.everything else cls.district_ids.contained_by(sorted(scope.district_ids))
        return (cls.user_id == scope.user_id) & reach & nameless


class ExportProgress(Base):
    """How far an export is. A table of its own, because the export's row is held while it is made."""

    __tablename__ = "export_progress"

    export_id: Mapped[int] = mapped_column(ForeignKey("export.id", ondelete="CASCADE"), primary_key=True)
    attempts: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int] = mapped_column(default=0)
    moved_at: Mapped[datetime | None]

    export: Mapped[Export] = relationship(back_populates="progress")


class ExportChunk(Base):
    """A piece of a file, in order from 0. All of a file's pieces are committed at once, so half a file is never there."""

    __tablename__ = "export_chunk"

    export_id: Mapped[int] = mapped_column(ForeignKey("export.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)
