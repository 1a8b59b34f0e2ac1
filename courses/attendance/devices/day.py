"""The rosters of an instructor's next sessions, which a device stores so that the day works without a network."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.attendance.devices.roster import read_device_roster
from courses.models.offerings import CourseSession, Offering, OfferingState, SessionInstructor
from instructors.models import Instructor
from lms.accounts.devices import Caller
from lms.core import clock
from lms.core.scope import Scope

DAYS = 2  # today and tomorrow: the evening before is the last time at which many phones have a network
SESSIONS_LIMIT = 20  # an answer that a bad network carries in a few seconds


@dataclass(frozen=True)
class DeviceDay:
    """The rosters of the sessions that take place between two moments, by time; values for JSON, and moments."""

    starts_at: datetime
    ends_at: datetime
    rosters: list[dict[str, Any]]


def read_device_day(db: Session, scope: Scope, caller: Caller, zone: ZoneInfo) -> DeviceDay:
    """Read the rosters of the sessions that the device's user teaches today or tomorrow, by the branch's clock."""
    starts_at = datetime.combine(clock.today(zone), time.min, zone)
    ends_at = starts_at + timedelta(days=DAYS)  # the wall clock of the zone: a day of 23 or 25 hours is one day
    ids = db.scalars(
        select(CourseSession.id)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .join(SessionInstructor, SessionInstructor.course_session_id == CourseSession.id)
        .join(Instructor, Instructor.id == SessionInstructor.instructor_id)
        .where(
            Instructor.user_id == caller.user_id,
            Offering.state.in_((OfferingState.PUBLISHED, OfferingState.CLOSED)),
            CourseSession.starts_at < ends_at,
            CourseSession.ends_at > starts_at,
        )
        .order_by(CourseSession.starts_at, CourseSession.id)
        .limit(SESSIONS_LIMIT)
    ).all()
    return DeviceDay(starts_at, ends_at, [read_device_roster(db, session_id, scope, caller) for session_id in ids])
