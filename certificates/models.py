"""Certificates, the keys that sign their codes, and the ledger of issuance."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from certificates.keys import KeyState
from courses.models.enrolment import Enrolment
from lms.core.db import Base, Identifier, Word
from lms.core.scope import Scope


class SigningKey(Base):
    """The public half of a key for QR codes; the private half is a file that the worker reads. Days are inclusive."""

    __tablename__ = "signing_key"

    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    not_before: Mapped[date]
    not_after: Mapped[date]
    state: Mapped[KeyState] = mapped_column(Word(KeyState), default=KeyState.ACTIVE)
    compromised_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("number BETWEEN 0 AND 255", name="number"),
        CheckConstraint("octet_length(public_key) = 32", name="public_key"),
        CheckConstraint("not_after >= not_before", name="period"),
        CheckConstraint("state IN ('active', 'retired', 'compromised')", name="state"),
        CheckConstraint("(state = 'compromised') = (compromised_at IS NOT NULL)", name="compromised"),
        Index("uq_signing_key_active", "state", unique=True, postgresql_where="state = 'active'"),
    )


class Certificate(Base):
    """What was issued to a trainee for an offering. Facts on the paper are kept as they were printed.

    `serial` (32 bits) comes from the database's sequence; `payload` is the signed code, 82 bytes; `facts` are the other
    words on the paper (course, hours, unit, lead instructor), so that a later renaming does not rewrite it.
    """

    __tablename__ = "certificate"

    id: Mapped[Identifier]
    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=False, start=1, maxvalue=4294967295), unique=True)
    number: Mapped[str] = mapped_column(unique=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    holder_name: Mapped[str]
    certificate_type: Mapped[int] = mapped_column(SmallInteger)
    unit: Mapped[int] = mapped_column(SmallInteger)
    issued_on: Mapped[date]
    valid_until: Mapped[date | None]
    key_number: Mapped[int] = mapped_column(SmallInteger, ForeignKey("signing_key.number"))
    payload: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    issued_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    revoke_reason: Mapped[str | None]
    superseded_by_id: Mapped[int | None] = mapped_column(ForeignKey("certificate.id"))

    enrolment: Mapped[Enrolment] = relationship()
    superseded_by: Mapped["Certificate | None"] = relationship(remote_side="Certificate.id")

    __table_args__ = (
        Index(
            "uq_certificate_enrolment",
            "enrolment_id",
            unique=True,
            postgresql_where="superseded_by_id IS NULL",
        ),
        CheckConstraint("serial BETWEEN 0 AND 4294967295", name="serial"),
        CheckConstraint("octet_length(payload) = 82", name="payload"),
        CheckConstraint("valid_until >= issued_on", name="period"),
        CheckConstraint("(revoked_at IS NULL) = (revoke_reason IS NULL)", name="revoked"),
        CheckConstraint("superseded_by_id <> id", name="superseded"),
        Index("ix_certificate_issued_on", "issued_on"),
    )

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """Those of the enrolments one sees."""
        if scope.everything:
            return scope.covers()
        return cls.enrolment_id.in_(select(Enrolment.id).where(Enrolment.visible_to(scope)))


class LedgerEntry(Base):
    """One issuance. `hash` = SHA-256(previous hash ‖ payload's SHA-256); the first entry's previous hash is 32 zero bytes."""

    __tablename__ = "ledger_entry"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"), unique=True)
    payload_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    recorded_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint(
            "octet_length(payload_hash) = 32 AND octet_length(previous_hash) = 32 AND octet_length(hash) = 32",
            name="lengths",
        ),
    )
