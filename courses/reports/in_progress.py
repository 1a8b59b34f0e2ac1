"""Offerings in progress: held in the period and not closed yet.

They stand beside the report and are in none of its totals.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Date, Select, Subquery, cast, func, select
from sqlalchemy.orm import Session, aliased

from courses.counting import person_time
from courses.models.catalogue import Course
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.reports.ledger import course_matches, offering_matches
from courses.reports.questions import Question
from lms.core.scope import CACHED_STATEMENTS
from lms.organisations.models import Organisation


@dataclass(frozen=True)
class InProgress:
    """The number of offerings in progress, and the people enrolled, present by name and counted as heads so far."""

    offerings: int
    enrolled: int
    named: int
    counted: int


def offerings_in_progress(question: Question, zone: ZoneInfo) -> Subquery:
    """A row for each offering: `offering_id`, `last_day`, and what `person_time.recounted` gives for it now.

    An offering is in progress when its last session lies in the period, somebody came to one of its sessions, and it
    is not closed.
    """
    filters = question.filters
    meeting = aliased(CourseSession)
    last_day = cast(func.timezone(zone.key, func.max(meeting.starts_at)), Date)
    not_closed = (
        select(Offering.id, last_day.label("last_day"))
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .join(meeting, meeting.offering_id == Offering.id)
        .where(Offering.state == OfferingState.PUBLISHED, offering_matches(question), course_matches(filters))
        .group_by(Offering.id)
        .having(last_day.between(filters.since, filters.until))
        .cte("not_closed")  # a CTE, so that PostgreSQL finds these offerings once and not once for each sum
    )
    totals = person_time.recounted(Offering.id.in_(select(not_closed.c.id)))
    return (
        select(totals, not_closed.c.last_day)
        .join(not_closed, not_closed.c.id == totals.c.offering_id)
        .where((totals.c.named > 0) | (totals.c.counted > 0))
        .subquery("in_progress")
    )


@lru_cache(CACHED_STATEMENTS)
def _total_statement(question: Question, zone: ZoneInfo) -> Select[*tuple[Any, ...]]:
    offerings = offerings_in_progress(question, zone)
    sums = [func.coalesce(func.sum(offerings.c[name]), 0) for name in ("enrolled", "named", "counted")]
    return select(func.count(offerings.c.offering_id), *sums)


def total(db: Session, question: Question, *, zone: ZoneInfo) -> InProgress:
    """The sum over all offerings in progress, in one statement."""
    offerings, enrolled, named, counted = db.execute(_total_statement(question, zone)).one()
    return InProgress(offerings, int(enrolled), int(named), int(counted))
