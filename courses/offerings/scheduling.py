"""When an offering's sessions are and who teaches at each.

Nobody is at two places at once: the database's exclusion constraint decides, and here it gets words. Planners of the
same instructor take turns (a row lock), because two of them checking at once would end in a deadlock, not in an answer.
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
from instructors import register
from instructors.models import Instructor
from lms.core import clock
from lms.core.constraints import refusal
from lms.core.errors import N_, DomainError, NotFound
from lms.core.languages import named

ONE_PLACE = "ex_session_instructor_one_place"


@dataclass(frozen=True)
class Team:
    """Who teaches at a session, by instructor id."""

    lead_id: int | None = None
    assistant_ids: tuple[int, ...] = ()
    examiner_id: int | None = None

    def everybody(self) -> tuple[int, ...]:
        """The lead, if there is one, the assistants, and the examiner, if there is one."""
        ends = tuple((person,) if person is not None else () for person in (self.lead_id, self.examiner_id))
        return ends[0] + self.assistant_ids + ends[1]

    def role_of(self, person: int) -> TeachingRole:
        """What one of them does."""
        if person == self.lead_id:
            return TeachingRole.LEAD
        return TeachingRole.EXAMINER if person == self.examiner_id else TeachingRole.ASSISTANT


@dataclass(frozen=True)
class SessionPlan:
    """One session as it is to be. Moments are aware. `place` None: the offering's. `session_id`: the session that it is already.

    `team` None: whoever teaches there now, and at a new session the team of the offering's first one.
    """

    starts_at: datetime
    ends_at: datetime
    place: str | None = None
    team: Team | None = None
    session_id: int | None = None


def team_at(meeting: CourseSession) -> Team:
    """Who teaches at a session now."""
    leads = [row.instructor_id for row in meeting.instructors if row.role == TeachingRole.LEAD]
    assistants = tuple(row.instructor_id for row in meeting.instructors if row.role == TeachingRole.ASSISTANT)
    examiners = [row.instructor_id for row in meeting.instructors if row.role == TeachingRole.EXAMINER]
    return Team(leads[0] if leads else None, assistants, examiners[0] if examiners else None)


def plan_of(meeting: CourseSession) -> SessionPlan:
    """A session as it is, as a plan."""
    return SessionPlan(meeting.starts_at, meeting.ends_at, meeting.place, None, meeting.id)


def arrange(db: Session, offering: Offering, plans: Sequence[SessionPlan], *, zone: ZoneInfo) -> None:
    """Make an offering's sessions what the plans say, and nothing else.

    Sets the offering's lead to that of its first session. Raises DomainError when a session is closed or was attended
    and would move or go, when a lead is not qualified on the session's day, and when somebody would be in two places.
    """
    plans = sorted(plans, key=lambda plan: (plan.starts_at, plan.ends_at))
    existing = {meeting.id: meeting for meeting in offering.sessions}
    if any(plan.session_id is not None and plan.session_id not in existing for plan in plans):
        raise NotFound
    kept = {plan.session_id for plan in plans}
    _refuse_touching_the_past(db, existing, plans)
    default = team_at(offering.sessions[0]) if offering.sessions else Team()
    teams = [_team_for(plan, existing, default) for plan in plans]
    _lock({person for team in teams for person in team.everybody()} | _teaching(existing.values()), db)
    _refuse_unfit_teams(db, offering, plans, teams, zone)

    # Everybody leaves before anything moves, so that two sessions may swap their times.
    for meeting in existing.values():
        for teacher in meeting.instructors:
            teacher.active = False
    db.flush()
    for session_id in existing.keys() - kept:
        db.delete(existing[session_id])
    meetings = [_meeting(db, offering, plan, existing) for plan in plans]
    db.flush()
    seated = [_vacate(db, team, meeting) for team, meeting in zip(teams, meetings, strict=True)]
    db.flush()
    try:
        with db.begin_nested():
            for plan, team, meeting, there in zip(plans, teams, meetings, seated, strict=True):
                _seat(db, plan, team, meeting, there)
            db.flush()
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != ONE_PLACE:
            found = refusal(error)
            raise (found or error) from error
        _refuse_clash(db, plans, teams, zone)
    offering.lead_instructor_id = teams[0].lead_id if teams else None
    db.flush()
    for meeting in meetings:
        db.expire(meeting)
    db.expire(offering, ["sessions", "lead_instructor"])


def refuse_unqualified(db: Session, offering: Offering, lead_id: int, starts_at: datetime, zone: ZoneInfo) -> None:
    """Raise unless the instructor may lead the offering's programme on the day of a session."""
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
    return team_at(existing[plan.session_id]) if plan.session_id is not None else default


def _teaching(meetings: Iterable[CourseSession]) -> set[int]:
    return {teacher.instructor_id for meeting in meetings for teacher in meeting.instructors}


def _lock(instructor_ids: set[int], db: Session) -> None:
    # In order of id: two planners of the same two people must not wait for each other.
    db.execute(
        select(Instructor.id)
        .where(Instructor.id.in_(instructor_ids))
        .order_by(Instructor.id)
        .with_for_update(key_share=True)
    ).all()


def _refuse_touching_the_past(db: Session, existing: dict[int, CourseSession], plans: Sequence[SessionPlan]) -> None:
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
        ):
            raise DomainError(
                "session_attended", N_("People have checked in at a session that you removed. It has to stay.")
            )


def _refuse_unfit_teams(
    db: Session, offering: Offering, plans: Sequence[SessionPlan], teams: Sequence[Team], zone: ZoneInfo
) -> None:
    checked = set()
    for plan, team in zip(plans, teams, strict=True):
        if len(set(team.everybody())) < len(team.everybody()):
            raise DomainError(
                "instructor_twice",
                N_("The same instructor is named twice. Nobody has two roles at one session."),
                field="assistants",
            )
        key = (team.lead_id, clock.day_of(plan.starts_at, zone))
        if team.lead_id is not None and key not in checked:
            checked.add(key)
            refuse_unqualified(db, offering, team.lead_id, plan.starts_at, zone)


def _meeting(db: Session, offering: Offering, plan: SessionPlan, existing: dict[int, CourseSession]) -> CourseSession:
    if plan.session_id is None:
        meeting = CourseSession(offering_id=offering.id, headcount=0)
        db.add(meeting)
    else:
        meeting = existing[plan.session_id]
    meeting.starts_at, meeting.ends_at, meeting.place = plan.starts_at, plan.ends_at, plan.place
    return meeting


def _vacate(db: Session, team: Team, meeting: CourseSession) -> dict[int, SessionInstructor]:
    """Let those go who do not teach here any more; return those who stay. The old lead steps down first: there is but one."""
    staying = {}
    for teacher in meeting.instructors:
        if teacher.instructor_id not in team.everybody():
            db.delete(teacher)
            continue
        if teacher.instructor_id != team.lead_id:
            teacher.role = TeachingRole.ASSISTANT
        staying[teacher.instructor_id] = teacher
    return staying


def _seat(
    db: Session, plan: SessionPlan, team: Team, meeting: CourseSession, there: dict[int, SessionInstructor]
) -> None:
    for person in team.everybody():
        role = team.role_of(person)
        if person in there:
            there[person].role, there[person].active = role, True
            continue
        db.add(
            SessionInstructor(
                course_session_id=meeting.id,
                instructor_id=person,
                role=role,
                during=Range(plan.starts_at, plan.ends_at, bounds="[)"),
                active=True,
            )
        )


def _names(db: Session, instructor_ids: Iterable[int]) -> dict[int, str]:
    rows = db.execute(select(Instructor.id, Instructor.name).where(Instructor.id.in_(set(instructor_ids))))
    return {row.id: row.name for row in rows}


def _refuse_clash(db: Session, plans: Sequence[SessionPlan], teams: Sequence[Team], zone: ZoneInfo) -> NoReturn:
    wanted = [
        (person, Range(plan.starts_at, plan.ends_at, bounds="[)"))
        for plan, team in zip(plans, teams, strict=True)
        for person in team.everybody()
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
                    (SessionInstructor.instructor_id == person) & SessionInstructor.during.overlaps(during)
                    for person, during in wanted
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
            time=span(meeting.starts_at, meeting.ends_at, zone),
        )
    person, first, second = _clash_within(wanted)
    raise DomainError(
        "instructor_busy",
        N_(
            "%(name)s would teach two sessions of this offering at once: %(first)s and %(second)s. "
            "Change a time, or give one of them another instructor."
        ),
        name=_names(db, [person])[person],
        first=span(first.lower, first.upper, zone),
        second=span(second.lower, second.upper, zone),
    )


def _clash_within(wanted: Sequence[tuple[int, Range[datetime]]]) -> tuple[int, Range[datetime], Range[datetime]]:
    return next(
        (person, first, second)
        for index, (person, first) in enumerate(wanted)
        for other, second in wanted[index + 1 :]
        if other == person and first.overlaps(second)
    )


def span(starts_at: datetime | None, ends_at: datetime | None, zone: ZoneInfo) -> str:
    """A time in figures, the same in every language: 2026-05-02 09:00–17:00."""
    if starts_at is None or ends_at is None:
        return ""
    start, end = starts_at.astimezone(zone), ends_at.astimezone(zone)
    last = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M}–{last}"
