"""Users, the roles granted to them, and the browser sessions in which they are signed in."""

from datetime import datetime
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
    and_,
    case,
    false,
    func,
    select,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.accounts.places import INSTRUCTOR, ORGANISATION
from lms.core import clock, crypto
from lms.core.constraints import register_refusal
from lms.core.contacts import ContactKind, ContactProof, ProvenContacts, proof_constraints
from lms.core.db import Base, EnumText, Identifier
from lms.core.errors import N_
from lms.core.name_order import ListedByName
from lms.core.scope import Role, Scope

PHONE = "app_user.phone"
EMAIL = "app_user.email"
CHECKED = "contact_check.contact"


class User(ListedByName, ProvenContacts, Base):
    """A person who can sign in. Phone and e-mail address are sealed and found by `phone_index` and `email_index` (of the
    address in lower case). A disabled user has no live session.

    Only a proven contact is unique: an address that somebody typed does not keep its owner out.
    """

    __tablename__ = "app_user"

    id: Mapped[Identifier]
    ref: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    name: Mapped[str]
    email_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    email_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    password_hash: Mapped[str | None]
    language: Mapped[str] = mapped_column(default="zh")
    messages_by: Mapped[ContactKind | None] = mapped_column(EnumText(ContactKind))
    created_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    disabled_at: Mapped[datetime | None]

    grants: Mapped[list["RoleGrant"]] = relationship(
        back_populates="user", cascade="all, delete-orphan", lazy="selectin"
    )

    __table_args__ = (
        Index("uq_app_user_email", "email_index", unique=True, postgresql_where="email_proven_at IS NOT NULL"),
        Index("uq_app_user_phone_index", "phone_index", unique=True, postgresql_where="phone_proven_at IS NOT NULL"),
        Index("ix_app_user_email_claimed", "email_index", postgresql_where="email_proven_at IS NULL"),
        Index("ix_app_user_phone_claimed", "phone_index", postgresql_where="phone_proven_at IS NULL"),
        *proof_constraints(),
        CheckConstraint(
            "email_index IS NOT NULL OR phone_index IS NOT NULL OR disabled_at IS NOT NULL", name="reachable"
        ),
        CheckConstraint("language IN ('zh', 'en')", name="language"),
        CheckConstraint("messages_by IN ('phone', 'email')", name="messages_by"),
        CheckConstraint("(phone_sealed IS NULL) = (phone_index IS NULL)", name="phone_pair"),
        CheckConstraint("(email_sealed IS NULL) = (email_index IS NULL)", name="email_pair"),
    )

    @property
    def phone(self) -> str | None:
        """The phone number in E.164, decrypted."""
        return crypto.cipher().decrypt(PHONE, self.ref, self.phone_sealed) if self.phone_sealed else None

    @phone.setter
    def phone(self, value: str | None) -> None:
        if self.ref is None:
            self.ref = uuid4()
        self.phone_sealed = crypto.cipher().encrypt(PHONE, self.ref, value) if value else None
        self.phone_index = crypto.cipher().blind_index(PHONE, value) if value else None

    @property
    def email(self) -> str | None:
        """The e-mail address as it was entered, decrypted."""
        return crypto.cipher().decrypt(EMAIL, self.ref, self.email_sealed) if self.email_sealed else None

    @email.setter
    def email(self, value: str | None) -> None:
        if self.ref is None:
            self.ref = uuid4()
        self.email_sealed = crypto.cipher().encrypt(EMAIL, self.ref, value) if value else None
        self.email_index = crypto.cipher().blind_index(EMAIL, value.lower()) if value else None

    @classmethod
    def email_is(cls, email: str) -> ColumnElement[bool]:
        """Condition: the user has this e-mail address, in upper or lower case."""
        return crypto.index_is(cls.email_index, EMAIL, email.lower())

    @classmethod
    def phone_is(cls, phone: str) -> ColumnElement[bool]:
        """Condition: the user has this phone, in E.164."""
        return crypto.index_is(cls.phone_index, PHONE, phone)

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """Condition: all roles of the user lie in the districts of the scope.

        A user with a role for the whole city, or without a district yet, is visible to the city alone.
        """
        if scope.everything:
            return true()
        if not scope.district_ids:
            return false()
        within = _district_of_grant().in_(scope.district_ids)
        beyond = RoleGrant.role.in_((Role.CITY_ADMINISTRATOR, Role.AUDITOR)) | ~within
        return and_(cls.grants.any(within), ~cls.grants.any(beyond))

    @classmethod
    def manageable_by(cls, scope: Scope) -> ColumnElement[bool]:
        """Condition: each role of the user lies in the districts of the scope, so that the scope may change the account.

        A trainee's role lies in no district, because the training of a person is the whole city's: only the city changes
        name, contacts, password and state of such an account.
        """
        if scope.everything:
            return true()
        return and_(cls.grants.any(RoleGrant.within(scope)), ~cls.grants.any(~RoleGrant.within(scope)))


class RoleGrant(Base):
    """A role of a user and where it holds: the district of a district administrator, the organisation of a coordinator."""

    __tablename__ = "role_grant"

    id: Mapped[Identifier]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    role: Mapped[Role] = mapped_column(EnumText(Role))
    district_id: Mapped[int | None] = mapped_column(SmallInteger, ForeignKey("district.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))

    user: Mapped[User] = relationship(back_populates="grants")

    @classmethod
    def within(cls, scope: Scope) -> ColumnElement[bool]:
        """Condition: the grant holds in a district of the scope. Never null: a grant that holds in none is not within."""
        if scope.everything:
            return true()
        return func.coalesce(_district_of_grant().in_(scope.district_ids), False)

    __table_args__ = (
        UniqueConstraint(
            "user_id",
            "role",
            "district_id",
            "organisation_id",
            name="uq_role_grant_once",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint(
            "role IN ('trainee', 'instructor', 'coordinator', 'district_administrator', 'city_administrator', 'auditor')",
            name="role",
        ),
        CheckConstraint("(role = 'district_administrator') = (district_id IS NOT NULL)", name="district"),
        CheckConstraint("(role = 'coordinator') = (organisation_id IS NOT NULL)", name="organisation"),
    )


def _district_of_grant() -> ColumnElement[int | None]:
    """The district in which a grant holds; null for a role that holds everywhere, and for a trainee's, which holds nowhere."""
    host = select(ORGANISATION.c.district_id).where(ORGANISATION.c.id == RoleGrant.organisation_id).scalar_subquery()
    home = select(INSTRUCTOR.c.district_id).where(INSTRUCTOR.c.user_id == RoleGrant.user_id).scalar_subquery()
    return func.coalesce(RoleGrant.district_id, host, case((RoleGrant.role == Role.INSTRUCTOR, home)))


class BrowserSession(Base):
    """A signed-in browser. The cookie holds the token; the table holds its hash, so that deleting the row signs the browser out.

    `confirmed_at`: when the owner last gave the password here. `second_factor_at`: when the second factor was given, or a
    known browser stood for it; null while the sign-in is half done for those of whom it is demanded.
    """

    __tablename__ = "browser_session"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    browser: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None]
    second_factor_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


class KnownBrowser(Base):
    """A browser in which a user once signed in. Its cookie holds a token; the table holds the token's hash.

    Wrong passwords from elsewhere do not shut it out, its owner is told when it first appears, and until
    `second_factor_until` it is not asked for the second factor again. `second_factor_at`: when it was last given there.
    """

    __tablename__ = "known_browser"

    id: Mapped[Identifier]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    browser: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    second_factor_at: Mapped[datetime | None]
    second_factor_until: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("token_hash", "user_id"),)


class ContactCheck(Base):
    """An attempt to prove a contact: the code and the link that were sent to it, of which the table holds hashes.

    `purpose` says what follows from the proof (`lms.accounts.contact_checks`), `subject` names the row that it concerns
    ("trainee:17"). A check is over when it is proven, when a newer one took its place or when its time is up. The code ends
    earlier, with its tries or after ten minutes.
    """

    __tablename__ = "contact_check"

    id: Mapped[Identifier]
    ref: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    purpose: Mapped[str]
    subject: Mapped[str]
    kind: Mapped[ContactKind] = mapped_column(EnumText(ContactKind))
    contact_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    contact_index: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    language: Mapped[str] = mapped_column(default="zh")
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    link_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    started_by: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    proven_at: Mapped[datetime | None]
    proof: Mapped[ContactProof | None] = mapped_column(EnumText(ContactProof))

    @property
    def contact(self) -> str:
        """The phone in E.164 or the e-mail address, decrypted."""
        return crypto.cipher().decrypt(CHECKED, self.ref, self.contact_sealed)

    @contact.setter
    def contact(self, value: str) -> None:
        if self.ref is None:
            self.ref = uuid4()
        self.contact_sealed = crypto.cipher().encrypt(CHECKED, self.ref, value)
        self.contact_index = crypto.cipher().blind_index(CHECKED, value.lower())

    @classmethod
    def contact_is(cls, contact: str) -> ColumnElement[bool]:
        """Condition: the check is of this contact, in upper or lower case."""
        return crypto.index_is(cls.contact_index, CHECKED, contact.lower())

    __table_args__ = (
        Index("ix_contact_check_subject", "purpose", "subject"),
        CheckConstraint("kind IN ('phone', 'email')", name="kind"),
        CheckConstraint("language IN ('zh', 'en')", name="language"),
        CheckConstraint("tries BETWEEN 0 AND 5", name="tries"),
        CheckConstraint("(proven_at IS NULL) = (proof IS NULL)", name="proof"),
    )


class PasswordReset(Base):
    """A link that sets a password once. Its use proves the contact to which it was sent (`proves`).

    `handed_over_by`: the user who handed the link over in person, where it was not sent; then its use is a proof by staff.
    """

    __tablename__ = "password_reset"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    proves: Mapped[ContactKind | None] = mapped_column(EnumText(ContactKind))
    handed_over_by: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("proves IN ('phone', 'email')", name="proves"),)


class PasswordRequest(Base):
    """A request for a password link, as it was typed and sealed, until a worker has looked up whose contact it is.

    The web only stores it, whoever has the contact, so that the time of its answer tells nothing. The row is then deleted.
    """

    __tablename__ = "password_request"

    id: Mapped[Identifier]
    ref: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    identifier_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Device(Base):
    """A browser that sends stored check-ins with a token of its own, which can be revoked.

    The device holds the token; the table holds its hash. `seen_at` is coarse, so that the hot path need not write it each time.
    """

    __tablename__ = "device"

    id: Mapped[Identifier]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    paired_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


TOTP_SECRET = "totp.secret"  # noqa: S105  # the name of the column


class Totp(Base):
    """The authenticator app of a user (TOTP, RFC 6238). The secret is sealed with the user's reference.

    `last_step`: the number of the last 30 seconds of which a code was accepted; no code is accepted for it or before it.
    """

    __tablename__ = "totp"

    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    used_at: Mapped[datetime | None]


class Passkey(Base):
    """A passkey of a user (WebAuthn): the public key, and how often the authenticator says that it was used."""

    __tablename__ = "passkey"

    id: Mapped[Identifier]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    used_at: Mapped[datetime | None]


class PasskeyChallenge(Base):
    """The challenge that a browser session was last given for making or using a passkey. It is answered once.

    `purpose`: "add" or "use", so that an answer to one is none to the other.
    """

    __tablename__ = "passkey_challenge"

    token_hash: Mapped[bytes] = mapped_column(
        LargeBinary, ForeignKey("browser_session.token_hash", ondelete="CASCADE", onupdate="CASCADE"), primary_key=True
    )
    purpose: Mapped[str]
    challenge: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("purpose IN ('add', 'use')", name="purpose"),)


class RecoveryCode(Base):
    """A recovery code, which stands for the second factor once. The table holds its hash (`lms.accounts.recovery_codes`)."""

    __tablename__ = "recovery_code"

    id: Mapped[Identifier]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    used_at: Mapped[datetime | None]


register_refusal("uq_passkey_credential_id", "passkey_known", N_("This passkey is already set up."))
register_refusal("uq_app_user_email", "email_taken", N_("Another account uses this e-mail address."))
register_refusal("uq_app_user_phone_index", "phone_taken", N_("Another account uses this phone number."))
register_refusal("uq_role_grant_once", "granted_already", N_("This account already has this role."))
