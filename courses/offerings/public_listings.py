"""What the public sees of offerings: open ones with their free places. No personal data but the lead instructor's name."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from courses.models.catalogue import Course, Programme
from courses.models.enrolment import HOLDS_PLACE, Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.offerings.listings import Names, held, in_period, joined
from instructors.models import Instructor
from lms.core import clock
from lms.core.errors import NotFound
from lms.core.paging import Page
from lms.organisations.models import District, Organisation

SIZE = 20


@dataclass(frozen=True)
class Filters:
    """What the public list is narrowed to. Days are the branch's, both included; they mean the first session or a later one."""

    programme_code: str | None = None
    district_id: int | None = None
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True)
class Meeting:
    """One session: when, and where if not at the offering's place."""

    starts_at: datetime
    ends_at: datetime
    place: str | None


@dataclass(frozen=True)
class OpenOffering:
    """One offering as the public sees it. `begun`: its first session has started, so nobody can enrol any more."""

    id: int
    state: OfferingState
    course: Names
    programme: Names
    organisation: Names
    district: Names
    place: str
    lead: str | None
    hours: float
    certificate: bool
    validity_months: int | None
    refresher: bool
    capacity: int
    free: int
    waiting: int
    cancel_reason: str | None
    meetings: tuple[Meeting, ...]

    @property
    def begun(self) -> bool:
        """Whether it is too late to enrol."""
        return not self.meetings or self.meetings[0].starts_at <= clock.now()

    @property
    def takes_enrolments(self) -> bool:
        """Whether the enrol button leads anywhere."""
        return self.state is OfferingState.PUBLISHED and not self.begun


def listing(db: Session, filters: Filters, *, zone: ZoneInfo, page: int = 1) -> Page[OpenOffering]:
    """Published offerings that anybody may enrol in and that have not begun, soonest first; one statement a page."""
    page = max(page, 1)
    statement, meetings = _statement()
    statement = statement.where(
        Offering.state == OfferingState.PUBLISHED,
        Offering.by_invitation.is_(False),
        meetings.c.first > clock.now(),
        *_wanted(filters, zone),
    ).order_by(meetings.c.first, Offering.id)
    found = db.execute(statement.limit(SIZE).offset((page - 1) * SIZE)).all()
    if not found and page > 1:
        return listing(db, filters, zone=zone)
    total = found[0][-1] if found else 0
    return Page(rows=[_row(row) for row in found], page=page, pages=max(1, -(-total // SIZE)), total=total)


def detail(db: Session, offering_id: int) -> OpenOffering:
    """One offering that is or was open to the public. Raises NotFound for drafts and for those by invitation."""
    statement, _ = _statement()
    row = db.execute(
        statement.where(
            Offering.id == offering_id, Offering.published_at.is_not(None), Offering.by_invitation.is_(False)
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    return _row(row)


def _statement() -> tuple[Any, Any]:
    def in_order(column: Any) -> Any:
        return func.array_agg(aggregate_order_by(column, CourseSession.starts_at, CourseSession.id))

    meetings = (
        select(
            func.min(CourseSession.starts_at).label("first"),
            in_order(CourseSession.starts_at).label("starts"),
            in_order(CourseSession.ends_at).label("ends"),
            in_order(CourseSession.place).label("places"),
        )
        .where(CourseSession.offering_id == Offering.id)
        .lateral("meetings")
    )
    statement = (
        select(
            Offering.id, Offering.state, Offering.place, Offering.capacity, Offering.cancel_reason,
            Course.name_zh, Course.name_en, Programme.name_zh, Programme.name_en,
            Organisation.name_zh, Organisation.name_en, District.name_zh, District.name_en, Instructor.name,
            Course.hours, Course.certificate_type, Course.validity_months, Course.refresher,
            held(Enrolment.state.in_(HOLDS_PLACE)),
            held(Enrolment.state == EnrolmentState.WAITLISTED),
            meetings.c.starts, meetings.c.ends, meetings.c.places,
            func.count().over(),
        )
    )  # fmt: skip
    return joined(statement, meetings), meetings


def _wanted(filters: Filters, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    conditions = []
    if filters.programme_code:
        conditions.append(Course.programme_code == filters.programme_code)
    if filters.district_id is not None:
        conditions.append(Offering.district_id == filters.district_id)
    if filters.first_day or filters.last_day:
        conditions.append(in_period(filters.first_day, filters.last_day, zone))
    return conditions


def _row(row: Any) -> OpenOffering:
    return OpenOffering(
        id=row[0], state=OfferingState(row[1]), place=row[2], capacity=row[3], cancel_reason=row[4],
        course=Names(row[5], row[6]), programme=Names(row[7], row[8]),
        organisation=Names(row[9], row[10]), district=Names(row[11], row[12]), lead=row[13],
        hours=float(row[14]), certificate=row[15] is not None, validity_months=row[16], refresher=row[17],
        free=max(0, row[3] - row[18]), waiting=row[19],
        meetings=tuple(Meeting(*each) for each in zip(row[20] or (), row[21] or (), row[22] or (), strict=True)),
    )  # fmt: skip
