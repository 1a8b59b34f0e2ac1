"""Enrolments: a trainee in an offering, with the ticket that proves the enrolment."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models.offerings import Offering
from courses.models.trainees import Trainee
from lms.core import clock, crypto
from lms.core.constraints import register_refusal
from lms.core.db import Base, EnumText, Identifier
from lms.core.errors import N_
from lms.core.scope import Scope

PHONE_COLUMN = "enrolment.phone"
EMAIL_COLUMN = "enrolment.email"


class EnrolmentState(StrEnum):
    """The state of an enrolment.

    Before the offering closes: enrolled (has a place), waitlisted or cancelled. From its closing: completed, failed or
    incomplete.
    """

    ENROLLED = "enrolled"
    WAITLISTED = "waitlisted"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"
    INCOMPLETE = "incomplete"


HOLDS_PLACE = (
    EnrolmentState.ENROLLED,
    EnrolmentState.COMPLETED,
    EnrolmentState.FAILED,
    EnrolmentState.INCOMPLETE,
)
# An enrolment in one of these states can be cancelled, and its sessions can clash with those of another enrolment.
ACTIVE_STATES = (EnrolmentState.ENROLLED, EnrolmentState.WAITLISTED)


class EnrolmentSource(StrEnum):
    """The way in which a trainee was enrolled."""

    SELF = "self"
    STAFF = "staff"
    IMPORT = "import"
    WALK_IN = "walk_in"


class Enrolment(Base):
    """A trainee in an offering. `ticket` is the unguessable part of the ticket page's address.

    Closing or correcting the offering fills `sessions_attended`, `minutes_attended`, `shortfalls` (codes of the
    requirements that are not met) and `certificate_due` (every requirement is met). The certificates package issues a
    certificate to each enrolment that is due and has no `certified_at`.

    `phone` and `email` are the contacts that were given for this enrolment. What is sent about it goes there, because the
    contacts of the trainee's record may be somebody else's as long as they are not proven.
    """

    __tablename__ = "enrolment"

    id: Mapped[Identifier]
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), index=True)
    trainee_id: Mapped[int] = mapped_column(ForeignKey("trainee.id"), index=True)
    ticket: Mapped[str] = mapped_column(unique=True, default=crypto.token)
    state: Mapped[EnrolmentState] = mapped_column(EnumText(EnrolmentState))
    source: Mapped[EnrolmentSource] = mapped_column(EnumText(EnrolmentSource))
    created_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    queued_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]
    sessions_attended: Mapped[int] = mapped_column(SmallInteger, default=0)
    minutes_attended: Mapped[int] = mapped_column(default=0)
    shortfalls: Mapped[list[str]] = mapped_column(JSONB, default=list)
    certificate_due: Mapped[bool] = mapped_column(default=False)
    certified_at: Mapped[datetime | None]
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    email_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)

    offering: Mapped[Offering] = relationship()
    trainee: Mapped[Trainee] = relationship()

    __table_args__ = (
        Index(
            "uq_enrolment_once",
            "offering_id",
            "trainee_id",
            unique=True,
            postgresql_where="state <> 'cancelled'",
        ),
        Index("ix_enrolment_waiting", "offering_id", "queued_at", "id", postgresql_where="state = 'waitlisted'"),
        Index("ix_enrolment_owed", "id", postgresql_where="certificate_due AND certified_at IS NULL"),
        CheckConstraint(
            "state IN ('enrolled', 'waitlisted', 'cancelled', 'completed', 'failed', 'incomplete')",
            name="state",
        ),
        CheckConstraint("source IN ('self', 'staff', 'import', 'walk_in')", name="source"),
        CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled"),
        CheckConstraint("state <> 'waitlisted' OR queued_at IS NOT NULL", name="queued"),
        CheckConstraint("NOT certificate_due OR state = 'completed' OR certified_at IS NOT NULL", name="due"),
        CheckConstraint("sessions_attended >= 0 AND minutes_attended >= 0", name="attended"),
    )

    @property
    def phone(self) -> str | None:
        """The phone that was given for this enrolment, in E.164, decrypted."""
        return self._open(PHONE_COLUMN, self.phone_sealed)

    @phone.setter
    def phone(self, value: str | None) -> None:
        self.phone_sealed = self._seal(PHONE_COLUMN, value)

    @property
    def email(self) -> str | None:
        """The e-mail address that was given for this enrolment, decrypted."""
        return self._open(EMAIL_COLUMN, self.email_sealed)

    @email.setter
    def email(self, value: str | None) -> None:
        self.email_sealed = self._seal(EMAIL_COLUMN, value)

    def _seal(self, column: str, value: str | None) -> bytes | None:
        if self.ticket is None:
            self.ticket = crypto.token()
        return crypto.cipher().encrypt(column, crypto.token_uuid(self.ticket), value) if value else None

    def _open(self, column: str, sealed: bytes | None) -> str | None:
        return crypto.cipher().decrypt(column, crypto.token_uuid(self.ticket), sealed) if sealed else None

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """The enrolments of the offerings that the scope covers, and the user's own."""
        if scope.everything:
            return scope.covers()
        of_offerings = cls.offering_id.in_(select(Offering.id).where(Offering.visible_to(scope)))
        own = cls.trainee_id.in_(select(Trainee.id).where(Trainee.user_id == scope.trainee_user_id))
        return scope.covers(trainee=own) | of_offerings


class EnrolmentImport(Base):
    """A spreadsheet of people between its preview and its confirmation.

    `content` holds the rows, encrypted; it becomes null when the rows are enrolled or when they are too old.
    """

    __tablename__ = "enrolment_import"

    id: Mapped[Identifier]
    ref: Mapped[str] = mapped_column(unique=True, default=crypto.token)
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    file_name: Mapped[str]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    applied_at: Mapped[datetime | None]

    offering: Mapped[Offering] = relationship()

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """The user's own imports, as long as the scope covers the offering."""
        return (cls.user_id == scope.user_id) & cls.offering_id.in_(
            select(Offering.id).where(Offering.visible_to(scope))
        )


register_refusal("uq_enrolment_once", "already_enrolled", N_("This trainee is already enrolled in this offering."))
