"""Trainees: the register of the people who are trained, with one record for each person."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    CompoundSelect,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    SmallInteger,
    column,
    false,
    func,
    or_,
    select,
    table,
    text,
    true,
    union,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models.offerings import Offering
from lms.core import clock, crypto
from lms.core.constraints import register_refusal
from lms.core.contacts import ContactKind, ProvenContacts, proof_constraints
from lms.core.db import Base, EnumText, Identifier
from lms.core.errors import N_
from lms.core.name_order import INITIALS_SQL, PINYIN_SQL, ListedByName
from lms.core.scope import Scope

PHONE_COLUMN = "trainee.phone"
EMAIL_COLUMN = "trainee.email"
ID_NUMBER_COLUMN = "trainee.id_number"
GUARDIAN_PHONE_COLUMN = "trainee.guardian_phone"
# The name of a person whose data was erased, in a record and on a certificate; readers of both languages understand it.
ERASED_NAME = "已删除 · Erased"

# The trainee record to which the enrolments of undone imports refer. It is nobody's, and no page shows it.
ANONYMOUS_REF = UUID("00000000-0000-4000-8000-696d706f7274")

# The enrolment table without its class: the class is in `courses.models.enrolment`, which imports this module.
_ENROLMENT = table("enrolment", column("trainee_id", BigInteger), column("offering_id", BigInteger))


class IdType(StrEnum):
    """The identity documents with which a person can be registered."""

    RESIDENT = "resident"
    PASSPORT = "passport"
    HK_MACAU_PERMIT = "hk_macau_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    FOREIGN_PERMANENT = "foreign_permanent"


def open_phone(ref: UUID, phone_sealed: bytes | None) -> str | None:
    """The phone of a row that was not read as an object, in E.164."""
    return crypto.cipher().decrypt(PHONE_COLUMN, ref, phone_sealed) if phone_sealed else None


class Trainee(ListedByName, ProvenContacts, Base):
    """A person who is trained. Phone, e-mail and ID number are encrypted; the `…_index` columns find equal values.

    `name_key` is the name in the form that is compared (NFKC, no spaces or dots, upper case). `district_id` is the
    district that registered the person, so that it finds a person whom it has entered and not yet enrolled.

    `erased_at`: the person's data was erased. The row stays, without anything about the person, because the counts of
    people refer to it. The database refuses a new enrolment of it.

    `merged_into_id`: the record is a second one of the same person and was merged into the first (`courses.merging`). It is
    found and shown no more by itself, and keeps its facts, so that the merge can be undone.
    """

    __tablename__ = "trainee"

    id: Mapped[Identifier]
    ref: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), unique=True)
    district_id: Mapped[int | None] = mapped_column(SmallInteger, ForeignKey("district.id"))
    name: Mapped[str]
    name_key: Mapped[str]
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    email_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    email_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    birth_year: Mapped[int | None] = mapped_column(SmallInteger)
    id_type: Mapped[IdType | None] = mapped_column(EnumText(IdType))
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    guardian_name: Mapped[str | None]
    guardian_phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    erased_at: Mapped[datetime | None]
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("trainee.id"))

    merged_records: Mapped[list["Trainee"]] = relationship(
        viewonly=True, primaryjoin="Trainee.id == foreign(Trainee.merged_into_id)", order_by="Trainee.id"
    )

    __table_args__ = (
        Index("uq_trainee_id_number", "id_type", "id_number_index", unique=True),
        Index("ix_trainee_phone", "phone_index", "name_key"),
        Index("ix_trainee_name_key", "name_key"),
        Index("ix_trainee_name_sound", "name_sound"),
        Index("ix_trainee_pinyin", text(PINYIN_SQL), "name_sound"),
        Index("ix_trainee_initials", text(INITIALS_SQL), "name_sound"),
        Index("ix_trainee_district", "district_id"),
        Index("ix_trainee_email_proven", "email_index", postgresql_where="email_proven_at IS NOT NULL"),
        Index("ix_trainee_merged_into", "merged_into_id", postgresql_where="merged_into_id IS NOT NULL"),
        *proof_constraints(),
        CheckConstraint("merged_into_id <> id AND (merged_into_id IS NULL OR user_id IS NULL)", name="merged"),
        CheckConstraint("name <> '' AND name_key <> ''", name="name"),
        CheckConstraint("birth_year BETWEEN 1900 AND 2100", name="birth_year"),
        CheckConstraint(
            "(id_type IS NULL) = (id_number_sealed IS NULL) AND (id_type IS NULL) = (id_number_index IS NULL)",
            name="id_pair",
        ),
        CheckConstraint("(phone_sealed IS NULL) = (phone_index IS NULL)", name="phone_pair"),
        CheckConstraint(
            "erased_at IS NULL OR num_nonnulls(user_id, phone_index, email_sealed, email_index, birth_year, id_number_index,"
            " guardian_name, guardian_phone_sealed) = 0",
            name="erased",
        ),
        CheckConstraint(
            "id_type IN ('resident', 'passport', 'hk_macau_permit', 'taiwan_permit', 'foreign_permanent')",
            name="id_type",
        ),
    )

    def _seal(self, column: str, value: str | None) -> bytes | None:
        if self.ref is None:
            self.ref = uuid4()
        return crypto.cipher().encrypt(column, self.ref, value) if value else None

    def _open(self, column: str, sealed: bytes | None) -> str | None:
        return crypto.cipher().decrypt(column, self.ref, sealed) if sealed else None

    @property
    def phone(self) -> str | None:
        """The phone in E.164, decrypted."""
        return open_phone(self.ref, self.phone_sealed)

    @phone.setter
    def phone(self, value: str | None) -> None:
        if not crypto.is_indexed(self.phone_index, PHONE_COLUMN, value):
            self.forget_proof(ContactKind.PHONE)
        self.phone_sealed = self._seal(PHONE_COLUMN, value)
        self.phone_index = crypto.cipher().blind_index(PHONE_COLUMN, value) if value else None

    @property
    def email(self) -> str | None:
        """The e-mail address, decrypted."""
        return self._open(EMAIL_COLUMN, self.email_sealed)

    @email.setter
    def email(self, value: str | None) -> None:
        spelling = value.lower() if value else None
        if not crypto.is_indexed(self.email_index, EMAIL_COLUMN, spelling):
            self.forget_proof(ContactKind.EMAIL)
        self.email_sealed = self._seal(EMAIL_COLUMN, value)
        self.email_index = crypto.cipher().blind_index(EMAIL_COLUMN, spelling) if spelling else None

    @property
    def guardian_phone(self) -> str | None:
        """The guardian's phone in E.164, decrypted."""
        return self._open(GUARDIAN_PHONE_COLUMN, self.guardian_phone_sealed)

    @guardian_phone.setter
    def guardian_phone(self, value: str | None) -> None:
        self.guardian_phone_sealed = self._seal(GUARDIAN_PHONE_COLUMN, value)

    def set_id_number(self, id_type: IdType | None, number: str | None) -> None:
        """Encrypt and index an ID number, which must be in the form that `courses.enrolment.id_numbers` makes."""
        self.id_type = id_type if number else None
        self.id_number_sealed = self._seal(ID_NUMBER_COLUMN, number)
        self.id_number_index = crypto.cipher().blind_index(ID_NUMBER_COLUMN, number) if number else None

    def open_id_number(self) -> str | None:
        """The ID number in clear.

        A view gets it only by `courses.enrolment.trainees.read_id_number`, which audits each read.
        """
        return self._open(ID_NUMBER_COLUMN, self.id_number_sealed)

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """The trainees whom a district of the scope registered, those enrolled in its offerings, and the user's own
        record. The record of `ANONYMOUS_REF` and merged records are seen by nobody.
        """
        somebody = (cls.ref != ANONYMOUS_REF) & cls.merged_into_id.is_(None)
        if scope.everything:
            return somebody
        # A scalar subquery with a limit is looked up row by row, by the index of a person's enrolments. EXISTS or IN beside
        # an OR would be hashed: all enrolments of a district would be read for one page.
        enrolled = _enrolled(scope, true()).where(_ENROLMENT.c.trainee_id == cls.id).correlate(cls).limit(1)
        covered = scope.covers(district=cls.district_id, trainee=cls.user_id == scope.trainee_user_id)
        return or_(covered, func.coalesce(enrolled.scalar_subquery(), false())) & somebody

    @classmethod
    def ids_among(cls, scope: Scope) -> CompoundSelect[int]:
        """The ids of the people of `visible_to`, for a scope of few people: the set is read as a whole."""
        sets = [_enrolled(scope, _ENROLMENT.c.trainee_id.label("id"))]
        if scope.district_ids:
            sets.append(select(cls.id).where(scope.covers(district=cls.district_id)))
        if scope.trainee_user_id is not None:
            sets.append(select(cls.id).where(cls.user_id == scope.trainee_user_id))
        return union(*sets)


def _enrolled(scope: Scope, what: Any) -> Select[Any]:
    offerings = Offering.__table__
    return (
        select(what)
        .select_from(_ENROLMENT.join(offerings, offerings.c.id == _ENROLMENT.c.offering_id))
        .where(Offering.visible_to(scope))
    )


register_refusal(
    "uq_trainee_id_number",
    "id_number_taken",
    N_("Another trainee is registered with this ID number. Search for that person instead of registering them again."),
)
