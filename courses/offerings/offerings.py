"""Offerings: scheduling, changing, publishing and cancelling them.

The state goes draft → published → closed or cancelled. Back goes one way alone: a published offering without people is
withdrawn and is a draft again (`courses.offerings.withdrawal`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, selectinload

from courses.enrolment import place_counts, places
from courses.models.attendance import Attendance
from courses.models.catalogue import Course
from courses.models.offerings import CourseSession, Offering, OfferingState, SessionInstructor, TeachingRole
from courses.offerings import class_hours, notices, scheduling
from courses.offerings.class_hours import HoursDecision
from courses.offerings.public_facts import PublicFacts
from courses.offerings.scheduling import SessionPlan, Team
from lms.core import audit, clock, reasons
from lms.core.errors import N_, DomainError, NotFound
from lms.core.scope import Scope, fetch
from lms.organisations.models import Organisation

# An offering in one of these states can be changed and cancelled.
OPEN_STATES = (OfferingState.DRAFT, OfferingState.PUBLISHED)


@dataclass(frozen=True)
class OfferingPlan:
    """An offering as a planner wants it.

    `capacity` is None for the capacity of the course. `team` is the team of every session that has none of its own in
    its plan; with None such a session keeps the team that it has. `public_facts` is None to leave them as they are.
    """

    course_id: int
    organisation_id: int
    place: str
    sessions: tuple[SessionPlan, ...]
    capacity: int | None = None
    by_invitation: bool = False
    team: Team | None = None
    public_facts: PublicFacts | None = None


def schedule(db: Session, plan: OfferingPlan, *, scope: Scope, zone: ZoneInfo) -> Offering:
    """Create an offering as a draft.

    Raises DomainError when the course is inactive (`course_not_offered`), when the scope does not cover the host
    (`host_out_of_reach`), or as `scheduling.arrange` does.
    """
    course = db.get(Course, plan.course_id)
    if course is None or not course.active:
        raise DomainError("course_not_offered", N_("This course is no longer offered."), field="course_id")
    host = _get_host(db, plan.organisation_id, scope)
    offering = Offering(
        course_id=course.id,
        organisation_id=host.id,
        district_id=host.district_id,
        place=plan.place,
        capacity=plan.capacity or course.capacity,
        by_invitation=plan.by_invitation,
        state=OfferingState.DRAFT,
    )
    if plan.public_facts is not None:
        plan.public_facts.set_on(offering)
    db.add(offering)
    db.flush()
    scheduling.arrange(db, offering, _session_plans(plan), zone=zone)
    facts = {name: value for name, value in _audit_facts(offering).items() if value is not None}
    audit.record(db, "offering.schedule", offering, after=facts)
    return offering


def change(db: Session, offering: Offering, plan: OfferingPlan, *, scope: Scope, zone: ZoneInfo) -> None:
    """Change a draft or a published offering.

    The trainees of a published offering are told of a new time or place by mail, and added places go to its waiting
    list. Raises DomainError as `schedule` does, `offering_state`, `course_fixed` and `capacity_below_enrolled`.
    """
    _lock(db, offering)
    _require_state(offering, *OPEN_STATES)
    before, announced = _audit_facts(offering), _times_and_places(offering)
    if plan.course_id != offering.course_id and offering.state == OfferingState.PUBLISHED:
        raise DomainError(
            "course_fixed",
            N_(
                "The course of a published offering cannot be changed, because people have enrolled in "
                "it. Cancel the offering and schedule another."
            ),
            field="course_id",
        )
    course = db.get(Course, plan.course_id)
    if course is None or not (course.active or course.id == offering.course_id):
        raise DomainError("course_not_offered", N_("This course is no longer offered."), field="course_id")
    if plan.organisation_id != offering.organisation_id:
        host = _get_host(db, plan.organisation_id, scope)
        offering.organisation_id, offering.district_id = host.id, host.district_id
    capacity = plan.capacity or course.capacity
    enrolled = place_counts.count_places(db, offering).taken
    if capacity < enrolled:
        raise DomainError(
            "capacity_below_enrolled",
            N_("The number of places cannot be lower than the number already taken: %(enrolled)s."),
            field="capacity",
            enrolled=enrolled,
        )
    offering.course_id, offering.place, offering.capacity = plan.course_id, plan.place, capacity
    offering.by_invitation = plan.by_invitation
    if plan.public_facts is not None:
        plan.public_facts.set_on(offering)
    db.flush()
    db.expire(offering, ["course", "organisation", "district"])
    scheduling.arrange(db, offering, _session_plans(plan), zone=zone)
    if offering.state == OfferingState.PUBLISHED:
        _refuse_unpublishable(db, offering, zone, future=False)
        if _times_and_places(offering) != announced:
            notices.send_changed_times(db, offering, zone)
        places.promote(db, offering.id)
    audit.record_change(db, "offering.change", offering, before, _audit_facts(offering))


def change_session(db: Session, offering: Offering, plan: SessionPlan, *, scope: Scope, zone: ZoneInfo) -> None:
    """Change the time, place or team of one session (`plan.session_id`), and leave the other sessions as they are.

    Raises NotFound where the offering has no such session, and DomainError as `change` does.
    """
    plans = tuple(
        plan if meeting.id == plan.session_id else scheduling.current_plan(meeting) for meeting in offering.sessions
    )
    if plan not in plans:
        raise NotFound
    change(db, offering, replace(current_plan(offering), sessions=plans), scope=scope, zone=zone)


def current_plan(offering: Offering) -> OfferingPlan:
    """The plan that describes an offering as it is."""
    return OfferingPlan(
        course_id=offering.course_id,
        organisation_id=offering.organisation_id,
        place=offering.place,
        capacity=offering.capacity,
        by_invitation=offering.by_invitation,
        sessions=tuple(scheduling.current_plan(meeting) for meeting in offering.sessions),
    )


def publish(db: Session, offering: Offering, *, zone: ZoneInfo, hours: HoursDecision | None = None) -> None:
    """Open a draft for enrolment. `hours` is needed where `class_hours.needs_decision` says so.

    Raises DomainError with the first requirement that is not met.
    """
    _lock(db, offering)
    _require_state(offering, OfferingState.DRAFT)
    _refuse_unpublishable(db, offering, zone, future=True)
    decided = class_hours.decide(offering, hours)
    offering.state, offering.published_at = OfferingState.PUBLISHED, clock.now()
    audit.record(db, "offering.publish", offering, before={"state": "draft"}, after={"state": "published"} | decided)


def cancel(db: Session, offering: Offering, reason: str, *, zone: ZoneInfo) -> notices.Recipients:
    """Cancel an offering for a reason, which its trainees get by mail.

    Its instructors can teach elsewhere at its times.

    Returns the recipients: trainees without a mail address have to be called. The enrolments stay as they are, as the
    record of who was notified; the state of the offering tells that it did not take place. Raises DomainError
    `reason_missing`, `offering_state` or `offering_attended`.
    """
    reason = reasons.required(
        reason, N_("Enter a reason. Enrolled trainees will see it in the e-mail."), one_line=False
    )
    _lock(db, offering)
    _require_state(offering, *OPEN_STATES)
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
    recipients = notices.find_recipients(db, offering)
    notices.send_cancellation(db, offering, reason, zone)
    audit.record(
        db, "offering.cancel", offering, before={"state": str(before)}, after={"state": "cancelled"}, reason=reason
    )
    return recipients


def get_with_details(db: Session, offering_id: int, scope: Scope) -> Offering:
    """An offering in the scope with its course, host, sessions and instructors, in a fixed number of statements.

    Raises NotFound.
    """
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


def is_in_scope(db: Session, offering_id: int, scope: Scope) -> bool:
    """Tell whether the scope covers an offering, for showing or hiding a button."""
    return bool(db.scalar(select(exists().where(Offering.id == offering_id, Offering.visible_to(scope)))))


class CautionKind(StrEnum):
    """The kind of a caution about an offering.

    ratio_enrolled and ratio_capacity: too few instructors for the trainees enrolled, or for the capacity. hours: fewer
    hours planned than the course has. overdue: the sessions are over and the offering is not closed.
    """

    RATIO_ENROLLED = "ratio_enrolled"
    RATIO_CAPACITY = "ratio_capacity"
    HOURS = "hours"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class Caution:
    """A caution that planners may ignore, with the figures that its text contains."""

    kind: CautionKind
    figures: dict[str, Any]


def find_cautions(offering: Offering, enrolled: int) -> list[Caution]:
    """The cautions about a draft or a published offering with a number of enrolled trainees."""
    if offering.state not in OPEN_STATES:
        return []
    course = offering.course
    cautions = []
    if course.trainee_ratio and offering.sessions:
        fewest = min(
            sum(row.role != TeachingRole.EXAMINER for row in meeting.instructors) for meeting in offering.sessions
        )
        allowed = fewest * course.trainee_ratio
        figures = {"instructors": fewest, "ratio": course.trainee_ratio}
        if fewest and enrolled > allowed:
            cautions.append(Caution(CautionKind.RATIO_ENROLLED, figures | {"trainees": enrolled}))
        elif fewest and offering.capacity > allowed:
            cautions.append(Caution(CautionKind.RATIO_CAPACITY, figures | {"trainees": offering.capacity}))
    if class_hours.is_below_course(offering):
        minutes = class_hours.planned_total(offering)
        cautions.append(Caution(CautionKind.HOURS, {"minutes": minutes, "hours": f"{course.hours.normalize():f}"}))
    if offering.state == OfferingState.PUBLISHED and all(row.ends_at < clock.now() for row in offering.sessions):
        cautions.append(Caution(CautionKind.OVERDUE, {}))
    return cautions


def _lock(db: Session, offering: Offering) -> None:
    # Enrolling locks the same row, so places and states cannot change between the checks and the change.
    db.flush()
    db.refresh(offering, with_for_update={"of": Offering})


def _require_state(offering: Offering, *states: OfferingState) -> None:
    if offering.state in states:
        return
    messages = {
        OfferingState.DRAFT: N_("This offering is not published yet."),
        OfferingState.PUBLISHED: N_("This offering is already published."),
        OfferingState.CLOSED: N_("This offering is closed and cannot be changed."),
        OfferingState.CANCELLED: N_("This offering was cancelled and cannot be changed."),
    }
    raise DomainError("offering_state", messages[OfferingState(offering.state)])


def _get_host(db: Session, organisation_id: int, scope: Scope) -> Organisation:
    try:
        host = fetch(db, Organisation, organisation_id, scope)
    except NotFound:
        host = None
    if host is None or not host.active:
        raise DomainError("host_out_of_reach", N_("Choose an organisation that you plan for."), field="organisation")
    return host


def _session_plans(plan: OfferingPlan) -> Sequence[SessionPlan]:
    """The plans of the sessions, with the team of the offering's plan in those that have no team of their own."""
    return [
        session_plan if session_plan.team is not None else replace(session_plan, team=plan.team)
        for session_plan in plan.sessions
    ]


def _refuse_unpublishable(db: Session, offering: Offering, zone: ZoneInfo, *, future: bool) -> None:
    if not offering.sessions:
        raise DomainError("no_session", N_("Add at least one session first."))
    if future and all(meeting.starts_at <= clock.now() for meeting in offering.sessions):
        last_end = max(meeting.ends_at for meeting in offering.sessions)
        if last_end <= clock.now():
            raise DomainError("no_future_session", N_("All sessions are in the past. Set a future date first."))
        raise DomainError(
            "session_running",
            N_(
                "The last session has begun and runs until %(ends)s, so nobody could enrol any more. Set a later start,"
                " or add a session."
            ),
            ends=last_end,
        )
    for meeting in offering.sessions:
        lead_id = scheduling.current_team(meeting).lead_id
        if lead_id is None:
            raise DomainError(
                "no_lead",
                N_("The session %(time)s has no lead instructor. Choose one first."),
                field="lead",
                time=scheduling.format_period(meeting.starts_at, meeting.ends_at, zone),
            )
        scheduling.refuse_unqualified(db, offering, lead_id, meeting.starts_at, zone)


def _times_and_places(offering: Offering) -> list[tuple[datetime, datetime, str]]:
    return [(meeting.starts_at, meeting.ends_at, meeting.place or offering.place) for meeting in offering.sessions]


def _audit_facts(offering: Offering) -> dict[str, Any]:
    return {
        "course_id": offering.course_id,
        "organisation_id": offering.organisation_id,
        "place": offering.place,
        "capacity": offering.capacity,
        "by_invitation": offering.by_invitation,
        "sessions": [
            {
                "starts_at": meeting.starts_at.astimezone(UTC).isoformat(),
                "ends_at": meeting.ends_at.astimezone(UTC).isoformat(),
                "place": meeting.place,
                "instructors": list(scheduling.current_team(meeting).instructor_ids()),
            }
            for meeting in offering.sessions
        ],
    } | PublicFacts.of(offering).for_audit()
