"""Names that a certificate cannot print: what lacks, and the writing that the holder chose instead."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models.enrolment import Enrolment
from lms.core import clock
from lms.core.constraints import register_refusal
from lms.core.db import Base, Identifier
from lms.core.errors import N_
from lms.core.scope import Scope

HOLDER = "holder"  # the key of the holder's name in `MissingGlyphs.lacking`


class NameWriting(Base):
    """A writing of the holder's name that a certificate can print, as the holder chose it.

    `name` is the name of the record when the writing was chosen: after a correction of the record the writing no longer holds.
    A writing is withdrawn when it is undone or replaced. `recorded_by` is null where the holder gave it by ticket.
    """

    __tablename__ = "name_writing"

    id: Mapped[Identifier]
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    writing: Mapped[str]
    reason: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(default=clock.now)
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    enrolment: Mapped[Enrolment] = relationship()

    __table_args__ = (
        Index("uq_name_writing_open", "enrolment_id", unique=True, postgresql_where="withdrawn_at IS NULL"),
        CheckConstraint("name <> '' AND writing <> '' AND reason <> ''", name="said"),
        CheckConstraint("writing <> name", name="other"),
        CheckConstraint("withdrawn_by IS NULL OR withdrawn_at IS NOT NULL", name="withdrawn"),
    )


class MissingGlyphs(Base):
    """The characters that no font has, of an enrolment whose certificate waits for that, or was issued with them.

    `lacking`: by the text of the certificate (`HOLDER`, or a key of `Certificate.facts`) the characters, as
    `lms.core.fonts.unprintable` gives them. A row is removed as soon as everything can be printed: with another font, a
    corrected name, or a writing.
    """

    __tablename__ = "missing_glyphs"

    enrolment_id: Mapped[int] = mapped_column(
        ForeignKey("enrolment.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    lacking: Mapped[dict[str, list[str]]] = mapped_column(JSONB)
    found_at: Mapped[datetime] = mapped_column(default=clock.now)

    enrolment: Mapped[Enrolment] = relationship()

    __table_args__ = (CheckConstraint("lacking <> '{}'", name="lacking"),)

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """Cover the rows of the enrolments within the scope."""
        if scope.everything:
            return scope.covers()
        return cls.enrolment_id.in_(select(Enrolment.id).where(Enrolment.visible_to(scope)))


register_refusal(
    "uq_name_writing_open",
    "writing_recorded",
    N_("A writing was recorded in the meantime. Look at the page again."),
)
