"""The register of instructors: who they are, where they are registered, and who may teach what on which day."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, func, or_, select, true
from sqlalchemy.orm import Session, joinedload, selectinload

from instructors.models import Instructor, Level, Qualification
from lms.accounts import password_links, roles, users
from lms.accounts.models import User
from lms.accounts.password_links import Site
from lms.accounts.roles import GrantFacts
from lms.accounts.users import UserFacts
from lms.core import audit
from lms.core.constraints import register_refusal
from lms.core.errors import N_, Denied, DomainError
from lms.core.paging import Page, page_of
from lms.core.scope import EVERYTHING, Role, Scope, visible
from lms.organisations.models import Organisation

SOON = timedelta(days=90)


class Validity(StrEnum):
    """How the qualifications of an instructor stand on a day."""

    VALID = "valid"
    EXPIRING = "expiring"
    EXPIRED = "expired"


@dataclass(frozen=True)
class InstructorFacts:
    """What is known of an instructor. `phone` is E.164."""

    name: str
    registration_number: str
    district_id: int
    level: Level
    phone: str | None


@dataclass(frozen=True)
class Filter:
    """What the register is narrowed to. `validity` regards the chosen programme, or all of them."""

    text: str | None = None
    district_id: int | None = None
    programme_code: str | None = None
    validity: Validity | None = None
    active: bool = True


def may_lead(db: Session, instructor_id: int, programme_code: str, day: date) -> bool:
    """Whether an instructor is active and holds a qualification for the programme on that day, in the branch's time zone."""
    return bool(
        db.scalar(
            select(
                exists().where(Instructor.id == instructor_id, Instructor.active, _qualified_on(programme_code, day))
            )
        )
    )


def qualified(db: Session, programme_code: str, day: date, scope: Scope) -> list[Instructor]:
    """The instructors whom a planner may ask to teach a programme on a day, by name.

    An administrator asks those of the own district; a coordinator those of the host organisation's district.
    """
    return list(
        db.scalars(
            select(Instructor)
            .where(Instructor.active, _qualified_on(programme_code, day), _within_call(scope))
            .order_by(Instructor.name, Instructor.id)
        )
    )


def near(
    db: Session, day: date, scope: Scope, *, name: str | None = None, part: str = "", limit: int | None = None
) -> list[Instructor]:
    """Those who may teach any programme on a day and whom a planner may ask: all, those of a name, or some whose name or number
    has a part. Names that begin with it come first.
    """
    statement = select(Instructor).where(Instructor.active, _qualified_on(None, day), _within_call(scope))
    if name is not None:
        statement = statement.where(Instructor.name == name)
    if part:
        statement = statement.where(
            Instructor.name.icontains(part, autoescape=True)
            | Instructor.registration_number.icontains(part, autoescape=True)
        )
    first = ~Instructor.name.istartswith(part, autoescape=True)
    return list(db.scalars(statement.order_by(first, Instructor.name, Instructor.id).limit(limit)))


def _qualified_on(programme_code: str | None, day: date) -> ColumnElement[bool]:
    """programme_code: None is any."""
    return exists().where(
        Qualification.instructor_id == Instructor.id,
        true() if programme_code is None else Qualification.programme_code == programme_code,
        Qualification.valid_from <= day,
        Qualification.valid_until >= day,
    )


def _within_call(scope: Scope) -> ColumnElement[bool]:
    """Those one sees, and for a host organisation those of its district: it has no instructors of its own."""
    ways: list[ColumnElement[bool]] = [Instructor.visible_to(scope)]
    if scope.organisation_ids:
        hosts = select(Organisation.district_id).where(Organisation.id.in_(scope.organisation_ids))
        ways.append(Instructor.district_id.in_(hosts))
    return or_(*ways)


def listing(db: Session, scope: Scope, wanted: Filter, today: date, page: int) -> Page[Instructor]:
    """The instructors of the scope by name, with their districts and qualifications."""
    statement = (
        visible(select(Instructor), Instructor, scope)
        .where(Instructor.active.is_(wanted.active))
        .options(joinedload(Instructor.district), selectinload(Instructor.qualifications))
        .order_by(Instructor.name, Instructor.id)
    )
    if wanted.text:
        statement = statement.where(
            Instructor.name.icontains(wanted.text, autoescape=True)
            | Instructor.registration_number.icontains(wanted.text, autoescape=True)
        )
    if wanted.district_id is not None:
        statement = statement.where(Instructor.district_id == wanted.district_id)
    if wanted.programme_code or wanted.validity:
        statement = statement.where(_standing(wanted, today))
    return page_of(db, statement, page)


def _standing(wanted: Filter, today: date) -> ColumnElement[bool]:
    """Expiring and expired look at the last day of all periods of a programme: a renewed one is neither."""
    last_days = select(func.max(Qualification.valid_until).label("last")).where(
        Qualification.instructor_id == Instructor.id
    )
    if wanted.programme_code:
        last_days = last_days.where(Qualification.programme_code == wanted.programme_code)
    ends = last_days.group_by(Qualification.programme_code).correlate(Instructor).subquery()
    last = ends.c.last
    if wanted.validity is Validity.EXPIRING:
        return exists().where(last >= today, last <= today + SOON)
    if wanted.validity is Validity.EXPIRED:
        return exists().where(last < today)
    if wanted.validity is Validity.VALID:
        covering = exists().where(
            Qualification.instructor_id == Instructor.id,
            Qualification.valid_from <= today,
            Qualification.valid_until >= today,
        )
        return (
            covering.where(Qualification.programme_code == wanted.programme_code) if wanted.programme_code else covering
        )
    return exists().where(last.is_not(None))


def enlist(db: Session, facts: InstructorFacts, scope: Scope) -> Instructor:
    """Enter an instructor in the register of a district of the scope."""
    _demand_district(facts, scope)
    row = Instructor(active=True)
    _fill(row, facts)
    db.add(row)
    db.flush()
    audit.record(db, "instructor.enlist", row, after=_recorded(row))
    return row


def change(db: Session, row: Instructor, facts: InstructorFacts, active: bool, scope: Scope) -> None:
    """Change what is known, or take somebody off the register (or back): past sessions stay."""
    _demand_district(facts, scope)
    before = _recorded(row)
    _fill(row, facts)
    row.active = active
    db.flush()
    audit.record_change(db, "instructor.change", row, before, _recorded(row))


def give_account(
    db: Session, row: Instructor, *, email: str | None, phone: str | None, scope: Scope, site: Site
) -> str | None:
    """Link an account: the one that this e-mail address or phone reaches, else a new one, whose owner is invited.

    Returns the link to hand over in person where no mail could go.
    """
    if row.user_id is not None:
        raise DomainError("account_there", N_("The instructor has an account already."))
    user = next((found for way in (email, phone) if way and (found := users.find(db, way))), None)
    address = None
    if user is None:
        facts = UserFacts(row.name, email, phone)
        made = users.create(db, facts, [GrantFacts(Role.INSTRUCTOR)], EVERYTHING, None)
        user = made.user
        row.user_id = user.id
        db.flush()
        address = password_links.invite(db, user, site)
    else:
        row.user_id = user.id
        db.flush()
        roles.hold(db, user, Role.INSTRUCTOR)
    _demand_reach(db, user, scope)
    audit.record(db, "instructor.link", row, after={"user": user.id})
    return address


def _demand_reach(db: Session, user: User, scope: Scope) -> None:
    if not db.scalar(visible(select(func.count(User.id)).where(User.id == user.id), User, scope)):
        raise DomainError(
            "beyond_reach",
            N_("This account belongs to somebody outside your district. Ask the city's administrator."),
            status=422,
            field="email",
        )


def _demand_district(facts: InstructorFacts, scope: Scope) -> None:
    if not scope.everything and facts.district_id not in scope.district_ids:
        raise Denied


def _fill(row: Instructor, facts: InstructorFacts) -> None:
    row.name, row.registration_number = facts.name, facts.registration_number
    row.district_id, row.level = facts.district_id, facts.level
    if row.phone_sealed is None or row.phone != facts.phone:
        row.phone = facts.phone


def _recorded(row: Instructor) -> dict[str, str | int | bool | None]:
    return {
        "name": row.name,
        "registration_number": row.registration_number,
        "district_id": row.district_id,
        "level": Level(row.level).value,
        "phone": users.masked_phone(row.phone),
        "active": row.active,
    }


register_refusal(
    "uq_instructor_registration_number",
    "registration_number_taken",
    N_("Another instructor has this registration number."),
)
register_refusal("uq_instructor_user_id", "account_taken", N_("This account belongs to another instructor."))
