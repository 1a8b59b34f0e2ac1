"""The register of instructors: who they are, where they are registered, and who may teach what on which day."""

from datetime import date

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from instructors.models import Instructor, Qualification
from lms.core.scope import Scope
from lms.organisations.models import Organisation


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


def _qualified_on(programme_code: str, day: date) -> ColumnElement[bool]:
    return exists().where(
        Qualification.instructor_id == Instructor.id,
        Qualification.programme_code == programme_code,
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
