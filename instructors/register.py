"""The register of instructors: who they are, where they are registered, and who may teach what on which day."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, true
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from instructors import invitations
from instructors.models import Instructor, Level, Qualification
from lms.accounts import users
from lms.core import audit
from lms.core.constraints import register_refusal
from lms.core.errors import N_, Denied
from lms.core.masks import mask_email
from lms.core.name_search import TypedName, readings
from lms.core.paging import Order, Page, page_of
from lms.core.scope import Scope, visible
from lms.organisations.models import Organisation

EXPIRING_WITHIN = timedelta(days=90)
HIDDEN = "*"
_LAST_DAY = func.coalesce(
    select(func.max(Qualification.valid_until))
    .where(Qualification.instructor_id == Instructor.id)
    .correlate(Instructor)
    .scalar_subquery(),
    date.max,
)
# The orders of the list, the first one unless another is asked for. Five thousand rows are sorted without an index.
ORDERS = (
    Order("name", (Instructor.name_sound, Instructor.id)),
    Order("number", (Instructor.registration_number, Instructor.id)),
    Order("district", (Instructor.district_id, Instructor.name_sound, Instructor.id)),
    Order("until", (_LAST_DAY, Instructor.id)),
)


class Validity(StrEnum):
    """Validity of an instructor's qualifications on a day."""

    VALID = "valid"
    EXPIRING = "expiring"
    EXPIRED = "expired"


@dataclass(frozen=True)
class InstructorFacts:
    """The facts of an instructor that an administrator enters. `phone` is E.164."""

    name: str
    registration_number: str
    district_id: int
    level: Level
    phone: str | None
    email: str | None = None


@dataclass(frozen=True)
class InstructorFilter:
    """Filters of the register; None filters nothing. `validity` regards the chosen programme, or all programmes."""

    text: str | None = None
    district_id: int | None = None
    programme_code: str | None = None
    validity: Validity | None = None
    active: bool = True


def may_lead(db: Session, instructor_id: int, programme_code: str, day: date) -> bool:
    """Tell whether an instructor is active and holds a qualification for the programme on that day.

    The day is one in the branch's time zone.
    """
    return bool(
        db.scalar(
            select(
                exists().where(Instructor.id == instructor_id, Instructor.active, _qualified_on(programme_code, day))
            )
        )
    )


def qualified(db: Session, programme_code: str, day: date, scope: Scope) -> list[Instructor]:
    """Return the instructors whom a planner may ask to teach a programme on a day, by name.

    An administrator may ask those of the own district; a coordinator those of the host organisation's district.
    """
    return list(
        db.scalars(
            select(Instructor)
            .where(Instructor.active, _qualified_on(programme_code, day), _may_be_asked(scope))
            .order_by(Instructor.name_sound, Instructor.id)
        )
    )


def suggestions(
    db: Session, day: date, scope: Scope, *, name: str | None = None, part: str = "", limit: int | None = None
) -> list[Instructor]:
    """Return the instructors who may teach any programme on a day and whom a planner may ask.

    name: only those of exactly this name. part: only those whose name or registration number contains it; names that
    begin with it come first.
    """
    statement = select(Instructor).where(Instructor.active, _qualified_on(None, day), _may_be_asked(scope))
    if name is not None:
        statement = statement.where(Instructor.name == name)
    if part:
        statement = statement.where(
            Instructor.name.icontains(part, autoescape=True)
            | Instructor.registration_number.icontains(part, autoescape=True)
        )
    first = ~Instructor.name.istartswith(part, autoescape=True)
    return list(db.scalars(statement.order_by(first, Instructor.name_sound, Instructor.id).limit(limit)))


def _qualified_on(programme_code: str | None, day: date) -> ColumnElement[bool]:
    """Return the condition that an instructor is qualified on a day, for one programme or (None) for any."""
    return exists().where(
        Qualification.instructor_id == Instructor.id,
        true() if programme_code is None else Qualification.programme_code == programme_code,
        Qualification.valid_from <= day,
        Qualification.valid_until >= day,
    )


def _may_be_asked(scope: Scope) -> ColumnElement[bool]:
    """Return the condition that a planner may ask an instructor.

    These are the instructors within the scope, and for a host organisation those of its district: it has no instructors
    of its own.
    """
    conditions: list[ColumnElement[bool]] = [Instructor.visible_to(scope)]
    if scope.organisation_ids:
        hosts = select(Organisation.district_id).where(Organisation.id.in_(scope.organisation_ids))
        conditions.append(Instructor.district_id.in_(hosts))
    return or_(*conditions)


def listing(
    db: Session, scope: Scope, filters: InstructorFilter, today: date, page: int, *, order: Order = ORDERS[0]
) -> Page[Instructor]:
    """Return a page of the instructors within the scope, by name or in another order, with districts and qualifications."""
    statement = _matching(scope, filters, today, order)
    loads = (joinedload(Instructor.district), selectinload(Instructor.qualifications))
    return page_of(db, statement.options(*loads), page)


def everything(
    db: Session, scope: Scope, filters: InstructorFilter, today: date, order: Order = ORDERS[0]
) -> tuple[list[Instructor], dict[tuple[int, str], date]]:
    """Return all instructors of the list in its order, for a file; and by instructor and programme the last day of teaching."""
    statement = _matching(scope, filters, today, order)
    ids = statement.with_only_columns(Instructor.id).order_by(None)
    last_days = db.execute(
        select(Qualification.instructor_id, Qualification.programme_code, func.max(Qualification.valid_until))
        .where(Qualification.instructor_id.in_(ids))
        .group_by(Qualification.instructor_id, Qualification.programme_code)
    )
    instructors = db.scalars(statement.options(joinedload(Instructor.district)))
    return list(instructors), {(instructor, code): last for instructor, code, last in last_days}


def record_export(db: Session, filters: InstructorFilter, form: str, rows: int) -> None:
    """Record that the list was exported. Of a search the record says that there was one, and not for whom."""
    known = {name: value for name, value in asdict(filters).items() if value is not None}
    if filters.text:
        known["text"] = HIDDEN
    audit.record(db, "report.export", "report:instructors", after={"format": form, "rows": rows, "filters": known})


def _matching(scope: Scope, filters: InstructorFilter, today: date, order: Order) -> Select[Instructor]:
    statement = (
        visible(select(Instructor), Instructor, scope)
        .where(Instructor.active.is_(filters.active))
        .order_by(*order.by())
    )
    if filters.text:
        statement = statement.where(
            Instructor.name.icontains(filters.text, autoescape=True)
            | Instructor.registration_number.icontains(filters.text, autoescape=True)
        )
    if filters.district_id is not None:
        statement = statement.where(Instructor.district_id == filters.district_id)
    if filters.programme_code or filters.validity:
        statement = statement.where(_has_validity(filters, today))
    return statement


def counting_expiring(scope: Scope, today: date) -> Select[Any]:
    """The SELECT that counts the active instructors of whom a qualification ends soon, as the list filters them."""
    statement = select(func.count(Instructor.id)).where(Instructor.active, _is_expiring(None, today))
    return visible(statement, Instructor, scope)


def _is_expiring(programme_code: str | None, today: date) -> ColumnElement[bool]:
    """Return the condition that the last period of a programme ends within `EXPIRING_WITHIN`: none follows it."""
    later = aliased(Qualification)
    renewed = exists().where(
        later.instructor_id == Qualification.instructor_id,
        later.programme_code == Qualification.programme_code,
        later.valid_until > Qualification.valid_until,
    )
    ending = select(Qualification.instructor_id).where(
        Qualification.valid_until.between(today, today + EXPIRING_WITHIN),
        true() if programme_code is None else Qualification.programme_code == programme_code,
        ~renewed,
    )
    return Instructor.id.in_(ending)


def find(db: Session, scope: Scope, words: str, *, most: int) -> Sequence[Instructor]:
    """Return the scope's instructors of a registration number, or whose name, pinyin or initials begin with the words."""
    numbered = Instructor.registration_number == words.upper()
    named = [way.condition for way in readings(TypedName.of(words).name, Instructor.name_sound, "instructor")]
    statement = visible(select(Instructor), Instructor, scope).where(or_(numbered, *named))
    order = (~numbered, ~Instructor.active, Instructor.name_sound, Instructor.id)
    return db.scalars(statement.options(joinedload(Instructor.district)).order_by(*order).limit(most)).all()


def _has_validity(filters: InstructorFilter, today: date) -> ColumnElement[bool]:
    """Return the condition for the filter's validity.

    "Expiring" and "expired" regard the last day of all periods of a programme: a qualification that was renewed is
    neither.
    """
    if filters.validity is Validity.EXPIRING:
        return _is_expiring(filters.programme_code, today)
    last_days = select(func.max(Qualification.valid_until).label("last")).where(
        Qualification.instructor_id == Instructor.id
    )
    if filters.programme_code:
        last_days = last_days.where(Qualification.programme_code == filters.programme_code)
    ends = last_days.group_by(Qualification.programme_code).correlate(Instructor).subquery()
    last = ends.c.last
    if filters.validity is Validity.EXPIRED:
        return exists().where(last < today)
    if filters.validity is Validity.VALID:
        covering = exists().where(
            Qualification.instructor_id == Instructor.id,
            Qualification.valid_from <= today,
            Qualification.valid_until >= today,
        )
        return (
            covering.where(Qualification.programme_code == filters.programme_code)
            if filters.programme_code
            else covering
        )
    return exists().where(last.is_not(None))


def enlist(db: Session, facts: InstructorFacts, scope: Scope) -> Instructor:
    """Add an instructor to the register of a district within the scope."""
    _demand_district(facts, scope)
    row = Instructor(active=True)
    _fill(row, facts)
    db.add(row)
    db.flush()
    audit.record(db, "instructor.enlist", row, after=_recorded(row))
    return row


def change(db: Session, row: Instructor, facts: InstructorFacts, active: bool, scope: Scope) -> None:
    """Change an instructor's facts, or take the instructor off the register or back: past sessions stay.

    An invitation that was sent to a former contact ends.
    """
    _demand_district(facts, scope)
    before = _recorded(row)
    if (row.phone, row.email) != (facts.phone, facts.email):
        invitations.withdraw(db, row)
    _fill(row, facts)
    row.active = active
    db.flush()
    audit.record_change(db, "instructor.change", row, before, _recorded(row))


def _demand_district(facts: InstructorFacts, scope: Scope) -> None:
    if not scope.everything and facts.district_id not in scope.district_ids:
        raise Denied


def _fill(row: Instructor, facts: InstructorFacts) -> None:
    row.name, row.registration_number = facts.name, facts.registration_number
    row.district_id, row.level = facts.district_id, facts.level
    if row.phone_sealed is None or row.phone != facts.phone:
        row.phone = facts.phone
    if row.email != facts.email:
        row.email = facts.email


def _recorded(row: Instructor) -> dict[str, str | int | bool | None]:
    return {
        "name": row.name,
        "registration_number": row.registration_number,
        "district_id": row.district_id,
        "level": Level(row.level).value,
        "phone": users.masked_phone(row.phone),
        "email": mask_email(row.email) or None,
        "active": row.active,
    }


register_refusal(
    "uq_instructor_registration_number",
    "registration_number_taken",
    N_("Another instructor has this registration number."),
)
