"""The 16 districts and the organisations that host training."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, SmallInteger, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.core.db import Base, EnumText, Identifier
from lms.core.scope import Scope


class Sector(StrEnum):
    """Sectors of the campaign 六进 (six sectors that training goes into), and the Red Cross's own bodies."""

    COMMUNITY = "community"
    VILLAGE = "village"
    SCHOOL = "school"
    ENTERPRISE = "enterprise"
    OFFICE = "office"
    FAMILY = "family"
    RED_CROSS = "red_cross"


class District(Base):
    """A district. `id` is its issuing unit in a certificate's code (1 to 16; 0 is the branch); `code` is GB/T 2260."""

    __tablename__ = "district"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(unique=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]

    __table_args__ = (CheckConstraint("id BETWEEN 1 AND 255", name="unit"),)

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:  # noqa: ARG003  # the list of districts is public
        """Condition: true for every scope, because the districts are public."""
        return true()


class Organisation(Base):
    """A host of trainings: a grass-roots Red Cross body, a school, an enterprise, a community and the like.

    `contact_name` and `contact_phone` say whom the public calls about its trainings: a number at work.
    """

    __tablename__ = "organisation"

    id: Mapped[Identifier]
    district_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("district.id"), index=True)
    name_zh: Mapped[str]
    name_en: Mapped[str | None]
    sector: Mapped[Sector] = mapped_column(EnumText(Sector))
    active: Mapped[bool] = mapped_column(default=True)
    contact_name: Mapped[str | None]
    contact_phone: Mapped[str | None]

    district: Mapped[District] = relationship()

    __table_args__ = (
        CheckConstraint(
            "sector IN ('community', 'village', 'school', 'enterprise', 'office', 'family', 'red_cross')",
            name="sector",
        ),
        CheckConstraint("contact_name IS NULL OR contact_phone IS NOT NULL", name="contact"),
    )

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """Condition: organisations in the scope's districts, and a coordinator's own."""
        return scope.covers(district=cls.district_id, organisation=cls.id)
