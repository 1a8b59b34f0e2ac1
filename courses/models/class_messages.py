"""Messages of its staff to a class, and the enrolments for which each was meant."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models.offerings import CourseSession
from lms.core import clock
from lms.core.db import Base, EnumText, Identifier


class Audience(StrEnum):
    """The people of a class for whom a message is meant; `present` and `absent` are told of one session."""

    ENROLLED = "enrolled"
    PRESENT = "present"
    ABSENT = "absent"
    WAITING = "waiting"


OF_SESSION = frozenset({Audience.PRESENT, Audience.ABSENT})


class ClassMessage(Base):
    """A message to a class. Its recipients see it on their ticket pages, however it reached them.

    `form_hash`: of the form that sent it, so that a form sent twice sends once.
    """

    __tablename__ = "class_message"

    id: Mapped[Identifier]
    offering_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("offering.id"), index=True)
    course_session_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("course_session.id", ondelete="CASCADE"), index=True
    )
    audience: Mapped[Audience] = mapped_column(EnumText(Audience))
    text: Mapped[str]
    form_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    sent_at: Mapped[datetime] = mapped_column(default=clock.now)
    sent_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    meeting: Mapped[CourseSession | None] = relationship()

    __table_args__ = (
        CheckConstraint("audience IN ('enrolled', 'present', 'absent', 'waiting')", name="audience"),
        CheckConstraint("(course_session_id IS NULL) = (audience IN ('enrolled', 'waiting'))", name="session"),
        CheckConstraint("text <> ''", name="text"),
    )


class ClassMessageRecipient(Base):
    """An enrolment for which a message to a class was meant."""

    __tablename__ = "class_message_recipient"

    class_message_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("class_message.id", ondelete="CASCADE"), primary_key=True
    )
    enrolment_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("enrolment.id", ondelete="CASCADE"), primary_key=True, index=True
    )
