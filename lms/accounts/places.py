"""Districts and organisations in which a role can hold, as far as accounts need them: an id and a name.

Accounts lie below organisations in the import order and cannot import their models.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import ColumnElement, column, false, func, or_, select, table, true
from sqlalchemy.orm import Session

from lms.core.errors import N_, DomainError
from lms.core.name_order import by_sound
from lms.core.scope import Scope

DISTRICT = table("district", column("id"), column("code"), column("name_zh"), column("name_en"))
ORGANISATION = table(
    "organisation", column("id"), column("district_id"), column("name_zh"), column("name_en"), column("active")
)
INSTRUCTOR = table("instructor", column("user_id"), column("district_id"))
SUGGESTIONS = 8
SHORTEST_CODE = 4


@dataclass(frozen=True)
class GrantPlace:
    """A district or an organisation."""

    id: int
    name_zh: str
    name_en: str | None


class PlacedGrant(Protocol):
    """The fields of a role grant that this module reads."""

    district_id: int | None
    organisation_id: int | None


def districts(db: Session, scope: Scope) -> list[GrantPlace]:
    """The districts for which the scope may grant a role, in their standard order."""
    in_reach: ColumnElement[bool] = true() if scope.everything else DISTRICT.c.id.in_(scope.district_ids)
    rows = db.execute(
        select(DISTRICT.c.id, DISTRICT.c.name_zh, DISTRICT.c.name_en).where(in_reach).order_by(DISTRICT.c.id)
    )
    return [GrantPlace(*row) for row in rows]


def district_called(db: Session, text: str) -> int:
    """The id of the district with this id, GB/T 2260 code or name. Raises DomainError if there is none."""
    same = or_(
        DISTRICT.c.code == text,
        DISTRICT.c.name_zh == text,
        func.lower(DISTRICT.c.name_en) == text.lower(),
        DISTRICT.c.id == int(text) if text.isdecimal() and len(text) < SHORTEST_CODE else false(),
    )
    district_id: int | None = db.scalar(select(DISTRICT.c.id).where(same))
    if district_id is None:
        raise DomainError("district_unknown", N_("No district is called %(name)s."), status=422, name=text)
    return district_id


def of_grants(db: Session, grants: Iterable[PlacedGrant]) -> dict[tuple[int | None, int | None], GrantPlace]:
    """Places of grants, by (district id, organisation id) as the grants have them."""
    grants = list(grants)
    place_by_grant: dict[tuple[int | None, int | None], GrantPlace] = {}
    district_ids = {grant.district_id for grant in grants if grant.district_id is not None}
    if district_ids:
        for row in db.execute(
            select(DISTRICT.c.id, DISTRICT.c.name_zh, DISTRICT.c.name_en).where(DISTRICT.c.id.in_(district_ids))
        ):
            place_by_grant[row.id, None] = GrantPlace(*row)
    organisation_ids = {grant.organisation_id for grant in grants if grant.organisation_id is not None}
    if organisation_ids:
        for row in db.execute(
            select(ORGANISATION.c.id, ORGANISATION.c.name_zh, ORGANISATION.c.name_en).where(
                ORGANISATION.c.id.in_(organisation_ids)
            )
        ):
            place_by_grant[None, row.id] = GrantPlace(*row)
    return place_by_grant


def suggest(db: Session, text: str, scope: Scope) -> list[GrantPlace]:
    """A few active organisations whose names contain the text, the shortest names first."""
    return _organisations(db, scope, _containing(text))


def organisation_named(db: Session, text: str, scope: Scope) -> int:
    """The id of the active organisation with this name, or of the only one whose name contains the text.

    Raises DomainError, which lists a few candidates when several fit.
    """
    same = or_(ORGANISATION.c.name_zh == text, func.lower(ORGANISATION.c.name_en) == text.lower())
    matches = _organisations(db, scope, same) or _organisations(db, scope, _containing(text))
    if len(matches) == 1:
        return matches[0].id
    if not matches:
        raise DomainError(
            "organisation_unknown",
            N_("No organisation has this name. Look it up in the list of organisations."),
            status=422,
            field="organisation",
        )
    raise DomainError(
        "organisation_ambiguous",
        N_("Several organisations match: %(names)s. Enter the full name."),
        status=422,
        field="organisation",
        names="、".join(place.name_zh for place in matches),
    )


def _containing(text: str) -> ColumnElement[bool]:
    return or_(
        ORGANISATION.c.name_zh.icontains(text, autoescape=True), ORGANISATION.c.name_en.icontains(text, autoescape=True)
    )


def _organisations(db: Session, scope: Scope, condition: ColumnElement[bool]) -> list[GrantPlace]:
    within: ColumnElement[bool] = (
        true()
        if scope.everything
        else ORGANISATION.c.district_id.in_(scope.district_ids)
        if scope.district_ids
        else false()
    )
    rows = db.execute(
        select(ORGANISATION.c.id, ORGANISATION.c.name_zh, ORGANISATION.c.name_en).where(
            ORGANISATION.c.active, within, condition
        )
    ).all()
    shortest = sorted(rows, key=lambda row: (len(row.name_zh), by_sound(row.name_zh), row.id))
    return [GrantPlace(*row) for row in shortest[:SUGGESTIONS]]
