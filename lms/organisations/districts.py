"""Districts, in the standard order of every list."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.core.scope import Scope
from lms.organisations.models import District


def everyone(db: Session) -> list[District]:
    """All districts. Their names are public."""
    return list(db.scalars(select(District).order_by(District.id)))


def administered(db: Session, scope: Scope) -> list[District]:
    """The districts in which the scope may add rows."""
    return [district for district in everyone(db) if scope.everything or district.id in scope.district_ids]
