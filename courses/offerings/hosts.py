"""Host organisations as a planner types them. There are thousands, so a form suggests them instead of listing all."""

import re
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, contains_eager

from lms.core.errors import N_, DomainError
from lms.core.languages import named
from lms.core.paging import page_of_ids
from lms.core.scope import Scope, visible
from lms.organisations import order
from lms.organisations.models import District, Organisation

SEPARATOR = " · "
_NUMBER_ALONE = re.compile(r"#\s*(?P<number>[0-9]{1,18})")
_LABEL = re.compile(r"(?P<name>.*?)(?:\s*·\s*(?P<district>[^·#]+?))?(?:\s*·\s*#(?P<number>[0-9]{1,18}))?\s*")


def label(organisation: Organisation) -> str:
    """An organisation's name with its district, because names repeat across districts: "红星小学 · 西城区"."""
    return f"{named(organisation)}{SEPARATOR}{named(organisation.district)}"


def labels(organisations: Sequence[Organisation]) -> list[str]:
    """The labels of several organisations. Equal labels get the organisation's number: "红星小学 · 西城区 · #17"."""
    plain_labels = [label(organisation) for organisation in organisations]
    counts = Counter(plain_labels)
    return [
        f"{text}{SEPARATOR}#{organisation.id}" if counts[text] > 1 else text
        for text, organisation in zip(plain_labels, organisations, strict=True)
    ]


def suggest(db: Session, scope: Scope, part: str = "", *, limit: int) -> list[str]:
    """The labels of active organisations in the scope whose name contains a part, at most `limit`.

    Names that begin with the part come first.
    """
    # The statement reads twice the limit: organisations of the same name beyond the limit make a number necessary, too.
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
    )
    statement = visible(statement, Organisation, scope)
    ids = order.ordered_ids(db, statement, part)
    return labels(page_of_ids(db, statement, Organisation.id, ids, 1, size=2 * limit).rows)[:limit]


def find(db: Session, text: str, scope: Scope) -> Organisation:
    """The organisation that a planner typed.

    The text is a name in either language, with or without district and number ("红星小学", "Red Star School · Xicheng",
    "红星小学 · 西城区 · #17"), or a number alone ("#17"). Raises DomainError `organisation_unknown` or
    `organisation_ambiguous` on the field `organisation`.
    """
    number_alone = _NUMBER_ALONE.fullmatch(text.strip())
    if number_alone:
        statement = select(Organisation).join(Organisation.district).options(contains_eager(Organisation.district))
        statement = statement.where(Organisation.active, Organisation.id == int(number_alone["number"]))
        return _only_one(db.scalars(visible(statement, Organisation, scope)).all())
    match = _LABEL.fullmatch(text.strip())
    name, district, number = match.group("name", "district", "number") if match else (text, None, None)
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
    return _only_one(db.scalars(visible(statement, Organisation, scope).limit(2)).all())


def _only_one(organisations: Sequence[Organisation]) -> Organisation:
    if not organisations:
        raise DomainError(
            "organisation_unknown",
            N_("None of your organisations has this name. Choose a suggestion."),
            field="organisation",
        )
    if len(organisations) > 1:
        raise DomainError(
            "organisation_ambiguous",
            N_("Several organisations have this name. Choose the right suggestion."),
            field="organisation",
        )
    return organisations[0]
