"""The prerequisites of a course, as an administrator enters it: stored as rows, each change on record."""

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.catalogue import prerequisites
from courses.catalogue.prerequisites import PrerequisiteFacts
from courses.models.catalogue import Course
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from tests.factories import Make

SINCE = date(2027, 1, 1)


def test_rows_are_added_changed_and_removed_and_each_change_is_on_record(db: Session, make: Make) -> None:
    course = make.new_course()
    first = PrerequisiteFacts(2, None, "办法一", SINCE)
    second = PrerequisiteFacts(1, 24, "办法二", SINCE)
    for items in ([first, second], [second, first], [PrerequisiteFacts(1, 0, "办法三", SINCE)], []):
        prerequisites.write(db, course, items)
        db.refresh(course, ["prerequisites"])
        expected = [(row.certificate_type, row.lapsed_months, row.source) for row in items]
        assert [(row.certificate_type, row.lapsed_months, row.source) for row in course.prerequisites] == sorted(
            expected
        )
    audited = db.scalars(select(AuditEntry).where(AuditEntry.action == "course.prerequisites")).all()
    assert len(audited) == 3
    with pytest.raises(DomainError, match="twice"):
        prerequisites.write(db, course, [second, second])


def test_refreshers_demand_what_they_renew_since_the_migration_with_any_lapse(db: Session, make: Make) -> None:
    demanded = {
        course.code: [(row.certificate_type, row.lapsed_months) for row in course.prerequisites]
        for course in db.scalars(select(Course))
        if course.prerequisites
    }
    assert demanded == {"FR-REFRESHER": [(1, None)], "INSTRUCTOR-REFRESHER": [(3, None)]}


def test_a_type_is_named_by_its_full_course_and_not_by_its_refresher(db: Session) -> None:
    names = {number: course.code for number, course in prerequisites.certificate_types(db).items()}
    assert names == {1: "FR-16", 2: "FR-8", 3: "INSTRUCTOR-48"}
