"""A host organisation's offerings by where they stand, and the instructors who are often at its sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, case, func, or_, select, true
from sqlalchemy.orm import Session

from courses.models.catalogue import Course
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState, SessionInstructor
from courses.offerings.listings import BilingualName, count_enrolments
from instructors.models import Instructor
from lms.core.scope import Scope

LISTED = 8  # offerings of each kind; the list of offerings has all


@dataclass(frozen=True)
class HostOffering:
    """An offering of the host. starts_at, ends_at: of its first and its last session; None where it has none yet."""

    id: int
    course: BilingualName
    starts_at: datetime | None
    ends_at: datetime | None
    capacity: int
    enrolled: int


@dataclass(frozen=True)
class HostOfferings:
    """The offerings of one kind: how many there are, and the first of them (of the past ones the latest)."""

    number: int
    rows: Sequence[HostOffering]


@dataclass(frozen=True)
class OfferingsOfHost:
    """A host's offerings. coming: no session has begun; to_close: the last session is over, and it is not closed."""

    coming: HostOfferings
    running: HostOfferings
    to_close: HostOfferings
    past: HostOfferings


@dataclass(frozen=True)
class FrequentInstructor:
    """An instructor, and at how many of the host's sessions."""

    id: int
    name: str
    registration_number: str
    sessions: int


def offerings_of_host(db: Session, organisation_id: int, scope: Scope, now: datetime) -> OfferingsOfHost:
    """The host's offerings that a scope covers, in one statement."""
    span = (
        select(func.min(CourseSession.starts_at).label("starts_at"), func.max(CourseSession.ends_at).label("ends_at"))
        .where(CourseSession.offering_id == Offering.id)
        .lateral("span")
    )
    kind = case(
        (Offering.state == OfferingState.CLOSED, "past"),
        (or_(span.c.starts_at.is_(None), span.c.starts_at > now), "coming"),
        (span.c.ends_at > now, "running"),
        else_="to_close",
    )
    of_host = (
        select(Offering.id, Offering.course_id, Offering.capacity, span.c.starts_at, span.c.ends_at, kind.label("kind"))
        .join(span, true())
        .where(
            Offering.organisation_id == organisation_id,
            Offering.visible_to(scope),
            Offering.state.in_([OfferingState.PUBLISHED, OfferingState.CLOSED]),
        )
        .cte("of_host")
    )
    latest_first = case((of_host.c.kind == "past", -func.extract("epoch", of_host.c.starts_at)))
    place = func.row_number().over(
        partition_by=of_host.c.kind, order_by=(latest_first, of_host.c.starts_at, of_host.c.id)
    )
    ranked = select(
        *of_host.c, place.label("place"), func.count().over(partition_by=of_host.c.kind).label("number")
    ).subquery("ranked")
    statement = (
        select(ranked, Course.name_zh, Course.name_en, count_enrolments(Enrolment.state.in_(HOLDS_PLACE)))
        .join(Offering, Offering.id == ranked.c.id)
        .join(Course, Course.id == ranked.c.course_id)
        .where(ranked.c.place <= LISTED)
        .order_by(ranked.c.place)
    )
    numbers: dict[str, int] = {}
    rows: dict[str, list[HostOffering]] = {}
    for row in db.execute(statement):
        offering_id, _course, capacity, starts_at, ends_at, of_kind, _place, number, name_zh, name_en, enrolled = row
        numbers[of_kind] = number
        rows.setdefault(of_kind, []).append(
            HostOffering(offering_id, BilingualName(name_zh, name_en), starts_at, ends_at, capacity, enrolled)
        )
    return OfferingsOfHost(
        *(HostOfferings(numbers.get(name, 0), rows.get(name, [])) for name in ("coming", "running", "to_close", "past"))
    )


def frequent_instructors(db: Session, organisation_id: int, scope: Scope) -> list[FrequentInstructor]:
    """The instructors who were at most of the host's sessions, or will be, the most frequent first; none of cancelled offerings."""
    sessions = func.count()
    statement: Select[*tuple[int, str, str, int]] = (
        select(Instructor.id, Instructor.name, Instructor.registration_number, sessions)
        .join(SessionInstructor, SessionInstructor.instructor_id == Instructor.id)
        .join(CourseSession, CourseSession.id == SessionInstructor.course_session_id)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .where(
            Offering.organisation_id == organisation_id,
            Offering.state != OfferingState.CANCELLED,
            Offering.visible_to(scope),
        )
        .group_by(Instructor.id)
        .order_by(sessions.desc(), Instructor.id)
        .limit(LISTED)
    )
    return [FrequentInstructor(*row) for row in db.execute(statement)]
