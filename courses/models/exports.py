"""Exports that a worker makes: the order, its progress, and the file, which is kept a week for its owner alone."""

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

CHUNK_COLUMN = "export_chunk.data"


class ExportKind(StrEnum):
    """The thing that each row of the file stands for.

    offerings: an offering. participations: a person's participation in one offering. people: a person behind a figure,
    with all participations. enrolments: a person enrolled in one offering. attendances: a person present at one
    session. certificates: a certificate.
    """

    OFFERINGS = "offerings"
    PARTICIPATIONS = "participations"
    PEOPLE = "people"
    ENROLMENTS = "enrolments"
    ATTENDANCES = "attendances"
    CERTIFICATES = "certificates"


class PersonalData(StrEnum):
    """The personal data that the file contains: none, names with masked phones, or names with phones in full."""

    NONE = "none"
    MASKED = "masked"
    FULL = "full"


class ExportState(StrEnum):
    """waiting, then done, or failed after the last attempt.

    `ExportProgress` tells whether a worker is making the file.
    """

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class Export(Base):
    """An ordered file.

    `question` holds the report's filters, as they stand in its address. `head` holds the lines above the rows, in the
    owner's language. `district_ids` are the districts of the owner's scope at the time of the order, or null for the
    whole city; `organisation_ids` are a coordinator's. `rows` is an estimate until the file is done, and then the
    exact number. `bytes` is the size of the file.
    """

    __tablename__ = "export"

    id: Mapped[Identifier]
    ref: Mapped[str] = mapped_column(unique=True, default=crypto.token)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    kind: Mapped[ExportKind] = mapped_column(EnumText(ExportKind))
    format: Mapped[Format] = mapped_column(EnumText(Format))
    personal: Mapped[PersonalData] = mapped_column(EnumText(PersonalData))
    question: Mapped[dict[str, Any]] = mapped_column(JSONB)
    head: Mapped[dict[str, Any]] = mapped_column(JSONB)
    district_ids: Mapped[list[int] | None] = mapped_column(JSONB(none_as_null=True))
    organisation_ids: Mapped[list[int]] = mapped_column(JSONB, default=list, server_default="[]")
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
        """The user's own exports.

        An export is hidden while the user's districts no longer include all of the order's districts. An auditor sees
        only exports without personal data.
        """
        without_personal_data = cls.personal == PersonalData.NONE if scope.read_only else true()
        districts_covered = true() if scope.everything else cls.district_ids.contained_by(sorted(scope.district_ids))
        return (cls.user_id == scope.user_id) & districts_covered & without_personal_data


class ExportProgress(Base):
    """The progress of an export.

    It is a table of its own because the worker locks the export's row while making the file.
    """

    __tablename__ = "export_progress"

    export_id: Mapped[int] = mapped_column(ForeignKey("export.id", ondelete="CASCADE"), primary_key=True)
    attempts: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int] = mapped_column(default=0)
    moved_at: Mapped[datetime | None]

    export: Mapped[Export] = relationship(back_populates="progress")


class ExportChunk(Base):
    """A part of a file, encrypted and numbered from 0. All parts are committed together, so a file is never incomplete."""

    __tablename__ = "export_chunk"

    export_id: Mapped[int] = mapped_column(ForeignKey("export.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)

    @staticmethod
    def binding(ref: str, number: int) -> str:
        """The reference by which the data of a chunk is bound to its export and its place in the file."""
        return f"{ref}:{number}"
