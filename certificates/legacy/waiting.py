"""Legacy certificates that wait for a person, with the people who may be their holders.

The city sees all of them. A district sees those that may be the certificate of a person whose whole record it sees: where
ID number or phone agree, or where the name agrees and a Red Cross of the district issued the certificate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, desc, exists, false, func, or_, select
from sqlalchemy.orm import Session, joinedload

from certificates.legacy.listings import numbered
from certificates.legacy.models import LegacyCertificate, Suggestion
from courses.enrolment import trainees_rights
from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.trainees import Trainee
from lms.core.errors import NotFound
from lms.core.names import norm
from lms.core.paging import FIRST, KeyPage, Order, Part, Place, page_by_key
from lms.core.scope import Scope
from lms.organisations.models import District

CANDIDATES = 20  # people on the page of one certificate


class WaitingGroup(StrEnum):
    """The groups of the list: by what agrees with somebody's record, and those that a user took off it."""

    ID_NUMBER = "id_number"
    PHONE = "phone"
    NAME = "name"
    ASIDE = "aside"


@dataclass(frozen=True, slots=True)
class WaitingFilters:
    """The filters of the list; None filters nothing. `number` matches the beginning, `holder` the whole name."""

    number: str | None = None
    holder: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who may be the holder, with what agrees, and the person's last training."""

    trainee: Trainee
    same_number: bool
    same_phone: bool
    same_name: bool
    training: Offering | None


def listing(
    db: Session, scope: Scope, group: WaitingGroup, filters: WaitingFilters, place: Place = FIRST
) -> KeyPage[LegacyCertificate]:
    """Return a page of a group of the list within the scope, in the order of their import."""
    statement = select(LegacyCertificate).where(_in_group(group), _within(db, scope))
    if filters.holder:
        statement = statement.where(LegacyCertificate.name_key == norm(filters.holder))
    if filters.number:
        return page_by_key(db, numbered(statement, filters.number), place)
    return page_by_key(db, [Part(statement, Order("imported", (LegacyCertificate.id,)))], place)


def fetch(db: Session, legacy_id: int, scope: Scope, *, lock: bool = False) -> LegacyCertificate:
    """Return a certificate that waits, or that is the certificate of a person whose whole record the scope covers.

    Raises NotFound.
    """
    own = LegacyCertificate.trainee_id.in_(select(Trainee.id).where(trainees_rights.is_covered(scope)))
    waits = and_(LegacyCertificate.trainee_id.is_(None), _within(db, scope))
    statement = select(LegacyCertificate).where(LegacyCertificate.id == legacy_id, or_(own, waits))
    if lock:
        statement = statement.with_for_update(of=LegacyCertificate)
    certificate = db.scalars(statement).one_or_none()
    if certificate is None:
        raise NotFound
    return certificate


def candidates(db: Session, certificate: LegacyCertificate, scope: Scope) -> list[Candidate]:
    """Return the people who may be the holder of a certificate and whose whole record the scope covers, the likeliest first."""
    numbered, phoned, named = _agreements(certificate)
    statement = (
        select(Trainee, numbered.label("numbered"), phoned.label("phoned"), named.label("named"))
        .where(or_(numbered, phoned & named, named), _is_a_person(), trainees_rights.is_covered(scope))
        .order_by(desc("numbered").nulls_last(), desc("phoned").nulls_last(), Trainee.id)
        .limit(CANDIDATES)
    )
    rows = db.execute(statement).all()
    trainings = _last_trainings(db, [row.Trainee.id for row in rows])
    return [
        Candidate(row.Trainee, bool(row.numbered), bool(row.phoned), bool(row.named), trainings.get(row.Trainee.id))
        for row in rows
    ]


def types(db: Session) -> Sequence[Course]:
    """Return a course of each certificate type, a full course where there is one, for the choice in a form."""
    rows = db.scalars(
        select(Course)
        .where(Course.certificate_type.is_not(None))
        .order_by(Course.certificate_type, Course.refresher.desc(), Course.id.desc())
    )
    return list({course.certificate_type: course for course in rows}.values())


def _in_group(group: WaitingGroup) -> ColumnElement[bool]:
    waits = LegacyCertificate.trainee_id.is_(None)
    if group is WaitingGroup.ASIDE:
        return and_(waits, LegacyCertificate.set_aside_at.is_not(None))
    # Both conditions are written out, as the index that finds the group has them.
    suggested = and_(LegacyCertificate.suggestion.is_not(None), LegacyCertificate.suggestion == Suggestion(group.value))
    return and_(waits, LegacyCertificate.set_aside_at.is_(None), suggested)


def _within(db: Session, scope: Scope) -> ColumnElement[bool]:
    if scope.everything:
        return scope.covers()
    names = db.scalars(select(District.name_zh).where(District.id.in_(scope.district_ids))).all()
    numbered, phoned, named = _agreements(LegacyCertificate)
    issued_there = or_(false(), *(LegacyCertificate.unit.startswith(name, autoescape=True) for name in names))
    agrees = or_(numbered, and_(named, or_(phoned, issued_there)))
    return exists(
        select(1)
        .select_from(Trainee)
        .where(agrees, _is_a_person(), trainees_rights.is_covered(scope))
        .correlate(LegacyCertificate)
    )


def _is_a_person() -> ColumnElement[bool]:
    return Trainee.erased_at.is_(None) & Trainee.merged_into_id.is_(None)


def _agreements(
    certificate: LegacyCertificate | type[LegacyCertificate],
) -> tuple[ColumnElement[bool], ColumnElement[bool], ColumnElement[bool]]:
    """Return the conditions that ID number, phone and name of a person are those of the certificate.

    Where the certificate has no ID number or phone, nobody has it.
    """
    numbered: Any = and_(
        _is(Trainee.id_number_index, certificate.id_number_index), Trainee.id_type == certificate.id_type
    )
    return numbered, _is(Trainee.phone_index, certificate.phone_index), Trainee.name_key == certificate.name_key


def _is(column: Any, value: Any) -> Any:
    return false() if value is None else column == value


def _last_trainings(db: Session, trainee_ids: Sequence[int]) -> dict[int, Offering]:
    if not trainee_ids:
        return {}
    last = select(func.max(Enrolment.id)).where(Enrolment.trainee_id.in_(trainee_ids)).group_by(Enrolment.trainee_id)
    rows = db.execute(
        select(Enrolment.trainee_id, Offering)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .options(joinedload(Offering.course), joinedload(Offering.organisation))
        .where(Enrolment.id.in_(last))
    )
    return {row.trainee_id: row.Offering for row in rows}
