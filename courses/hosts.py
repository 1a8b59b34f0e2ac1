"""Host organisations as a planner writes them: thousands of rows, so they are typed and suggested, not scrolled through."""

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, contains_eager

from lms.core.errors import N_, DomainError
from lms.core.languages import named
from lms.core.scope import Scope, visible
from lms.organisations.models import District, Organisation

SEPARATOR = " · "


def label(organisation: Organisation) -> str:
    """An organisation's name with its district, because names repeat across districts."""
    return f"{named(organisation)}{SEPARATOR}{named(organisation.district)}"


def choices(db: Session, scope: Scope) -> list[Organisation]:
    """The active organisations in reach, by district and name."""
    statement = (
        select(Organisation)
        .join(Organisation.district)
        .options(contains_eager(Organisation.district))
        .where(Organisation.active)
        .order_by(Organisation.district_id, Organisation.name_zh, Organisation.id)
    )
    return list(db.scalars(visible(statement, Organisation, scope)))


def find(db: Session, text: str, scope: Scope) -> Organisation:
    """The organisation that a planner wrote: its name in either language, with or without its district."""
    name, _, district = (part.strip() for part in text.strip().partition(SEPARATOR.strip()))
    statement = (
        select(Organisation)
        .join(Organisation.district)
        .options(contains_eager(Organisation.district))
        .where(
            Organisation.active,
            or_(Organisation.name_zh == name, func.lower(Organisation.name_en) == name.lower()),
        )
    )
    if district:
        statement = statement.where(or_(District.name_zh == district, func.lower(District.name_en) == district.lower()))
    found = db.scalars(visible(statement, Organisation, scope).limit(2)).all()
    if not found:
        raise DomainError(
            "organisation_unknown",
            N_("No organisation of yours has this name. Choose one of the suggestions."),
            field="organisation",
        )
    if len(found) > 1:
        raise DomainError(
            "organisation_ambiguous",
            N_("Several organisations have this name. Choose the suggestion with the right district."),
            field="organisation",
        )
    return found[0]


def districts(db: Session) -> list[District]:
    """All districts, in the order of their codes, for filters."""
    return list(db.scalars(select(District).order_by(District.code)))
