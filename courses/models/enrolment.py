"""Enrolments: a trainee in an offering, with the ticket that proves the enrolment."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    and_,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models.offerings import Offering
from courses.models.trainees import Trainee
from lms.core import clock, crypto
from lms.core.constraints import register_refusal
from lms.core.crypto import FieldCipher
from lms.core.db import Base, EnumText, Identifier
from lms.core.errors import N_
from lms.core.scope import Scope

TICKET_COLUMN = "enrolment.ticket"
PHONE_COLUMN = "enrolment.phone"
EMAIL_COLUMN = "enrolment.email"
IMPORT_COLUMN = "enrolment_import.content"


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


def binding_of(ticket_hash: bytes) -> UUID:
    """The reference by which the sealed values of an enrolment are bound to its row."""
    return crypto.hash_uuid(ticket_hash)


def sealed_ticket(ticket: str) -> dict[str, bytes]:
    """The two columns that hold a ticket, for rows that are not written as objects."""
    ticket_hash = crypto.token_hash(ticket)
    sealed = crypto.cipher().encrypt(TICKET_COLUMN, binding_of(ticket_hash), ticket)
    return {"ticket_hash": ticket_hash, "ticket_sealed": sealed}


def ticket_sealer(cipher: FieldCipher) -> Callable[[bytes], tuple[bytes, bytes]]:
    """A function for a million tickets: ticket → the values of `ticket_hash` and `ticket_sealed`."""
    seal, sha256 = cipher.sealer(TICKET_COLUMN), hashlib.sha256

    def sealed(ticket: bytes) -> tuple[bytes, bytes]:
        digest = sha256(ticket)
        text = digest.hexdigest()
        binding = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"
        return digest.digest(), seal(binding.encode(), ticket)

    return sealed


def open_ticket(ticket_hash: bytes, ticket_sealed: bytes) -> str:
    """The ticket of a row that was not read as an object."""
    return crypto.cipher().decrypt(TICKET_COLUMN, binding_of(ticket_hash), ticket_sealed)


_OFFERED = "state = 'waitlisted' AND offered_until IS NOT NULL"


class Enrolment(Base):
    """A trainee in an offering. `ticket` is the unguessable part of the ticket page's address: whoever has it is let in.

    The table holds the ticket's hash, by which it is found, and the ticket sealed, for messages and sheets. Sealed values are
    bound to the row by the hash (`binding_of`). A new enrolment gets a random ticket.

    Closing or correcting the offering fills `sessions_attended`, `minutes_attended`, `shortfalls` (codes of the
    requirements that are not met) and `certificate_due` (every requirement is met). The certificates package issues a
    certificate to each enrolment that is due and has no `certified_at`.

    `phone` and `email` are the contacts that were given for this enrolment. What is sent about it goes there, because the
    contacts of the trainee's record may be somebody else's as long as they are not proven.

    `offered_until` of a waiting enrolment: a place is held for it and offered to the person until then. A cancelled one keeps
    the moment where the person left the waiting list because the offer was not answered.

    `group_id`: the people with whom this one waits (`EnrolmentGroup`).

    `held_elsewhere` describes a certificate of another branch that the trainee holds on paper, as an administrator accepted
    it for a course that demands one; None for everybody else. It is read where such a course is judged, and not with the row.
    """

    __tablename__ = "enrolment"

    id: Mapped[Identifier]
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), index=True)
    trainee_id: Mapped[int] = mapped_column(ForeignKey("trainee.id"), index=True)
    ticket_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    ticket_sealed: Mapped[bytes] = mapped_column(LargeBinary)
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
    held_elsewhere: Mapped[str | None] = mapped_column(deferred=True)
    offered_until: Mapped[datetime | None] = mapped_column(deferred=True)
    group_id: Mapped[int | None] = mapped_column(ForeignKey("enrolment_group.id"), deferred=True)

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
        Index("ix_enrolment_offered", "offered_until", "offering_id", postgresql_where=_OFFERED),
        Index("ix_enrolment_group_id", "group_id", postgresql_where="group_id IS NOT NULL"),
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
        CheckConstraint("octet_length(ticket_hash) = 32", name="ticket_hash"),
        CheckConstraint("held_elsewhere <> ''", name="held_elsewhere"),
        CheckConstraint(
            "offered_until IS NULL OR state = 'waitlisted' OR (state = 'cancelled' AND cancelled_at >= offered_until)",
            name="offered",
        ),
    )

    def __init__(self, *, ticket: str | None = None, **columns: Any) -> None:
        self.ticket = ticket or crypto.token()  # first, because it binds the sealed contacts
        super().__init__(**columns)

    @property
    def ticket(self) -> str:
        """The ticket, decrypted."""
        return open_ticket(self.ticket_hash, self.ticket_sealed)

    @ticket.setter
    def ticket(self, value: str) -> None:
        phone, email = self.phone, self.email
        for name, column_value in sealed_ticket(value).items():
            setattr(self, name, column_value)
        if phone or email:
            self.phone, self.email = phone, email

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
        return crypto.cipher().encrypt(column, binding_of(self.ticket_hash), value) if value else None

    def _open(self, column: str, sealed: bytes | None) -> str | None:
        return crypto.cipher().decrypt(column, binding_of(self.ticket_hash), sealed) if sealed else None

    @classmethod
    def has_ticket(cls, *tickets: str) -> ColumnElement[bool]:
        """Condition: the enrolment has one of these tickets."""
        return cls.ticket_hash.in_([crypto.token_hash(ticket) for ticket in tickets])

    @property
    def is_offered(self) -> bool:
        """True while a place is held for this waiting enrolment, which the person may accept."""
        return self.state == EnrolmentState.WAITLISTED and self.offered_until is not None

    @classmethod
    def takes_place(cls) -> ColumnElement[bool]:
        """Condition: the enrolment has a place, or one is held for it while it is offered."""
        return or_(cls.state.in_(HOLDS_PLACE), cls.place_is_offered())

    @classmethod
    def place_is_offered(cls) -> ColumnElement[bool]:
        """Condition: a place is held for the waiting enrolment while it is offered."""
        return and_(cls.state == EnrolmentState.WAITLISTED, cls.offered_until.is_not(None))

    @classmethod
    def waits(cls) -> ColumnElement[bool]:
        """Condition: the enrolment stands in the waiting list, and no place is offered to it."""
        return and_(cls.state == EnrolmentState.WAITLISTED, cls.offered_until.is_(None))

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """The enrolments of the offerings that the scope covers, and the user's own."""
        if scope.everything:
            return scope.covers()
        of_offerings = cls.offering_id.in_(select(Offering.id).where(Offering.visible_to(scope)))
        own = cls.trainee_id.in_(select(Trainee.id).where(Trainee.user_id == scope.trainee_user_id))
        return scope.covers(trainee=own) | of_offerings


class EnrolmentGroup(Base):
    """People who were enrolled together and wait together: a list of a host, or those whom a visitor enrols after oneself.

    `may_split`: whoever enrolled them consented that places are given to a part of them. `contact_id` is the enrolment of the
    visitor who enrolled the others; None for a list. `passed_over` counts the places that went to people behind the group
    since it stands first of those that no free places suffice for; `kept_since`: since then free places are kept for it.
    """

    __tablename__ = "enrolment_group"

    id: Mapped[Identifier]
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id", ondelete="CASCADE"), index=True)
    contact_id: Mapped[int | None] = mapped_column(
        ForeignKey("enrolment.id", ondelete="SET NULL", use_alter=True), unique=True
    )
    may_split: Mapped[bool] = mapped_column(default=False)
    passed_over: Mapped[int] = mapped_column(default=0)
    kept_since: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    __table_args__ = (
        Index("ix_enrolment_group_kept", "kept_since", postgresql_where="kept_since IS NOT NULL"),
        CheckConstraint("passed_over >= 0", name="passed_over"),
        CheckConstraint("kept_since IS NULL OR NOT may_split", name="kept"),
    )


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


class EnrolmentKey(Base):
    """A form of enrolment that was answered, so that the same form gets the same answer again.

    `form_hash` is the hash of the form's random key with everything that was sent. `enrolment_id` is null while the request
    that sent the form first is not finished, which no other transaction sees.
    """

    __tablename__ = "enrolment_key"

    id: Mapped[Identifier]
    form_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    enrolment_id: Mapped[int | None] = mapped_column(ForeignKey("enrolment.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now(), index=True)

    enrolment: Mapped[Enrolment | None] = relationship()

    __table_args__ = (CheckConstraint("octet_length(form_hash) = 32", name="form_hash"),)


class EnrolmentMove(Base):
    """A person's move to another class: from one enrolment to another one of the same person."""

    __tablename__ = "enrolment_move"

    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id", ondelete="CASCADE"), primary_key=True)
    moved_to_id: Mapped[int] = mapped_column(
        ForeignKey("enrolment.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    moved_at: Mapped[datetime] = mapped_column(default=clock.now)
    moved_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    __table_args__ = (CheckConstraint("enrolment_id <> moved_to_id", name="other"),)


register_refusal("uq_enrolment_once", "already_enrolled", N_("This trainee is already enrolled in this offering."))
