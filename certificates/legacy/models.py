"""The table of certificates from before this system, and how their holders were found."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from certificates.models import Certificate
from courses.models.trainees import ID_NUMBER_COLUMN, PHONE_COLUMN, IdType, Trainee
from lms.core import crypto
from lms.core.db import Base, EnumText, Identifier
from lms.core.scope import Scope

LEGACY_ID_NUMBER_COLUMN = "legacy_certificate.id_number"
LEGACY_PHONE_COLUMN = "legacy_certificate.phone"


# SQL expressions of indexes, so searches must have exactly these texts, which are compared by code points: the number, its
# digits alone, and the name.
NUMBER_SQL = 'upper(number_key COLLATE "C")'
DIGITS_SQL = "regexp_replace(number_key COLLATE \"C\", '[^0-9]+', '', 'g')"
NAME_SQL = 'upper(name_key COLLATE "C")'


class Match(StrEnum):
    """The ways in which a legacy certificate was found to be a person's.

    id_number: ID number and name agree. name_and_phone: name and phone agree, and the phone is proven or came with the same
    row of an import. by_hand: a person decided.
    """

    ID_NUMBER = "id_number"
    NAME_AND_PHONE = "name_and_phone"
    BY_HAND = "by_hand"


class Suggestion(StrEnum):
    """The facts of a waiting legacy certificate that agree with the record of somebody, so that a person can decide.

    id_number: the ID number, beside another name. phone: name and phone, and the phone is not proven. name: the name alone.
    """

    ID_NUMBER = "id_number"
    PHONE = "phone"
    NAME = "name"


class LegacyCertificate(Base):
    """A certificate from before this system: it has no signed code, so it is looked up by number and holder.

    `number` is the printed form, `number_key` the compared form (NFKC, letters and digits, upper case). ID number and phone
    are encrypted; their blind indexes are made under the columns of `Trainee`, so that equal values of both tables are found
    by a join. Course and unit are the printed texts. `source` is the file and line of the import. Once `erased_at` is set,
    `name_key` holds the slow hash of the name (`erasing.name_mark`), so that a name that somebody types can be compared.

    `trainee_id` is the person whose certificate it is, null until it was matched; `matched_how`, `matched_at` and, where a
    user decided, `matched_by` tell how it was. `certificate_type` is the type that a certificate of the same course has today,
    null where it is not known. `superseded_by_id` is the certificate of this system that renewed it. `set_aside_at`: a user
    took it off the list of certificates that wait for a person; `suggestion` is why it is on that list.
    """

    __tablename__ = "legacy_certificate"

    id: Mapped[Identifier]
    ref: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    number: Mapped[str]
    number_key: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str]
    id_type: Mapped[IdType | None] = mapped_column(EnumText(IdType))
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    programme_code: Mapped[str] = mapped_column(ForeignKey("programme.code"))
    course: Mapped[str]
    unit: Mapped[str]
    issued_on: Mapped[date]
    valid_until: Mapped[date | None]
    source: Mapped[str]
    imported_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    revoke_reason: Mapped[str | None]
    erased_at: Mapped[datetime | None]
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    certificate_type: Mapped[int | None] = mapped_column(SmallInteger)
    trainee_id: Mapped[int | None] = mapped_column(ForeignKey("trainee.id"), index=True)
    matched_how: Mapped[Match | None] = mapped_column(EnumText(Match))
    matched_at: Mapped[datetime | None]
    matched_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    superseded_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("certificate.id", deferrable=True, initially="DEFERRED")
    )
    suggestion: Mapped[Suggestion | None] = mapped_column(EnumText(Suggestion))
    set_aside_at: Mapped[datetime | None]
    set_aside_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    trainee: Mapped[Trainee | None] = relationship()
    superseded_by: Mapped[Certificate | None] = relationship()

    __table_args__ = (
        UniqueConstraint("number_key"),
        Index("ix_legacy_certificate_number", text(NUMBER_SQL)),
        Index("ix_legacy_certificate_digits", text(DIGITS_SQL)),
        Index("ix_legacy_certificate_name", text(NAME_SQL), "id"),
        Index("ix_legacy_certificate_issued_on", "issued_on", "id"),
        Index("ix_legacy_certificate_id_number", "id_number_index"),
        Index(
            "ix_legacy_certificate_phone",
            "phone_index",
            "name_key",
            postgresql_where="trainee_id IS NULL AND phone_index IS NOT NULL",
        ),
        Index("ix_legacy_certificate_waiting", "name_key", postgresql_where="trainee_id IS NULL"),
        Index(
            "ix_legacy_certificate_suggestion",
            "suggestion",
            "id",
            postgresql_where="trainee_id IS NULL AND set_aside_at IS NULL AND suggestion IS NOT NULL",
        ),
        Index(
            "ix_legacy_certificate_aside",
            "id",
            postgresql_where="trainee_id IS NULL AND set_aside_at IS NOT NULL",
        ),
        Index(
            "ix_legacy_certificate_superseded_by", "superseded_by_id", postgresql_where="superseded_by_id IS NOT NULL"
        ),
        Index(
            "ix_legacy_certificate_standing",
            "valid_until",
            postgresql_where="trainee_id IS NOT NULL AND revoked_at IS NULL AND superseded_by_id IS NULL",
        ),
        Index(
            "ix_legacy_certificate_valid",
            "valid_until",
            postgresql_where="revoked_at IS NULL AND superseded_by_id IS NULL",
        ),
        CheckConstraint("(phone_sealed IS NULL) = (phone_index IS NULL)", name="phone_pair"),
        CheckConstraint("certificate_type BETWEEN 0 AND 255", name="certificate_type"),
        CheckConstraint(
            "num_nonnulls(trainee_id, matched_how, matched_at) IN (0, 3)"
            " AND (trainee_id IS NOT NULL OR (matched_by IS NULL AND superseded_by_id IS NULL))",
            name="matched",
        ),
        CheckConstraint("suggestion IN ('id_number', 'phone', 'name')", name="suggestion"),
        CheckConstraint("matched_how IN ('id_number', 'name_and_phone', 'by_hand')", name="matched_how"),
        CheckConstraint(
            "set_aside_at IS NULL AND set_aside_by IS NULL OR set_aside_at IS NOT NULL AND trainee_id IS NULL",
            name="set_aside",
        ),
        CheckConstraint("number_key <> '' AND name_key <> ''", name="named"),
        CheckConstraint("valid_until >= issued_on", name="period"),
        CheckConstraint("(revoked_at IS NULL) = (revoke_reason IS NULL)", name="revoked"),
        CheckConstraint(
            "(id_type IS NULL) = (id_number_sealed IS NULL) AND (id_type IS NULL) = (id_number_index IS NULL)",
            name="id_pair",
        ),
        CheckConstraint(
            "id_type IN ('resident', 'passport', 'hk_macau_permit', 'taiwan_permit', 'foreign_permanent')",
            name="id_type",
        ),
    )

    def set_id_number(self, id_type: IdType | None, number: str | None) -> None:
        """Encrypt and index an ID number, which is already checked and in its canonical form."""
        if self.ref is None:
            self.ref = uuid4()
        cipher = crypto.cipher()
        self.id_type = id_type if number else None
        self.id_number_sealed = cipher.encrypt(LEGACY_ID_NUMBER_COLUMN, self.ref, number) if number else None
        self.id_number_index = cipher.blind_index(ID_NUMBER_COLUMN, number) if number else None

    def set_phone(self, phone: str | None) -> None:
        """Encrypt and index the phone, in E.164."""
        if self.ref is None:
            self.ref = uuid4()
        cipher = crypto.cipher()
        self.phone_sealed = cipher.encrypt(LEGACY_PHONE_COLUMN, self.ref, phone) if phone else None
        self.phone_index = cipher.blind_index(PHONE_COLUMN, phone) if phone else None

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """Cover all legacy certificates for the city; for others those of the people whom the scope covers."""
        if scope.everything:
            return scope.covers()
        return cls.trainee_id.in_(select(Trainee.id).where(Trainee.visible_to(scope)))
