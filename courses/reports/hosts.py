"""Host organisations by a part of their name, from which the bar of the reports lets a reader choose one."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, contains_eager

from courses.reports.filter_options import reachable_host
from lms.core.paging import Page, page_of_ids
from lms.core.scope import Scope
from lms.organisations import order
from lms.organisations.models import Organisation


def search(
    db: Session, scope: Scope, part: str = "", *, district: int | None = None, page: int = 1
) -> Page[Organisation]:
    """A page of the hosts that a scope covers, with their districts. Names that begin with the part come first.

    Inactive organisations are among them, because the reports hold what they did.
    """
    statement = (
        select(Organisation)
        .join(Organisation.district)
        .options(contains_eager(Organisation.district))
        .where(reachable_host(scope))
    )
    if part:
        statement = statement.where(
            or_(
                Organisation.name_zh.icontains(part, autoescape=True),
                Organisation.name_en.icontains(part, autoescape=True),
            )
        )
    if district is not None:
        statement = statement.where(Organisation.district_id == district)
    return page_of_ids(db, statement, Organisation.id, order.ordered_ids(db, statement, part), page)
