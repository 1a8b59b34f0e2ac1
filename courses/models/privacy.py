"""Privacy: the versions of the privacy text, the consents to them, and requests to erase a person's data."""

import json
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, ForeignKey, Index, LargeBinary, SmallInteger, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models.trainees import Trainee
from lms.core import clock, crypto
from lms.core.constraints import register_refusal
from lms.core.db import Base, EnumText, Identifier
from lms.core.errors import N_
from lms.core.scope import Scope

GUARDIAN_COLUMN = "consent.guardian"


class PrivacyText(Base):
    """A version of the privacy text, in both languages. A version is never changed; a new one takes its place.

    The texts have the placeholders {organisation} and {contact}, which the page fills from the settings. `published_by` is
    null for the first version, which comes with the system.
    """

    __tablename__ = "privacy_text"

    version: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    text_zh: Mapped[str]
    text_en: Mapped[str]
    in_force_from: Mapped[date]
    published_at: Mapped[datetime]
    published_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    __table_args__ = (
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("text_zh <> '' AND text_en <> ''", name="text"),
    )


class ConsentGiver(StrEnum):
    """The person who consents: the trainee, or the guardian of a child under 14 (PIPL, article 31)."""

    ONESELF = "oneself"
    GUARDIAN = "guardian"


class ConsentWay(StrEnum):
    """The way in which a consent was given: at self-enrolment, on the ticket's page, in the account, at the desk, by list."""

    SELF_ENROLMENT = "self_enrolment"
    TICKET = "ticket"
    ACCOUNT = "account"
    DESK = "desk"
    LIST = "list"


class Consent(Base):
    """A consent of a person to a version of the privacy text. Its withdrawal is kept in the same row.

    `recorded_by`: the user who has the consent on paper or heard it in person; null where the person gave it to the system.
    `guardian_sealed` holds the guardian's name and relation to the child, encrypted, as JSON.
    """

    __tablename__ = "consent"

    id: Mapped[Identifier]
    ref: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    trainee_id: Mapped[int] = mapped_column(ForeignKey("trainee.id", ondelete="CASCADE"), index=True)
    version: Mapped[int] = mapped_column(SmallInteger, ForeignKey("privacy_text.version"))
    given_at: Mapped[datetime] = mapped_column(default=clock.now)
    giver: Mapped[ConsentGiver] = mapped_column(EnumText(ConsentGiver))
    way: Mapped[ConsentWay] = mapped_column(EnumText(ConsentWay))
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    guardian_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(BigInteger)
    withdrawal_reason: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("giver IN ('oneself', 'guardian')", name="giver"),
        CheckConstraint("way IN ('self_enrolment', 'ticket', 'account', 'desk', 'list')", name="way"),
        CheckConstraint("(way IN ('desk', 'list')) = (recorded_by IS NOT NULL)", name="recorded"),
        CheckConstraint("giver = 'guardian' OR guardian_sealed IS NULL", name="guardian"),
    )

    def set_guardian(self, name: str, relation: str) -> None:
        """Encrypt the guardian's name and relation to the child."""
        if self.ref is None:
            self.ref = uuid4()
        content = json.dumps({"name": name, "relation": relation})
        self.guardian_sealed = crypto.cipher().encrypt(GUARDIAN_COLUMN, self.ref, content)

    def guardian(self) -> dict[str, str] | None:
        """The guardian's name and relation, decrypted; None where no guardian consented or the name was erased."""
        if self.guardian_sealed is None:
            return None
        content: dict[str, str] = json.loads(crypto.cipher().decrypt(GUARDIAN_COLUMN, self.ref, self.guardian_sealed))
        return content


class ErasureState(StrEnum):
    """The state of a request to erase. withdrawn: the person took it back."""

    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ErasureRequest(Base):
    """A request to erase a person's data. `asked_by`: the staff who have it on paper; null where the person asked here."""

    __tablename__ = "erasure_request"

    id: Mapped[Identifier]
    trainee_id: Mapped[int] = mapped_column(ForeignKey("trainee.id", ondelete="CASCADE"), index=True)
    state: Mapped[ErasureState] = mapped_column(EnumText(ErasureState), default=ErasureState.OPEN)
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(BigInteger)
    answer: Mapped[str | None]

    trainee: Mapped[Trainee] = relationship()

    __table_args__ = (
        Index("uq_erasure_request_open", "trainee_id", unique=True, postgresql_where="state = 'open'"),
        CheckConstraint("state IN ('open', 'done', 'refused', 'withdrawn')", name="state"),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
    )

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """The requests about people whom the scope covers."""
        return cls.trainee_id.in_(select(Trainee.id).where(Trainee.visible_to(scope)))


register_refusal(
    "uq_erasure_request_open",
    "erasure_asked_already",
    N_("The erasure of this person's data has already been asked for."),
)
register_refusal(
    "ck_enrolment_person_erased", "person_erased", N_("The data of this person was erased. Register the person anew.")
)
