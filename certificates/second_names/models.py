"""The second writing of a holder's name, which certificates print beneath the name."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from courses.models.trainees import Trainee
from lms.core import clock
from lms.core.constraints import register_refusal
from lms.core.db import Base, EnumText, Identifier
from lms.core.errors import N_


class Way(StrEnum):
    """How the writing was given.

    `reading`: with the ticket, a reading of the name itself in pinyin. `proof`: with the ticket and a code that was sent to
    the record's phone. `staff`: by a user who may change the person.
    """

    READING = "reading"
    PROOF = "proof"
    STAFF = "staff"


class SecondName(Base):
    """A writing of a person's name in Latin letters that the person wants on certificates, beneath the name.

    `name` is the name that it is a writing of: a certificate on which the holder has another name does not print it. A row
    is withdrawn when it is taken back or replaced. `recorded_by` is null where the holder gave it.
    """

    __tablename__ = "second_name"

    id: Mapped[Identifier]
    trainee_id: Mapped[int] = mapped_column(ForeignKey(Trainee.id), index=True)
    name: Mapped[str]
    writing: Mapped[str]
    way: Mapped[Way] = mapped_column(EnumText(Way))
    recorded_at: Mapped[datetime] = mapped_column(default=clock.now)
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    __table_args__ = (
        Index("uq_second_name_open", "trainee_id", unique=True, postgresql_where="withdrawn_at IS NULL"),
        CheckConstraint("name <> '' AND writing <> '' AND writing <> name", name="said"),
        CheckConstraint("way IN ('reading', 'proof', 'staff')", name="way"),
        CheckConstraint("(way = 'staff') = (recorded_by IS NOT NULL)", name="recorded"),
        CheckConstraint("withdrawn_by IS NULL OR withdrawn_at IS NOT NULL", name="withdrawn"),
    )


register_refusal(
    "uq_second_name_open",
    "second_name_recorded",
    N_("A writing was recorded in the meantime. Look at the page again."),
)
