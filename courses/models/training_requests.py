"""Training requests: organisations ask their district for a training, on a public form."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, ForeignKey, Index, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models.catalogue import Course
from lms.core import clock, crypto
from lms.core.db import Base, EnumText, Identifier
from lms.core.scope import Scope
from lms.organisations.models import District

COLUMN = "training_request.content"


class RequestState(StrEnum):
    """The state of a training request.

    open: the district has not decided yet. accepted: a draft offering was made from it. declined: with a reason.
    """

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"


@dataclass(frozen=True)
class ContactPerson:
    """The person of an organisation whom the district calls or writes to, and what that person remarks.

    phone: in E.164. At least one of phone and e-mail is given. Neither is proven.
    """

    name: str = field(repr=False)
    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    remarks: str | None = field(default=None, repr=False)

    def sealed(self, ref: UUID) -> bytes:
        """The person encrypted, for the column `content` of the request with this `ref`."""
        return crypto.cipher().encrypt(COLUMN, ref, json.dumps(asdict(self)))


class TrainingRequest(Base):
    """A training that an organisation asks for.

    `organisation_name` is the name that was typed; nothing says that whoever typed it belongs to the organisation.
    `content` is the encrypted `ContactPerson`. `form_hash` recognises a form that is sent twice. `offering_id` is the
    offering that was made from the request, and `answer` the reason of a request that was declined.
    """

    __tablename__ = "training_request"

    id: Mapped[Identifier]
    ref: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    district_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("district.id"))
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"), index=True)
    organisation_name: Mapped[str]
    people: Mapped[int] = mapped_column(SmallInteger)
    days: Mapped[str]
    place: Mapped[str | None]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    language: Mapped[str]
    privacy_version: Mapped[int] = mapped_column(SmallInteger)
    form_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    state: Mapped[RequestState] = mapped_column(EnumText(RequestState), default=RequestState.OPEN)
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(BigInteger)
    answer: Mapped[str | None]
    offering_id: Mapped[int | None] = mapped_column(ForeignKey("offering.id", ondelete="SET NULL"), index=True)

    district: Mapped[District] = relationship()
    course: Mapped[Course] = relationship()

    __table_args__ = (
        Index("ix_training_request_open", "district_id", "id", postgresql_where="state = 'open'"),
        CheckConstraint("state IN ('open', 'accepted', 'declined')", name="state"),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("(state = 'declined') = (answer IS NOT NULL)", name="answer"),
        CheckConstraint("people >= 1", name="people"),
        CheckConstraint("language IN ('zh', 'en')", name="language"),
        CheckConstraint("octet_length(form_hash) = 32", name="form_hash"),
    )

    @property
    def contact(self) -> ContactPerson:
        """The contact person, decrypted."""
        return ContactPerson(**json.loads(crypto.cipher().decrypt(COLUMN, self.ref, self.content)))

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """The requests to the scope's districts."""
        return scope.covers(district=cls.district_id)
