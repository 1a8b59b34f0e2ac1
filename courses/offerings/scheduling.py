"""Scheduling: the times of an offering's sessions, and the team of instructors at each.

The database's exclusion constraint ensures that an instructor is never at two places at once; this module turns its
refusal into a message that names the clash. Planners of the same instructor are serialised by a row lock, because two
concurrent plans would otherwise end in a deadlock instead of a message.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn
from zoneinfo import ZoneInfo

from sqlalchemy import exists, or_, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, contains_eager

from courses.models.attendance import AttendanceEvent
from courses.models.offerings import CourseSession, Offering, SessionInstructor, TeachingRole
from courses.models.session_events import SessionEvent
from instructors import register
from instructors.models import Instructor
from lms.core import clock
from lms.core.constraints import refusal_of
from lms.core.errors import N_, DomainError, NotFound
from lms.core.languages import named

ONE_PLACE_CONSTRAINT = "ex_session_instructor_one_place"


@dataclass(frozen=True)
class Team:
    """The instructors of a session, by id."""

    lead_id: int | None = None
    assistant_ids: tuple[int, ...] = ()
    examiner_id: int | None = None

    def instructor_ids(self) -> tuple[int, ...]:
        """The lead, if there is one, the assistants, and the examiner, if there is one."""
        everybody = (self.lead_id, *self.assistant_ids, self.examiner_id)
        return tuple(instructor_id for instructor_id in everybody if instructor_id is not None)

    def role_of(self, instructor_id: int) -> TeachingRole:
        """The role of an instructor of the team."""
        if instructor_id == self.lead_id:
            return TeachingRole.LEAD
        return TeachingRole.EXAMINER if instructor_id == self.examiner_id else TeachingRole.ASSISTANT


@dataclass(frozen=True)
class SessionPlan:
    """A session as a planner wants it. The moments are aware.

    `place` is None for the offering's place. `session_id` is the id of the session to change, or None for a new
    session. With `team` None an existing session keeps its team, and a new session gets the team of the offering's
    first session.
    """

    starts_at: datetime
    ends_at: datetime
    place: str | None = None
    team: Team | None = None
    session_id: int | None = None


def current_team(meeting: CourseSession) -> Team:
    """The team of a session as it is."""

    def ids(role: TeachingRole) -> tuple[int, ...]:
        return tuple(teacher.instructor_id for teacher in meeting.instructors if teacher.role == role)

    leads, examiners = ids(TeachingRole.LEAD), ids(TeachingRole.EXAMINER)
    return Team(leads[0] if leads else None, ids(TeachingRole.ASSISTANT), examiners[0] if examiners else None)


def current_plan(meeting: CourseSession) -> SessionPlan:
    """The plan that describes a session as it is."""
    return SessionPlan(meeting.starts_at, meeting.ends_at, meeting.place, None, meeting.id)


def arrange(db: Session, offering: Offering, plans: Sequence[SessionPlan], *, zone: ZoneInfo) -> None:
    """Make the sessions of an offering equal to the plans: add, change and remove sessions and their instructors.

    The lead of the first session becomes the lead of the offering. Raises NotFound for a plan of another offering's
    session. Raises DomainError when a closed session would move or go (`session_closed`), when an attended session
    would go (`session_attended`), when an instructor is named twice (`instructor_twice`), when a lead is not qualified
    on the day of a session (`lead_not_qualified`), and when an instructor would be at two places at once
    (`instructor_busy`).
    """
    plans = sorted(plans, key=lambda plan: (plan.starts_at, plan.ends_at))
    existing = {meeting.id: meeting for meeting in offering.sessions}
    if any(plan.session_id is not None and plan.session_id not in existing for plan in plans):
        raise NotFound
    planned_ids = {plan.session_id for plan in plans}
    _refuse_changes_to_the_past(db, existing, plans)
    default = current_team(offering.sessions[0]) if offering.sessions else Team()
    teams = [_team_for(plan, existing, default) for plan in plans]
    _lock_instructors(
        db,
        {instructor_id for team in teams for instructor_id in team.instructor_ids()}
        | {teacher.instructor_id for meeting in existing.values() for teacher in meeting.instructors},
    )
    _refuse_invalid_teams(db, offering, plans, teams, zone)

    # Inactive rows are outside the exclusion constraint. All are inactive while sessions move, so that two sessions may
    # swap their times.
    for meeting in existing.values():
        for teacher in meeting.instructors:
            teacher.active = False
    db.flush()
    for session_id in existing.keys() - planned_ids:
        db.delete(existing[session_id])
    meetings = [_save_session(db, offering, plan, existing) for plan in plans]
    db.flush()
    remaining = [_remove_former_teachers(db, team, meeting) for team, meeting in zip(teams, meetings, strict=True)]
    db.flush()
    try:
        with db.begin_nested():
            for plan, team, meeting, teachers in zip(plans, teams, meetings, remaining, strict=True):
                _assign_team(db, plan, team, meeting, teachers)
            db.flush()
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != ONE_PLACE_CONSTRAINT:
            raise (refusal_of(error) or error) from error
        _refuse_clash(db, plans, teams, zone)
    offering.lead_instructor_id = teams[0].lead_id if teams else None
    db.flush()
    for meeting in meetings:
        db.expire(meeting)
    db.expire(offering, ["sessions", "lead_instructor"])


def refuse_unqualified(db: Session, offering: Offering, lead_id: int, starts_at: datetime, zone: ZoneInfo) -> None:
    """Raise DomainError `lead_not_qualified` unless the instructor may lead the offering's programme on a session's
    day.
    """
    day = clock.day_of(starts_at, zone)
    if not register.may_lead(db, lead_id, offering.course.programme_code, day):
        raise DomainError(
            "lead_not_qualified",
            N_(
                "%(name)s is not qualified for %(programme)s on %(day)s and cannot lead. Choose another lead instructor."
            ),
            field="lead",
            name=_names(db, [lead_id])[lead_id],
            programme=named(offering.course.programme),
            day=day.isoformat(),
        )


def _team_for(plan: SessionPlan, existing: dict[int, CourseSession], default: Team) -> Team:
    if plan.team is not None:
        return plan.team
    return current_team(existing[plan.session_id]) if plan.session_id is not None else default


def _lock_instructors(db: Session, instructor_ids: set[int]) -> None:
    # The rows are locked in the order of their ids, so that two planners of the same two instructors cannot deadlock.
    db.execute(
        select(Instructor.id)
        .where(Instructor.id.in_(instructor_ids))
        .order_by(Instructor.id)
        .with_for_update(key_share=True)
    ).all()


def _refuse_changes_to_the_past(db: Session, existing: dict[int, CourseSession], plans: Sequence[SessionPlan]) -> None:
    by_id = {plan.session_id: plan for plan in plans}
    for meeting in existing.values():
        plan = by_id.get(meeting.id)
        moved = plan is None or (plan.starts_at, plan.ends_at) != (meeting.starts_at, meeting.ends_at)
        if moved and meeting.closed_at is not None:
            raise DomainError("session_closed", N_("A closed session can be neither rescheduled nor removed."))
        if plan is None and (
            meeting.headcount
            or any(teacher.arrived_at for teacher in meeting.instructors)
            or db.scalar(select(exists().where(AttendanceEvent.course_session_id == meeting.id)))
            or db.scalar(select(exists().where(SessionEvent.course_session_id == meeting.id)))
        ):
            raise DomainError(
                "session_attended",
                N_("People have already checked in at a session that you removed. It cannot be removed."),
            )


def _refuse_invalid_teams(
    db: Session, offering: Offering, plans: Sequence[SessionPlan], teams: Sequence[Team], zone: ZoneInfo
) -> None:
    checked = set()
    for plan, team in zip(plans, teams, strict=True):
        if len(set(team.instructor_ids())) < len(team.instructor_ids()):
            raise DomainError(
                "instructor_twice",
                N_("The same instructor is named twice. Each person can have only one role at a session."),
                field="assistants",
            )
        key = (team.lead_id, clock.day_of(plan.starts_at, zone))
        if team.lead_id is not None and key not in checked:
            checked.add(key)
            refuse_unqualified(db, offering, team.lead_id, plan.starts_at, zone)


def _save_session(
    db: Session, offering: Offering, plan: SessionPlan, existing: dict[int, CourseSession]
) -> CourseSession:
    if plan.session_id is None:
        meeting = CourseSession(offering_id=offering.id, headcount=0)
        db.add(meeting)
    else:
        meeting = existing[plan.session_id]
    meeting.starts_at, meeting.ends_at, meeting.place = plan.starts_at, plan.ends_at, plan.place
    return meeting


def _remove_former_teachers(db: Session, team: Team, meeting: CourseSession) -> dict[int, SessionInstructor]:
    """Delete the instructors who are not in the team, and return the remaining ones by instructor id.

    A former lead who remains becomes an assistant at once, because a unique index allows one lead for each session.
    """
    remaining = {}
    for teacher in meeting.instructors:
        if teacher.instructor_id not in team.instructor_ids():
            db.delete(teacher)
            continue
        if teacher.instructor_id != team.lead_id:
            teacher.role = TeachingRole.ASSISTANT
        remaining[teacher.instructor_id] = teacher
    return remaining


def _assign_team(
    db: Session, plan: SessionPlan, team: Team, meeting: CourseSession, teachers: dict[int, SessionInstructor]
) -> None:
    """Give each instructor of the team the planned role. `teachers` are those whom the session has already."""
    for instructor_id in team.instructor_ids():
        role = team.role_of(instructor_id)
        if instructor_id in teachers:
            teachers[instructor_id].role, teachers[instructor_id].active = role, True
            continue
        db.add(
            SessionInstructor(
                course_session_id=meeting.id,
                instructor_id=instructor_id,
                role=role,
                during=Range(plan.starts_at, plan.ends_at, bounds="[)"),
                active=True,
            )
        )


def _names(db: Session, instructor_ids: Iterable[int]) -> dict[int, str]:
    rows = db.execute(select(Instructor.id, Instructor.name).where(Instructor.id.in_(set(instructor_ids))))
    return {row.id: row.name for row in rows}


def _refuse_clash(db: Session, plans: Sequence[SessionPlan], teams: Sequence[Team], zone: ZoneInfo) -> NoReturn:
    assignments = [
        (instructor_id, Range(plan.starts_at, plan.ends_at, bounds="[)"))
        for plan, team in zip(plans, teams, strict=True)
        for instructor_id in team.instructor_ids()
    ]
    elsewhere = db.scalars(
        select(SessionInstructor)
        .join(SessionInstructor.course_session)
        .join(CourseSession.offering)
        .join(SessionInstructor.instructor)
        .join(Offering.course)
        .options(
            contains_eager(SessionInstructor.instructor),
            contains_eager(SessionInstructor.course_session)
            .contains_eager(CourseSession.offering)
            .contains_eager(Offering.course),
        )
        .where(
            SessionInstructor.active,
            or_(
                *(
                    (SessionInstructor.instructor_id == instructor_id) & SessionInstructor.during.overlaps(during)
                    for instructor_id, during in assignments
                )
            ),
        )
        .order_by(CourseSession.starts_at)
        .limit(1)
    ).first()
    if elsewhere is not None:
        meeting = elsewhere.course_session
        raise DomainError(
            "instructor_busy",
            N_(
                "%(name)s already teaches “%(course)s” at %(place)s, %(time)s. "
                "Choose another instructor or another time."
            ),
            name=elsewhere.instructor.name,
            course=named(meeting.offering.course),
            place=meeting.place or meeting.offering.place,
            time=format_period(meeting.starts_at, meeting.ends_at, zone),
        )
    instructor_id, first, second = _find_clash(assignments)
    raise DomainError(
        "instructor_busy",
        N_(
            "%(name)s would teach two sessions of this offering at the same time: %(first)s and %(second)s. Change "
            "a time, or choose another instructor for one of them."
        ),
        name=_names(db, [instructor_id])[instructor_id],
        first=format_period(first.lower, first.upper, zone),
        second=format_period(second.lower, second.upper, zone),
    )


def _find_clash(assignments: Sequence[tuple[int, Range[datetime]]]) -> tuple[int, Range[datetime], Range[datetime]]:
    """An instructor and two overlapping times for which the instructor is assigned."""
    return next(
        (instructor_id, first, second)
        for index, (instructor_id, first) in enumerate(assignments)
        for other_id, second in assignments[index + 1 :]
        if other_id == instructor_id and first.overlaps(second)
    )


def format_period(starts_at: datetime | None, ends_at: datetime | None, zone: ZoneInfo) -> str:
    """A period in figures, the same in every language: "2026-05-02 09:00–17:00". Empty where a moment is None."""
    if starts_at is None or ends_at is None:
        return ""
    start, end = starts_at.astimezone(zone), ends_at.astimezone(zone)
    end_text = f"{end:%H:%M}" if clock.day_of(start, zone) == clock.day_of(end, zone) else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M}–{end_text}"
