"""Offerings: scheduled, changed, published, cancelled. Draft → published → closed or cancelled, never back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, selectinload

from courses.enrolment import places
from courses.models.attendance import Attendance
from courses.models.catalogue import Course
from courses.models.enrolment import HOLDS_PLACE, Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState, SessionInstructor, TeachingRole
from courses.offerings import notices, scheduling
from courses.offerings.scheduling import SessionPlan, Team
from lms.core import audit, clock
from lms.core.errors import N_, DomainError, NotFound
from lms.core.languages import named
from lms.core.scope import Scope, fetch
from lms.organisations.models import Organisation

OPEN = (OfferingState.DRAFT, OfferingState.PUBLISHED)


@dataclass(frozen=True)
class OfferingPlan:
    """What a planner says of an offering. `capacity` None: the course's own. `team` None: each session keeps its own."""

    course_id: int
    organisation_id: int
    place: str
    sessions: tuple[SessionPlan, ...]
    capacity: int | None = None
    by_invitation: bool = False
    team: Team | None = None


@dataclass(frozen=True)
class Counts:
    """Trainees of an offering: with a place, and waiting for one."""

    enrolled: int
    waiting: int


def schedule(db: Session, plan: OfferingPlan, *, scope: Scope, zone: ZoneInfo) -> Offering:
    """A new offering, as a draft. The host must be in reach and the course on offer."""
    course = db.get(Course, plan.course_id)
    if course is None or not course.active:
        raise DomainError("course_not_offered", N_("This course is not offered any more."), field="course_id")
    host = _host(db, plan.organisation_id, scope)
    offering = Offering(
        course_id=course.id,
        organisation_id=host.id,
        district_id=host.district_id,
        place=plan.place,
        capacity=plan.capacity or course.capacity,
        by_invitation=plan.by_invitation,
        state=OfferingState.DRAFT,
    )
    db.add(offering)
    db.flush()
    scheduling.arrange(db, offering, _with_team(plan), zone=zone)
    audit.record(db, "offering.schedule", offering, after=_facts(offering))
    return offering


def change(db: Session, offering: Offering, plan: OfferingPlan, *, scope: Scope, zone: ZoneInfo) -> None:
    """Change an offering that is a draft or published. The enrolled are told of a new time or place by mail.

    More places go to those who wait.
    """
    _lock(db, offering)
    _require_state(offering, *OPEN)
    before, told = _facts(offering), _whereabouts(offering)
    if plan.course_id != offering.course_id and offering.state == OfferingState.PUBLISHED:
        raise DomainError(
            "course_fixed",
            N_(
                "The course of a published offering is fixed: people have enrolled in it. Cancel it and schedule another."
            ),
            field="course_id",
        )
    course = db.get(Course, plan.course_id)
    if course is None or not (course.active or course.id == offering.course_id):
        raise DomainError("course_not_offered", N_("This course is not offered any more."), field="course_id")
    if plan.organisation_id != offering.organisation_id:
        host = _host(db, plan.organisation_id, scope)
        offering.organisation_id, offering.district_id = host.id, host.district_id
    capacity = plan.capacity or course.capacity
    enrolled = counts(db, offering.id).enrolled
    if capacity < enrolled:
        raise DomainError(
            "capacity_below_enrolled",
            N_("There can be no fewer places than are taken already: %(enrolled)s."),
            field="capacity",
            enrolled=enrolled,
        )
    offering.course_id, offering.place, offering.capacity = plan.course_id, plan.place, capacity
    offering.by_invitation = plan.by_invitation
    db.flush()
    db.expire(offering, ["course", "organisation", "district"])
    scheduling.arrange(db, offering, _with_team(plan), zone=zone)
    if offering.state == OfferingState.PUBLISHED:
        _refuse_unpublishable(db, offering, zone, future=False)
        if _whereabouts(offering) != told:
            notices.moved(db, offering, zone)
        places.promote(db, offering.id)
    audit.record_change(db, "offering.change", offering, before, _facts(offering))


def change_session(db: Session, offering: Offering, wanted: SessionPlan, *, scope: Scope, zone: ZoneInfo) -> None:
    """Change one session's time, place or team, and leave the others as they are."""
    plans = tuple(
        wanted if meeting.id == wanted.session_id else scheduling.plan_of(meeting) for meeting in offering.sessions
    )
    if wanted not in plans:
        raise NotFound
    change(db, offering, replace(plan_of(offering), sessions=plans), scope=scope, zone=zone)


def plan_of(offering: Offering) -> OfferingPlan:
    """An offering as it is, as a plan."""
    return OfferingPlan(
        course_id=offering.course_id,
        organisation_id=offering.organisation_id,
        place=offering.place,
        capacity=offering.capacity,
        by_invitation=offering.by_invitation,
        sessions=tuple(scheduling.plan_of(meeting) for meeting in offering.sessions),
    )


def publish(db: Session, offering: Offering, *, zone: ZoneInfo) -> None:
    """Open a draft for enrolment. Raises DomainError saying what is missing."""
    _lock(db, offering)
    _require_state(offering, OfferingState.DRAFT)
    _refuse_unpublishable(db, offering, zone, future=True)
    offering.state, offering.published_at = OfferingState.PUBLISHED, clock.now()
    audit.record(db, "offering.publish", offering, before={"state": "draft"}, after={"state": "published"})


def cancel(db: Session, offering: Offering, reason: str, *, zone: ZoneInfo) -> notices.Reach:
    """Cancel for a reason: instructors are free again, the enrolled and waiting get a mail. Returns who has to be called.

    Enrolments stay as they are, as a record of who was told; the offering's state says that it did not take place.
    """
    reason = reason.strip()
    if not reason:
        raise DomainError("reason_missing", N_("Say why; the enrolled read it in their mail."), field="reason")
    _lock(db, offering)
    _require_state(offering, *OPEN)
    if db.scalar(
        select(
            exists().where(Attendance.course_session_id == CourseSession.id, CourseSession.offering_id == offering.id)
        )
    ):
        raise DomainError(
            "offering_attended",
            N_("People have attended this offering, so it counts. Close it instead of cancelling it."),
        )
    before = offering.state
    offering.state, offering.cancelled_at, offering.cancel_reason = OfferingState.CANCELLED, clock.now(), reason
    for meeting in offering.sessions:
        for teacher in meeting.instructors:
            teacher.active = False
    db.flush()
    reached = notices.reach(db, offering)
    notices.cancelled(db, offering, reason, zone)
    audit.record(
        db, "offering.cancel", offering, before={"state": str(before)}, after={"state": "cancelled"}, reason=reason
    )
    return reached


def page(db: Session, offering_id: int, scope: Scope) -> Offering:
    """One offering with all that its page shows, in a fixed number of statements."""
    fetch(db, Offering, offering_id, scope)
    return db.scalars(
        select(Offering)
        .where(Offering.id == offering_id)
        .options(
            selectinload(Offering.course).selectinload(Course.programme),
            selectinload(Offering.organisation),
            selectinload(Offering.district),
            selectinload(Offering.lead_instructor),
            selectinload(Offering.sessions)
            .selectinload(CourseSession.instructors)
            .selectinload(SessionInstructor.instructor),
        )
        .execution_options(populate_existing=True)
    ).one()


def within(db: Session, offering_id: int, scope: Scope) -> bool:
    """Whether an offering is in reach; for showing or hiding a button."""
    return bool(db.scalar(select(exists().where(Offering.id == offering_id, Offering.visible_to(scope)))))


def counts(db: Session, offering_id: int) -> Counts:
    """How many have a place and how many wait."""
    row = db.execute(
        select(
            func.count().filter(Enrolment.state.in_(HOLDS_PLACE)),
            func.count().filter(Enrolment.state == EnrolmentState.WAITLISTED),
        ).where(Enrolment.offering_id == offering_id)
    ).one()
    return Counts(row[0], row[1])


class CautionKind(StrEnum):
    """What a planner should see to, and may leave."""

    RATIO_ENROLLED = "ratio_enrolled"
    RATIO_CAPACITY = "ratio_capacity"
    HOURS = "hours"
    SESSIONS = "sessions"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class Caution:
    """One caution: its kind, and the figures it tells of."""

    kind: CautionKind
    figures: dict[str, Any]


def cautions(offering: Offering, enrolled: int) -> list[Caution]:
    """What is unwise about an offering and not forbidden: too few instructors, hours or sessions, and not closed in time."""
    if offering.state not in OPEN:
        return []
    course, found = offering.course, []
    if course.trainee_ratio and offering.sessions:
        fewest = min(
            sum(row.role != TeachingRole.EXAMINER for row in meeting.instructors) for meeting in offering.sessions
        )
        allowed = fewest * course.trainee_ratio
        figures = {"instructors": fewest, "ratio": course.trainee_ratio}
        if fewest and enrolled > allowed:
            found.append(Caution(CautionKind.RATIO_ENROLLED, figures | {"trainees": enrolled}))
        elif fewest and offering.capacity > allowed:
            found.append(Caution(CautionKind.RATIO_CAPACITY, figures | {"trainees": offering.capacity}))
    length = sum((meeting.ends_at - meeting.starts_at for meeting in offering.sessions), timedelta())
    planned = length.total_seconds() / 3600
    if offering.sessions and planned < float(course.hours):
        found.append(Caution(CautionKind.HOURS, {"planned": f"{planned:g}", "hours": f"{course.hours.normalize():f}"}))
    if offering.state == OfferingState.DRAFT and 0 < len(offering.sessions) < course.sessions_needed:
        found.append(
            Caution(CautionKind.SESSIONS, {"planned": len(offering.sessions), "needed": course.sessions_needed})
        )
    if offering.state == OfferingState.PUBLISHED and all(row.ends_at < clock.now() for row in offering.sessions):
        found.append(Caution(CautionKind.OVERDUE, {}))
    return found


def _lock(db: Session, offering: Offering) -> None:
    # Enrolling locks the same row, so places and states cannot change while they are being judged.
    db.flush()
    db.refresh(offering, with_for_update={"of": Offering})


def _require_state(offering: Offering, *states: OfferingState) -> None:
    if offering.state in states:
        return
    messages = {
        OfferingState.DRAFT: N_("This offering is not published yet."),
        OfferingState.PUBLISHED: N_("This offering is published already."),
        OfferingState.CLOSED: N_("This offering is closed and cannot be changed."),
        OfferingState.CANCELLED: N_("This offering was cancelled and cannot be changed."),
    }
    raise DomainError("offering_state", messages[OfferingState(offering.state)])


def _host(db: Session, organisation_id: int, scope: Scope) -> Organisation:
    try:
        host = fetch(db, Organisation, organisation_id, scope)
    except NotFound:
        host = None
    if host is None or not host.active:
        raise DomainError("host_out_of_reach", N_("Choose an organisation that you plan for."), field="organisation")
    return host


def _with_team(plan: OfferingPlan) -> Sequence[SessionPlan]:
    return [row if row.team is not None else replace(row, team=plan.team) for row in plan.sessions]


def _refuse_unpublishable(db: Session, offering: Offering, zone: ZoneInfo, *, future: bool) -> None:
    if not offering.sessions:
        raise DomainError("no_session", N_("Add at least one session first."))
    if future and all(meeting.starts_at <= clock.now() for meeting in offering.sessions):
        raise DomainError("no_future_session", N_("All sessions lie in the past. Set a coming date first."))
    if len(offering.sessions) < offering.course.sessions_needed:
        raise DomainError(
            "too_few_sessions",
            N_("Plan at least as many sessions as a trainee of “%(course)s” must attend: %(needed)s."),
            course=named(offering.course),
            needed=offering.course.sessions_needed,
        )
    for meeting in offering.sessions:
        lead = scheduling.team_at(meeting).lead_id
        if lead is None:
            raise DomainError(
                "no_lead",
                N_("The session %(time)s has no lead instructor. Name one first."),
                field="lead",
                time=scheduling.span(meeting.starts_at, meeting.ends_at, zone),
            )
        scheduling.refuse_unqualified(db, offering, lead, meeting.starts_at, zone)


def _whereabouts(offering: Offering) -> list[tuple[datetime, datetime, str]]:
    return [(row.starts_at, row.ends_at, row.place or offering.place) for row in offering.sessions]


def _facts(offering: Offering) -> dict[str, Any]:
    return {
        "course_id": offering.course_id,
        "organisation_id": offering.organisation_id,
        "place": offering.place,
        "capacity": offering.capacity,
        "by_invitation": offering.by_invitation,
        "sessions": [
            {
                "starts_at": row.starts_at.astimezone(UTC).isoformat(),
                "ends_at": row.ends_at.astimezone(UTC).isoformat(),
                "place": row.place,
                "instructors": list(scheduling.team_at(row).everybody()),
            }
            for row in offering.sessions
        ],
    }
