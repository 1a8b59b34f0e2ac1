"""Offerings as the public sees them: open ones with their free places.

They contain no personal data except the lead instructor's name and the contact that the host gives for the public.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from courses.models.catalogue import AttendanceRule, Course, Programme
from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.offerings.class_hours import planned_minutes
from courses.offerings.listings import BilingualName, count_enrolments, has_session_between, join_listed_tables
from instructors.models import Instructor
from lms.core import clock
from lms.core.errors import NotFound
from lms.core.paging import Page
from lms.organisations.models import District, Organisation

PAGE_SIZE = 20


@dataclass(frozen=True)
class PublicFilters:
    """The filters of the public list.

    An offering matches the days when one of its sessions begins on or between them, in the branch's time zone.
    """

    programme_code: str | None = None
    district_id: int | None = None
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True)
class PublicSession:
    """A session. `place` is None where the session takes place at the offering's place."""

    starts_at: datetime
    ends_at: datetime
    place: str | None


@dataclass(frozen=True)
class PublicOffering:
    """An offering as the public sees it. `hours` are the class hours of the course.

    The contact is the offering's, else its host's. `bring` is the offering's, else its course's in both languages.
    """

    id: int
    state: OfferingState
    course: BilingualName
    programme: BilingualName
    organisation: BilingualName
    district: BilingualName
    place: str
    lead: str | None
    hours: float
    certificate: bool
    attendance_rule: AttendanceRule
    minutes_share: int | None
    validity_months: int | None
    refresher: bool
    capacity: int
    free: int
    waiting: int
    cancel_reason: str | None
    contact_name: str | None
    contact_phone: str | None
    directions: str | None
    map_address: str | None
    bring: BilingualName | None
    fee: Decimal | None
    fee_note: str | None
    meetings: tuple[PublicSession, ...]

    @property
    def planned_minutes(self) -> int:
        """The planned minutes of all sessions."""
        return sum(planned_minutes(meeting.starts_at, meeting.ends_at) for meeting in self.meetings)

    @property
    def has_begun(self) -> bool:
        """Tell whether the first session has started, so that nobody can enrol any more."""
        return not self.meetings or self.meetings[0].starts_at <= clock.now()

    @property
    def takes_enrolments(self) -> bool:
        """Tell whether visitors can enrol now, if only for the waiting list."""
        return self.state is OfferingState.PUBLISHED and not self.has_begun


def list_open(db: Session, filters: PublicFilters, *, zone: ZoneInfo, page: int = 1) -> Page[PublicOffering]:
    """A page of the offerings in which anybody can enrol, soonest first, in one statement."""
    page = max(page, 1)
    statement, meetings = _statement()
    statement = statement.where(is_open(meetings.c.first), *conditions(filters, zone)).order_by(
        meetings.c.first, Offering.id
    )
    records = db.execute(statement.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)).all()
    if not records and page > 1:
        return list_open(db, filters, zone=zone)
    total = records[0][-1] if records else 0
    rows = [_public_offering(record) for record in records]
    return Page(rows=rows, page=page, pages=max(1, -(-total // PAGE_SIZE)), total=total)


def get_public(db: Session, offering_id: int) -> PublicOffering:
    """An offering that is or was open to the public. Raises NotFound for drafts and for offerings by invitation."""
    statement, _ = _statement()
    record = db.execute(
        statement.where(
            Offering.id == offering_id, Offering.published_at.is_not(None), Offering.by_invitation.is_(False)
        )
    ).one_or_none()
    if record is None:
        raise NotFound
    return _public_offering(record)


def is_open(first_start: Any) -> ColumnElement[bool]:
    """The condition that anybody can enrol in an offering. first_start: the column with the start of its first session."""
    return and_(Offering.state == OfferingState.PUBLISHED, Offering.by_invitation.is_(False), first_start > clock.now())


def _statement() -> tuple[Any, Any]:
    """The SELECT of public offerings, and its lateral subquery of sessions."""

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
            Course.attendance_rule, Course.minutes_share,
            count_enrolments(Enrolment.takes_place()),
            count_enrolments(Enrolment.waits()),
            meetings.c.starts, meetings.c.ends, meetings.c.places,
            Offering.contact_name, Offering.contact_phone, Organisation.contact_name, Organisation.contact_phone,
            Offering.directions, Offering.map_address, Offering.bring, Course.bring_zh, Course.bring_en,
            Offering.fee, Offering.fee_note,
            func.count().over(),
        )
    )  # fmt: skip
    return join_listed_tables(statement, meetings), meetings


def conditions(filters: PublicFilters, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    """The conditions of the filters, for a SELECT from Offering and Course."""
    filtered = []
    if filters.programme_code:
        filtered.append(Course.programme_code == filters.programme_code)
    if filters.district_id is not None:
        filtered.append(Offering.district_id == filters.district_id)
    if filters.first_day or filters.last_day:
        filtered.append(has_session_between(filters.first_day, filters.last_day, zone))
    return filtered


def _public_offering(record: Any) -> PublicOffering:
    sessions = zip(record[22] or (), record[23] or (), record[24] or (), strict=True)
    contact_name, contact_phone = record[25:27] if record[26] else record[27:29]
    bring_zh, bring_en = (record[31], None) if record[31] else (record[32] or record[33], record[33])
    return PublicOffering(
        id=record[0], state=OfferingState(record[1]), place=record[2], capacity=record[3], cancel_reason=record[4],
        course=BilingualName(record[5], record[6]), programme=BilingualName(record[7], record[8]),
        organisation=BilingualName(record[9], record[10]), district=BilingualName(record[11], record[12]),
        lead=record[13], hours=float(record[14]), certificate=record[15] is not None, validity_months=record[16],
        refresher=record[17], attendance_rule=record[18], minutes_share=record[19],
        free=0 if record[21] else max(0, record[3] - record[20]), waiting=record[21],
        contact_name=contact_name, contact_phone=contact_phone, directions=record[29], map_address=record[30],
        bring=BilingualName(bring_zh, bring_en) if bring_zh else None, fee=record[34], fee_note=record[35],
        meetings=tuple(PublicSession(*facts) for facts in sessions),
    )  # fmt: skip
