"""Tables of layouts, of the pictures that certificates bear, and of the seals of issuing units."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base, Identifier


class CertificateLayout(Base):
    """The wording and look of a course's certificates; of all courses without a row of their own where `course_id` is null.

    `wording` holds what differs from `wording.DEFAULT`, as certificates keep it.
    """

    __tablename__ = "certificate_layout"

    id: Mapped[Identifier]
    course_id: Mapped[int | None] = mapped_column(ForeignKey("course.id", ondelete="CASCADE"))
    wording: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changed_at: Mapped[datetime]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    __table_args__ = (
        Index("uq_certificate_layout_course_id", "course_id", unique=True, postgresql_nulls_not_distinct=True),
    )


class CertificatePicture(Base):
    """A seal or logo that certificates bear, by the SHA-256 of its bytes. Certificates name it, so it is never altered."""

    __tablename__ = "certificate_picture"

    digest: Mapped[str] = mapped_column(primary_key=True)
    suffix: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    stored_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="digest"),
        CheckConstraint("suffix IN ('.png', '.svg')", name="suffix"),
        CheckConstraint("octet_length(content) BETWEEN 1 AND 1048576", name="content"),
    )


class UnitSeal(Base):
    """The seal of an issuing unit on the certificates that it issues from now on: 0 is the branch, 1 to 16 districts."""

    __tablename__ = "unit_seal"

    unit: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    picture: Mapped[str] = mapped_column(ForeignKey("certificate_picture.digest"))
    set_at: Mapped[datetime]
    set_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    __table_args__ = (CheckConstraint("unit BETWEEN 0 AND 255", name="unit"),)
