"""Sessions that nobody closed: those that ended more than 48 hours ago, and those whose closing waits for confirmation."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session

from courses.models.attendance import Attendance
from courses.models.catalogue import Course
from courses.models.closing_requests import ClosingRequest, ClosingRequestState
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.offerings.listings import BilingualName
from instructors.models import Instructor
from lms.core.paging import PAGE_SIZE, Page
from lms.core.scope import Scope, visible
from lms.organisations.models import District, Organisation

CLOSED_WITHIN = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class UnclosedSession:
    """A session of the list. present: the trainees who are checked in. requested: its closing waits for confirmation."""

    id: int
    offering_id: int
    starts_at: datetime
    ends_at: datetime
    course: BilingualName
    organisation: BilingualName
    district: BilingualName
    lead: str | None
    enrolled: int
    present: int
    requested: bool


def counting(scope: Scope, now: datetime) -> Select[Any]:
    """The SELECT that counts the sessions within the scope that ended more than 48 hours before `now`."""
    return _counting(scope, _late(now))


def counting_requested(scope: Scope) -> Select[Any]:
    """The SELECT that counts the sessions within the scope whose closing was asked for without a network."""
    return _counting(scope, _requested())


def listing(
    db: Session, scope: Scope, now: datetime, *, requested: bool = False, page: int = 1, size: int = PAGE_SIZE
) -> Page[UnclosedSession]:
    """A page of the sessions that `counting` counts (or `counting_requested`), those that ended first standing first."""
    condition = _requested() if requested else _late(now)
    total = db.scalar(_counting(scope, condition)) or 0
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    enrolled = select(func.count()).where(
        Enrolment.offering_id == CourseSession.offering_id, Enrolment.state.in_(HOLDS_PLACE)
    )
    present = select(func.count()).where(Attendance.course_session_id == CourseSession.id)
    columns: tuple[Any, ...] = (
        CourseSession.id, CourseSession.offering_id, CourseSession.starts_at, CourseSession.ends_at,
        Course.name_zh, Course.name_en, Organisation.name_zh, Organisation.name_en, District.name_zh, District.name_en,
        Instructor.name, enrolled.correlate(CourseSession).scalar_subquery(),
        present.correlate(CourseSession).scalar_subquery(), _requested(),
    )  # fmt: skip
    statement = (
        _unclosed(select(*columns), scope, condition)
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .join(District, District.id == Offering.district_id)
        .outerjoin(Instructor, Instructor.id == Offering.lead_instructor_id)
        .order_by(CourseSession.ends_at, CourseSession.id)
        .limit(size)
        .offset((page - 1) * size)
    )
    rows = [
        UnclosedSession(
            row[0], row[1], row[2], row[3], BilingualName(row[4], row[5]), BilingualName(row[6], row[7]),
            BilingualName(row[8], row[9]), *row[10:],
        )
        for row in db.execute(statement)
    ]  # fmt: skip
    return Page(rows=rows, page=page, pages=pages, total=total)


def _counting(scope: Scope, condition: ColumnElement[bool]) -> Select[Any]:
    return _unclosed(select(func.count(CourseSession.id)), scope, condition)


def _unclosed(statement: Select[Any], scope: Scope, condition: ColumnElement[bool]) -> Select[Any]:
    return visible(
        statement.select_from(CourseSession)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .where(CourseSession.closed_at.is_(None), Offering.state == OfferingState.PUBLISHED, condition),
        Offering,
        scope,
    )


def _late(now: datetime) -> ColumnElement[bool]:
    return CourseSession.ends_at < now - CLOSED_WITHIN


def _requested() -> ColumnElement[bool]:
    return exists(
        select(1).where(
            ClosingRequest.course_session_id == CourseSession.id, ClosingRequest.state == ClosingRequestState.WAITING
        )
    )
