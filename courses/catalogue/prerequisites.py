"""The prerequisites of a course as an administrator enters them. They are rows, so a new rule needs no code."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from courses.models.catalogue import Course, CoursePrerequisite, courses_by_type
from lms.core import audit
from lms.core.errors import N_, DomainError


@dataclass(frozen=True)
class PrerequisiteFacts:
    """A certificate type that a course demands. The fields are those of `CoursePrerequisite`."""

    certificate_type: int
    lapsed_months: int | None
    source: str
    since: date


def certificate_types(db: Session) -> dict[int, Course]:
    """Return the course that names each certificate type, by the type's number. One statement."""
    return {
        course.certificate_type: course
        for course in db.scalars(courses_by_type())
        if course.certificate_type is not None
    }


def write(db: Session, course: Course, items: Sequence[PrerequisiteFacts]) -> None:
    """Make the prerequisites of a course equal to these.

    Classes that are open and end on or after the day `since` are judged by them. Raises DomainError `prerequisite_twice`
    for a type that is demanded twice.
    """
    if len({item.certificate_type for item in items}) < len(items):
        raise DomainError("prerequisite_twice", N_("A certificate type is demanded twice. Remove one of the lines."))
    before = _as_json(course.prerequisites)
    rows = {row.certificate_type: row for row in course.prerequisites}
    kept = []
    for item in sorted(items, key=lambda item: item.certificate_type):
        row = rows.get(item.certificate_type) or CoursePrerequisite()
        for name, value in asdict(item).items():
            setattr(row, name, value)
        kept.append(row)
    course.prerequisites = kept
    db.flush()
    after = _as_json(kept)
    if after != before:
        audit.record(
            db, "course.prerequisites", course, before={"prerequisites": before}, after={"prerequisites": after}
        )


def _as_json(rows: Sequence[CoursePrerequisite]) -> list[dict[str, Any]]:
    return [
        {
            "certificate_type": row.certificate_type,
            "lapsed_months": row.lapsed_months,
            "source": row.source,
            "since": row.since.isoformat(),
        }
        for row in rows
    ]
