"""Instructors as a planner writes them: a name, or the registration number where names repeat or districts differ."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models.offerings import CourseSession, SessionInstructor, TeachingRole
from courses.offerings.scheduling import Team
from instructors import register
from instructors.models import Instructor
from lms.core.errors import N_, DomainError
from lms.core.scope import Scope

SEPARATOR = " · "


def label(instructor: Instructor) -> str:
    """Name and registration number: what the form shows, and what it understands."""
    return f"{instructor.name}{SEPARATOR}{instructor.registration_number}"


@dataclass(frozen=True)
class Near:
    """Whom a planner may ask without knowing a number: those who may teach anything on a day, within the planner's reach."""

    day: date
    scope: Scope


def suggestions(db: Session, near: Near, part: str = "", *, limit: int) -> list[str]:
    """The labels of those near by whose name or number has a part, as many as the limit."""
    return [label(person) for person in register.suggestions(db, near.day, near.scope, part=part, limit=limit)]


def find(db: Session, text: str, near: Near, *, field: str) -> Instructor:
    """The instructor that a planner wrote.

    A registration number finds anybody in the register, since a neighbouring district may be asked for help; a name
    finds one of those `near` by.
    """
    name, _, number = (part.strip() for part in text.strip().rpartition(SEPARATOR.strip()))
    number = number or name
    by_number = db.scalars(
        select(Instructor).where(Instructor.active, Instructor.registration_number == number)
    ).one_or_none()
    if by_number is not None:
        return by_number
    named = register.suggestions(db, near.day, near.scope, name=text.strip(), limit=2)
    if len(named) == 1:
        return named[0]
    if named:
        raise DomainError(
            "instructor_ambiguous",
            N_("Several instructors are called %(name)s. Choose the suggestion with the right number."),
            field=field,
            name=text.strip(),
        )
    raise DomainError(
        "instructor_unknown",
        N_(
            "No qualified instructor near you is called %(name)s. Choose a suggestion, or give the registration number "
            "of somebody from another district."
        ),
        field=field,
        name=text.strip(),
    )


def team_of(
    db: Session,
    lead: str | None,
    assistants: Iterable[str | None],
    near: Near,
    *,
    examiner: str | None = None,
) -> Team:
    """The team that a planner wrote; empty lines do not count."""
    return Team(
        lead_id=find(db, lead, near, field="lead").id if lead else None,
        assistant_ids=tuple(dict.fromkeys(find(db, text, near, field="assistants").id for text in assistants if text)),
        examiner_id=find(db, examiner, near, field="examiner").id if examiner else None,
    )


def written(teachers: Iterable[SessionInstructor]) -> tuple[str | None, list[str]]:
    """A session's lead and assistants as the form shows them."""
    lead, assistants = None, []
    for teacher in teachers:
        if teacher.role == TeachingRole.LEAD:
            lead = label(teacher.instructor)
        elif teacher.role == TeachingRole.ASSISTANT:
            assistants.append(label(teacher.instructor))
    return lead, assistants


def examiner_of(teachers: Iterable[SessionInstructor]) -> str | None:
    """A session's examiner as the form shows it; none where nobody was planned."""
    return next((label(row.instructor) for row in teachers if row.role == TeachingRole.EXAMINER), None)


def teaching_of(db: Session, meeting: CourseSession, user_id: int | None) -> SessionInstructor | None:
    """The part that a user plays at a session as an instructor, if any."""
    return db.scalars(
        select(SessionInstructor)
        .join(Instructor, Instructor.id == SessionInstructor.instructor_id)
        .where(SessionInstructor.course_session_id == meeting.id, Instructor.user_id == user_id)
    ).one_or_none()
