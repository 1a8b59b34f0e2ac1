"""Saved views: a report with its filters under a name, for its owner and those with whom it is shared."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, SmallInteger, UniqueConstraint, func, or_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock, crypto
from lms.core.constraints import register_refusal
from lms.core.db import Base, EnumText, Identifier
from lms.core.errors import N_
from lms.core.scope import Scope


class ViewAudience(StrEnum):
    """The readers who find a view beside its owner: nobody, or those of an organisation, a district or the branch."""

    NOBODY = "nobody"
    ORGANISATION = "organisation"
    DISTRICT = "district"
    BRANCH = "branch"


class SavedView(Base):
    """A report under a name. `report` is a key of `courses.reports.saved_views.REPORTS`.

    `arguments` are those of the report's address: a relative period ("last_quarter") stays relative. A view holds no
    figures; whoever opens it sees what the own reach covers.
    """

    __tablename__ = "saved_view"

    id: Mapped[Identifier]
    ref: Mapped[str] = mapped_column(unique=True, default=crypto.token)
    owner_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    name: Mapped[str]
    report: Mapped[str]
    arguments: Mapped[dict[str, str]] = mapped_column(JSONB)
    audience: Mapped[ViewAudience] = mapped_column(EnumText(ViewAudience), default=ViewAudience.NOBODY)
    district_id: Mapped[int | None] = mapped_column(SmallInteger, ForeignKey("district.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())

    owner: Mapped[User] = relationship()

    __table_args__ = (
        CheckConstraint("audience IN ('nobody', 'organisation', 'district', 'branch')", name="audience"),
        CheckConstraint("(audience = 'district') = (district_id IS NOT NULL)", name="district"),
        CheckConstraint("(audience = 'organisation') = (organisation_id IS NOT NULL)", name="organisation"),
        CheckConstraint("name <> ''", name="name"),
        UniqueConstraint("owner_id", "name", name="uq_saved_view_owner_id"),
    )

    @classmethod
    def owned_by(cls, scope: Scope) -> ColumnElement[bool]:
        """Condition: the user's own views."""
        return cls.owner_id == scope.user_id

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """Condition: the user's own views, and those shared with readers of the scope."""
        shared = (
            cls.audience != ViewAudience.NOBODY
            if scope.everything
            else scope.covers(district=cls.district_id, organisation=cls.organisation_id)
        )
        return or_(cls.owned_by(scope), cls.audience == ViewAudience.BRANCH, shared)


register_refusal("uq_saved_view_owner_id", "view_known", N_("You already have a view with this name."))
