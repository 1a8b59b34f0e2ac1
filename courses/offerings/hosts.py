"""Host organisations as a planner writes them: thousands of rows, so they are typed and suggested, not scrolled through."""

import re
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, contains_eager

from lms.core.errors import N_, DomainError
from lms.core.languages import named
from lms.core.scope import Scope, visible
from lms.organisations.models import District, Organisation

SEPARATOR = " · "
NUMBER = re.compile(r"#\s*(?P<number>[0-9]{1,18})")
WRITTEN = re.compile(r"(?P<name>.*?)(?:\s*·\s*(?P<district>[^·#]+?))?(?:\s*·\s*#(?P<number>[0-9]{1,18}))?\s*")


def label(organisation: Organisation) -> str:
    """An organisation's name with its district, because names repeat across districts."""
    return f"{named(organisation)}{SEPARATOR}{named(organisation.district)}"


def labels(organisations: Sequence[Organisation]) -> list[str]:
    """The labels of several; those that are alike even with their district are told apart by number."""
    plain = [label(row) for row in organisations]
    often = Counter(plain)
    return [
        f"{text}{SEPARATOR}#{row.id}" if often[text] > 1 else text
        for text, row in zip(plain, organisations, strict=True)
    ]


def suggestions(db: Session, scope: Scope, part: str = "", *, limit: int) -> list[str]:
    """The labels of active organisations in reach whose name has a part, as many as the limit; those that begin so come first."""
    # Of those with the same name some may lie beyond the limit, and must be told apart all the same.
    statement = (
        select(Organisation)
        .join(Organisation.district)
        .options(contains_eager(Organisation.district))
        .where(
            Organisation.active,
            or_(
                Organisation.name_zh.icontains(part, autoescape=True),
                Organisation.name_en.icontains(part, autoescape=True),
            ),
        )
        .order_by(
            ~Organisation.name_zh.istartswith(part, autoescape=True),
            Organisation.district_id,
            Organisation.name_zh,
            Organisation.id,
        )
        .limit(2 * limit)
    )
    return labels(db.scalars(visible(statement, Organisation, scope)).all())[:limit]


def find(db: Session, text: str, scope: Scope) -> Organisation:
    """The organisation that a planner wrote: its name in either language, with or without its district and number, or "#" and
    the number alone.
    """
    alone = NUMBER.fullmatch(text.strip())
    if alone:
        statement = select(Organisation).join(Organisation.district).options(contains_eager(Organisation.district))
        statement = statement.where(Organisation.active, Organisation.id == int(alone["number"]))
        found = db.scalars(visible(statement, Organisation, scope)).all()
        return _only(found)
    written = WRITTEN.fullmatch(text.strip())
    name, district, number = written.group("name", "district", "number") if written else (text, None, None)
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
    if number:
        statement = statement.where(Organisation.id == int(number))
    return _only(db.scalars(visible(statement, Organisation, scope).limit(2)).all())


def _only(found: Sequence[Organisation]) -> Organisation:
    if not found:
        raise DomainError(
            "organisation_unknown",
            N_("No organisation of yours has this name. Choose one of the suggestions."),
            field="organisation",
        )
    if len(found) > 1:
        raise DomainError(
            "organisation_ambiguous",
            N_("Several organisations have this name. Choose the right one of the suggestions."),
            field="organisation",
        )
    return found[0]


def districts(db: Session) -> list[District]:
    """All districts, in the order of their codes, for filters."""
    return list(db.scalars(select(District).order_by(District.code)))
