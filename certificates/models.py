"""Tables of certificates, of the keys that sign them, and of the ledger of issuance."""

from datetime import date, datetime
from enum import StrEnum
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
    UniqueConstraint,
    and_,
    false,
    func,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from certificates.second_names.models import SecondName
from courses.models.enrolment import Enrolment
from lms.core.constraints import register_refusal
from lms.core.db import Base, EnumText, Identifier
from lms.core.errors import N_
from lms.core.records import of_record
from lms.core.scope import Scope

# SQL expressions of indexes, so searches must have exactly these texts: the number without its hyphens, and the holder's
# name in small letters, both compared by code points.
PLAIN_NUMBER_SQL = "replace(number COLLATE \"C\", '-', '')"
HOLDER_SQL = 'lower(holder_name COLLATE "C")'


class KeyState(StrEnum):
    """States of a signing key.

    `active` signs; `retired` only verifies; a code of a `compromised` key is trusted if the ledger recorded it before.
    """

    ACTIVE = "active"
    RETIRED = "retired"
    COMPROMISED = "compromised"


class SigningKey(Base):
    """The public half of a key for QR codes; the private half is a file that only the worker reads. Days are inclusive."""

    __tablename__ = "signing_key"

    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    not_before: Mapped[date]
    not_after: Mapped[date]
    state: Mapped[KeyState] = mapped_column(EnumText(KeyState), default=KeyState.ACTIVE)
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
    """A certificate that was issued to a trainee for an offering, with the facts as they were printed.

    `serial` (32 bits) comes from the database's sequence; `payload` is the signed code, 82 bytes; `facts` are the other
    texts on the certificate (course, hours, unit, lead instructor), so that a later renaming does not change it.
    `replaces_id` is the certificate before this one, `superseded_by_id` the one after: of the same enrolment when a
    correction reissued it, of another enrolment when a refresher renewed it. `erased_content`: the content digest of the
    ledger from before the holder's name was erased; null as long as the name is there.
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
    # Deferred: a correction marks the old certificate as superseded before it inserts the new one, in one transaction.
    superseded_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("certificate.id", deferrable=True, initially="DEFERRED")
    )
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("certificate.id"), unique=True)
    erased_content: Mapped[bytes | None] = mapped_column(LargeBinary)

    enrolment: Mapped[Enrolment] = relationship()
    superseded_by: Mapped["Certificate | None"] = relationship(
        foreign_keys="Certificate.superseded_by_id", remote_side="Certificate.id"
    )
    second_names: Mapped[list[SecondName]] = relationship(
        secondary=Enrolment.__table__,
        primaryjoin=lambda: Certificate.enrolment_id == Enrolment.id,
        secondaryjoin=lambda: and_(Enrolment.trainee_id == SecondName.trainee_id, SecondName.withdrawn_at.is_(None)),
        viewonly=True,
    )

    __table_args__ = (
        Index(
            "uq_certificate_enrolment",
            "enrolment_id",
            unique=True,
            postgresql_where="superseded_by_id IS NULL",
        ),
        CheckConstraint("serial BETWEEN 0 AND 4294967295", name="serial"),
        CheckConstraint("octet_length(payload) = 82", name="payload"),
        CheckConstraint("octet_length(erased_content) = 32", name="erased_content"),
        CheckConstraint("valid_until >= issued_on", name="period"),
        CheckConstraint("(revoked_at IS NULL) = (revoke_reason IS NULL)", name="revoked"),
        CheckConstraint("superseded_by_id <> id AND replaces_id <> id", name="superseded"),
        # The certificates of a person are found by it, those that were superseded, too.
        Index("ix_certificate_enrolment", "enrolment_id"),
        Index("ix_certificate_issued_on", "issued_on"),
        Index("ix_certificate_plain_number", text(PLAIN_NUMBER_SQL)),
        Index("ix_certificate_holder", text(HOLDER_SQL), "id"),
        Index(
            "ix_certificate_standing",
            "valid_until",
            postgresql_where="revoked_at IS NULL AND superseded_by_id IS NULL",
        ),
    )

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """Cover the certificates of the enrolments within the scope."""
        if scope.everything:
            return scope.covers()
        return cls.enrolment_id.in_(select(Enrolment.id).where(Enrolment.visible_to(scope)))

    @classmethod
    def reached_by(cls, scope: Scope) -> ColumnElement[bool]:
        """The condition of `visible_to`, looked up row by row: for a page of a list that is walked in its order."""
        if scope.everything:
            return scope.covers()
        enrolled = select(true()).where(Enrolment.id == cls.enrolment_id, Enrolment.visible_to(scope)).correlate(cls)
        return func.coalesce(enrolled.limit(1).scalar_subquery(), false())


@of_record("recorded_at")
class LedgerEntry(Base):
    """An entry of the ledger of issuance.

    `hash` binds the entry before, the code, the moment and the other contents of the certificate (`ledger.entry_hash`);
    the first entry's previous hash is 32 zero bytes.
    """

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


class ReissueRequest(Base):
    """A correction that is owed: only the worker can sign, so it takes these rows as it takes owed enrolments.

    `holder_name` and `facts` are the texts that differ on the new certificate; the others stay. `replacement_id` is set
    once the new certificate is made; `dropped_at` when the certificate was revoked or replaced before.
    """

    __tablename__ = "reissue_request"

    id: Mapped[Identifier]
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"))
    holder_name: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str]
    requested_at: Mapped[datetime]
    requested_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    replacement_id: Mapped[int | None] = mapped_column(ForeignKey("certificate.id"), unique=True)
    dropped_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "uq_reissue_request_open",
            "certificate_id",
            unique=True,
            postgresql_where="replacement_id IS NULL AND dropped_at IS NULL",
        ),
        CheckConstraint("reason <> '' AND holder_name <> ''", name="said"),
        CheckConstraint("replacement_id IS NULL OR dropped_at IS NULL", name="outcome"),
    )


class CertificateReminder(Base):
    """A reminder that was sent, so many days before the last valid day: once for each distance, however often it is
    retried.
    """

    __tablename__ = "certificate_reminder"

    id: Mapped[Identifier]
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"))
    days_before: Mapped[int] = mapped_column(SmallInteger)
    reminded_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("certificate_id", "days_before"),
        CheckConstraint("days_before > 0", name="days_before"),
    )


class IssuerKey(Base):
    """The public half of a key that signs for the issuer's `did:web`: badges ("badge-1") or status lists ("status-1").

    For each purpose one key is active and signs; a retired key is still published, a compromised one is no longer
    trusted.
    """

    __tablename__ = "issuer_key"

    kid: Mapped[str] = mapped_column(primary_key=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    made_at: Mapped[datetime]
    state: Mapped[KeyState] = mapped_column(EnumText(KeyState), default=KeyState.ACTIVE, server_default="active")
    compromised_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("kid ~ '^(badge|status)-[0-9]{1,3}$'", name="kid"),
        CheckConstraint("octet_length(public_key) = 32", name="public_key"),
        CheckConstraint("state IN ('active', 'retired', 'compromised')", name="state"),
        CheckConstraint("(state = 'compromised') = (compromised_at IS NOT NULL)", name="compromised"),
        Index(
            "uq_issuer_key_active",
            text("split_part(kid, '-', 1)"),
            unique=True,
            postgresql_where="state = 'active'",
        ),
    )


class Badge(Base):
    """The Open Badge of a certificate: owed from the first download on, and stored as it was signed.

    `credential` is the Open Badge with its proof, as JSON text; `token` is the same credential as a VC-JWT.
    """

    __tablename__ = "badge"

    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"), primary_key=True, autoincrement=False)
    owed_at: Mapped[datetime]
    made_at: Mapped[datetime | None]
    credential: Mapped[str | None]
    token: Mapped[str | None]

    __table_args__ = (
        CheckConstraint(
            "(made_at IS NULL) = (credential IS NULL) AND (made_at IS NULL) = (token IS NULL)", name="whole"
        ),
        Index("ix_badge_owed", "certificate_id", postgresql_where="made_at IS NULL"),
    )


class StatusList(Base):
    """A signed list of 131,072 certificates as it is published, or (`types`) the table of certificate types and issuing
    units, or (`figures`) the figures of the frozen quarters. Only the worker writes it.

    `encoded` is the bitstring, the table, or a digest of the figures; comparing it tells whether the content changed.
    """

    __tablename__ = "status_list"

    purpose: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    encoded: Mapped[str]
    document: Mapped[str]
    made_at: Mapped[datetime]
    valid_until: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("purpose IN ('revocation', 'superseded', 'types', 'figures')", name="purpose"),
        CheckConstraint("number BETWEEN 0 AND 32767", name="number"),
        CheckConstraint("valid_until > made_at", name="period"),
    )


class ShareLink(Base):
    """A link by which a holder shows one certificate to others. Only the hash of the token is stored."""

    __tablename__ = "share_link"

    id: Mapped[Identifier]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]

    certificate: Mapped[Certificate] = relationship()

    __table_args__ = (
        CheckConstraint("expires_at > made_at", name="period"),
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
        Index("ix_share_link_certificate", "certificate_id"),
    )


register_refusal(
    "uq_reissue_request_open",
    "reissue_waits",
    N_("This certificate is already being corrected. Check again in a minute."),
)
