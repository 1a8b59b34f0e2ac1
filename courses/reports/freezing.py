"""The checklist of a quarter that is to be frozen: what would come too late for its figures, each point with its number.

None of the points hinders freezing. A quarter with open points is frozen with a reason, which the audit trail keeps.
"""

from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.attendance import review_queue
from courses.counting import quarters
from courses.counting.quarters import Quarter
from courses.models.attendance import AttendanceEvent
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.opening_balances import OpeningBalance
from courses.models.quarters import FrozenQuarter
from courses.reports.questions import end_of_day
from lms.core import clock, reasons
from lms.core.errors import N_

WHY = N_("Points of the list are open. Enter the reason for freezing all the same.")


class Point(StrEnum):
    """A point of the checklist.

    open_offerings: last held in the quarter and not closed. reviews: check-ins of the quarter about which nobody decided.
    earlier_quarters: earlier ones with figures that are not frozen. balances: person-times from before the system in the
    quarter, which are not frozen with it; they are information, and no reason is asked for.
    """

    OPEN_OFFERINGS = "open_offerings"
    REVIEWS = "reviews"
    EARLIER_QUARTERS = "earlier_quarters"
    BALANCES = "balances"


@dataclass(frozen=True)
class CheckedPoint:
    """A point and its number. A number of 0 is as it should be."""

    point: Point
    number: int

    @property
    def is_open(self) -> bool:
        """True where freezing needs a reason."""
        return self.number > 0 and self.point is not Point.BALANCES


def checklist(db: Session, quarter: Quarter, zone: ZoneInfo) -> list[CheckedPoint]:
    """Count each point of a quarter, in the order of `Point`."""
    first, end = end_of_day(quarter.previous.last, zone), end_of_day(quarter.last, zone)
    last_session = select(func.max(CourseSession.starts_at)).where(CourseSession.offering_id == Offering.id)
    held = Offering.id.in_(select(CourseSession.offering_id).where(CourseSession.starts_at.between(first, end)))
    ended = last_session.scalar_subquery()
    offerings = select(func.count(Offering.id)).where(
        Offering.state == OfferingState.PUBLISHED, held, ended >= first, ended < end
    )
    reviews = (
        select(func.count(AttendanceEvent.id))
        .join(CourseSession, CourseSession.id == AttendanceEvent.course_session_id)
        .where(CourseSession.starts_at >= first, CourseSession.starts_at < end, review_queue.undecided())
    )
    balances = select(func.coalesce(func.sum(OpeningBalance.person_times), 0)).where(
        OpeningBalance.active, OpeningBalance.month.between(quarter.first, quarter.last)
    )
    earlier = sum(
        state.quarter < quarter and state.frozen_at is None and state.person_times > 0
        for state in quarters.listing(db, zone)
    )
    return [
        CheckedPoint(Point.OPEN_OFFERINGS, db.scalar(offerings) or 0),
        CheckedPoint(Point.REVIEWS, db.scalar(reviews) or 0),
        CheckedPoint(Point.EARLIER_QUARTERS, earlier),
        CheckedPoint(Point.BALANCES, int(db.scalar(balances) or 0)),
    ]


def freeze(db: Session, quarter: Quarter, zone: ZoneInfo, reason: str | None) -> FrozenQuarter:
    """Freeze a quarter. Raises DomainError on the field `reason` where a point is open and no reason is given."""
    is_over = clock.today(zone) > quarter.last
    if is_over and any(point.is_open for point in checklist(db, quarter, zone)):
        reason = reasons.required(reason, WHY)
    return quarters.freeze(db, quarter, zone, reason=(reason or "").strip() or None)
