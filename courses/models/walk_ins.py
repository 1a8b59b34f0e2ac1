"""Walk-ins: people who came to a session without a place in its offering."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import clock, crypto
from lms.core.db import Base

PHONE_COLUMN = "walk_in.phone"


class WalkInPerson(Base):
    """A person without a place, known by the name that was typed at the door. The device that entered it makes the id.

    Personal data stands here and not in the attendance event: an event is never altered, whereas this row can be wiped.
    `enrolment_id` is the place that the person was given in the end.
    """

    __tablename__ = "walk_in"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    course_session_id: Mapped[int] = mapped_column(ForeignKey("course_session.id"), index=True)
    name: Mapped[str]
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"))
    made_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    enrolment_id: Mapped[int | None] = mapped_column(ForeignKey("enrolment.id"), index=True)
    rejected_at: Mapped[datetime | None]

    @property
    def phone(self) -> str | None:
        """The phone in E.164, decrypted."""
        return crypto.cipher().decrypt(PHONE_COLUMN, self.id, self.phone_sealed) if self.phone_sealed else None

    @phone.setter
    def phone(self, value: str | None) -> None:
        self.phone_sealed = crypto.cipher().encrypt(PHONE_COLUMN, self.id, value) if value else None
