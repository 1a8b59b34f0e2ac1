"""Staffing: finding the instructors whom a planner types, by name or by registration number, and a session's own ones."""

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
    """An instructor's name and registration number ("李秀英 · BJ-I-00017"), as the form shows and accepts it."""
    return f"{instructor.name}{SEPARATOR}{instructor.registration_number}"


@dataclass(frozen=True)
class InstructorScope:
    """The instructors whom a planner can find by name: those in the planner's scope who may teach on the day."""

    day: date
    scope: Scope


def suggest(db: Session, reach: InstructorScope, part: str = "", *, limit: int) -> list[str]:
    """The labels of the instructors whose name or number contains a part, at most `limit`."""
    return [
        label(instructor) for instructor in register.suggestions(db, reach.day, reach.scope, part=part, limit=limit)
    ]


def find(db: Session, text: str, reach: InstructorScope, *, field: str) -> Instructor:
    """The instructor that a planner typed: a label, a name or a registration number.

    A registration number finds any active instructor, because a planner may ask another district for help. A name finds
    only an instructor of `reach`. Raises DomainError `instructor_ambiguous` or `instructor_unknown` on `field`.
    """
    name, _, number = (part.strip() for part in text.strip().rpartition(SEPARATOR.strip()))
    number = number or name
    by_number = db.scalars(
        select(Instructor).where(Instructor.active, Instructor.registration_number == number)
    ).one_or_none()
    if by_number is not None:
        return by_number
    with_name = register.suggestions(db, reach.day, reach.scope, name=text.strip(), limit=2)
    if len(with_name) == 1:
        return with_name[0]
    if with_name:
        raise DomainError(
            "instructor_ambiguous",
            N_("Several instructors are called %(name)s. Choose the suggestion with the right number."),
            field=field,
            name=text.strip(),
        )
    raise DomainError(
        "instructor_unknown",
        N_(
            "No qualified instructor named %(name)s was found in your district. Choose a suggestion, or enter the "
            "registration number of an instructor from another district."
        ),
        field=field,
        name=text.strip(),
    )


def parse_team(
    db: Session,
    lead: str | None,
    assistants: Iterable[str | None],
    reach: InstructorScope,
    *,
    examiner: str | None = None,
) -> Team:
    """The team that a planner typed. Empty texts are ignored. Raises DomainError as `find` does."""
    return Team(
        lead_id=find(db, lead, reach, field="lead").id if lead else None,
        assistant_ids=tuple(dict.fromkeys(find(db, text, reach, field="assistants").id for text in assistants if text)),
        examiner_id=find(db, examiner, reach, field="examiner").id if examiner else None,
    )


def lead_and_assistant_labels(teachers: Iterable[SessionInstructor]) -> tuple[str | None, list[str]]:
    """The labels of a session's lead and assistants."""
    lead, assistants = None, []
    for teacher in teachers:
        if teacher.role == TeachingRole.LEAD:
            lead = label(teacher.instructor)
        elif teacher.role == TeachingRole.ASSISTANT:
            assistants.append(label(teacher.instructor))
    return lead, assistants


def examiner_label(teachers: Iterable[SessionInstructor]) -> str | None:
    """The label of a session's examiner, or None."""
    return next((label(teacher.instructor) for teacher in teachers if teacher.role == TeachingRole.EXAMINER), None)


def session_instructor_of(db: Session, meeting: CourseSession, user_id: int | None) -> SessionInstructor | None:
    """The user's own row among a session's instructors, or None where the user is not one of them."""
    return db.scalars(
        select(SessionInstructor)
        .join(Instructor, Instructor.id == SessionInstructor.instructor_id)
        .where(SessionInstructor.course_session_id == meeting.id, Instructor.user_id == user_id)
    ).one_or_none()
