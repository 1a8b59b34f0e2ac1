"""The districts, in the order in which they are always listed."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.core.scope import Scope
from lms.organisations.models import District


def everyone(db: Session) -> list[District]:
    """All districts; who and where they are is public."""
    return list(db.scalars(select(District).order_by(District.id)))


def administered(db: Session, scope: Scope) -> list[District]:
    """The districts for which the scope may add something of its own."""
    return [district for district in everyone(db) if scope.everything or district.id in scope.district_ids]
