"""Tables of the register: instructors, and which programmes each may teach until when."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock, crypto
from lms.core.contacts import ContactKind
from lms.core.db import Base, EnumText, Identifier
from lms.core.name_order import ListedByName
from lms.core.scope import Scope
from lms.organisations.models import District

PHONE_COLUMN = "instructor.phone"
EMAIL_COLUMN = "instructor.email"


class Level(StrEnum):
    """Levels of an instructor: 初级, 中级, 高级."""

    JUNIOR = "junior"
    INTERMEDIATE = "intermediate"
    SENIOR = "senior"


class Instructor(ListedByName, Base):
    """A person who may teach. An instructor is registered with a district and may have an account."""

    __tablename__ = "instructor"

    id: Mapped[Identifier]
    ref: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), unique=True)
    name: Mapped[str]
    registration_number: Mapped[str] = mapped_column(unique=True)
    district_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("district.id"), index=True)
    level: Mapped[Level] = mapped_column(EnumText(Level), default=Level.JUNIOR)
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    email_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    active: Mapped[bool] = mapped_column(default=True)

    user: Mapped[User | None] = relationship()
    district: Mapped[District] = relationship()
    qualifications: Mapped[list["Qualification"]] = relationship(
        back_populates="instructor", cascade="all, delete-orphan", order_by="Qualification.valid_until.desc()"
    )

    __table_args__ = (CheckConstraint("level IN ('junior', 'intermediate', 'senior')", name="level"),)

    @property
    def phone(self) -> str | None:
        """The phone in E.164, decrypted."""
        return crypto.cipher().decrypt(PHONE_COLUMN, self.ref, self.phone_sealed) if self.phone_sealed else None

    @phone.setter
    def phone(self, value: str | None) -> None:
        """The phone in E.164, decrypted."""
        if self.ref is None:
            self.ref = uuid4()
        self.phone_sealed = crypto.cipher().encrypt(PHONE_COLUMN, self.ref, value) if value else None

    @property
    def email(self) -> str | None:
        """The e-mail address, decrypted."""
        return crypto.cipher().decrypt(EMAIL_COLUMN, self.ref, self.email_sealed) if self.email_sealed else None

    @email.setter
    def email(self, value: str | None) -> None:
        """The e-mail address, decrypted."""
        if self.ref is None:
            self.ref = uuid4()
        self.email_sealed = crypto.cipher().encrypt(EMAIL_COLUMN, self.ref, value) if value else None

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """Cover the instructors of the scope's districts, and for an instructor the own row."""
        return scope.covers(district=cls.district_id, instructor=cls.user_id == scope.instructor_user_id)


class InstructorInvitation(Base):
    """A link that lets its holder take an instructor's place on the register with an account. Used once.

    `proves`: the contact of the register to which it was sent, which its acceptance proves for the account.
    `handed_over_by`: the user who handed it over in person instead; then the acceptance is a proof by staff. An instructor has
    at most one that is neither accepted nor withdrawn.
    """

    __tablename__ = "instructor_invitation"

    id: Mapped[Identifier]
    instructor_id: Mapped[int] = mapped_column(ForeignKey("instructor.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    proves: Mapped[ContactKind | None] = mapped_column(EnumText(ContactKind))
    handed_over_by: Mapped[int | None] = mapped_column(BigInteger)
    invited_by: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]

    instructor: Mapped[Instructor] = relationship()

    __table_args__ = (
        Index(
            "uq_instructor_invitation_open",
            "instructor_id",
            unique=True,
            postgresql_where="accepted_at IS NULL AND withdrawn_at IS NULL",
        ),
        CheckConstraint("proves IN ('phone', 'email')", name="proves"),
    )


class Qualification(Base):
    """The right to teach a programme from the first to the last day, both included."""

    __tablename__ = "qualification"

    id: Mapped[Identifier]
    instructor_id: Mapped[int] = mapped_column(ForeignKey("instructor.id", ondelete="CASCADE"))
    programme_code: Mapped[str] = mapped_column(ForeignKey("programme.code"))
    valid_from: Mapped[date]
    valid_until: Mapped[date]

    instructor: Mapped[Instructor] = relationship(back_populates="qualifications")

    __table_args__ = (
        UniqueConstraint("instructor_id", "programme_code", "valid_from"),
        CheckConstraint("valid_until >= valid_from", name="period"),
        Index("ix_qualification_valid_until", "valid_until"),
    )
