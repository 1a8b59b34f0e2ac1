"""Assigning one instructor to the sessions of several offerings: what would happen to each, and then row by row."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from courses.models.offerings import CourseSession, Offering, TeachingRole
from courses.offerings import offerings, scheduling
from courses.offerings.scheduling import SessionPlan, Team
from lms.core import clock
from lms.core.errors import N_, DomainError
from lms.core.scope import Scope, visible

MAX_OFFERINGS = 100


@dataclass(frozen=True)
class AssignRow:
    """An offering that was chosen. sessions: those that get the instructor. refusal: why it stays as it is; else None."""

    offering: Offering
    sessions: int
    refusal: DomainError | None


def preview(  # the parts of an order
    db: Session,
    offering_ids: Sequence[int],
    instructor_id: int,
    role: TeachingRole,
    *,
    scope: Scope,
    zone: ZoneInfo,
) -> list[AssignRow]:
    """Return what would become of each offering, exactly: everything is done within a savepoint and taken back.

    So a clash between two of the chosen offerings is found, too. Raises DomainError `no_offering_chosen`.
    """
    savepoint = db.begin_nested()
    try:
        rows = assign(db, offering_ids, instructor_id, role, scope=scope, zone=zone)
    finally:
        savepoint.rollback()
        db.expire_all()
    return rows


def assign(
    db: Session,
    offering_ids: Sequence[int],
    instructor_id: int,
    role: TeachingRole,
    *,
    scope: Scope,
    zone: ZoneInfo,
) -> list[AssignRow]:
    """Give the instructor a role at every session to come of each offering, each offering within a savepoint.

    A lead takes the place of the former one; an assistant comes in addition. Offerings out of the scope are left out.
    Raises DomainError `no_offering_chosen`.
    """
    statement = (
        visible(select(Offering), Offering, scope)
        .where(Offering.id.in_(offering_ids[:MAX_OFFERINGS]))
        .options(selectinload(Offering.sessions).selectinload(CourseSession.instructors))
        .order_by(Offering.id)
    )
    chosen = db.scalars(statement).all()
    if not chosen:
        raise DomainError("no_offering_chosen", N_("Choose at least one offering of the list."), status=422)
    return [_assign(db, offering, instructor_id, role, scope=scope, zone=zone) for offering in chosen]


def _assign(  # the parts of an order
    db: Session, offering: Offering, instructor_id: int, role: TeachingRole, *, scope: Scope, zone: ZoneInfo
) -> AssignRow:
    now = clock.now()
    plans: list[SessionPlan] = []
    changed = 0
    for meeting in offering.sessions:
        plan = scheduling.current_plan(meeting)
        team = scheduling.current_team(meeting)
        if meeting.starts_at > now and meeting.closed_at is None:
            new_team = _with(team, instructor_id, role)
            changed += new_team != team
            plan = replace(plan, team=new_team)
        plans.append(plan)
    if not changed:
        return AssignRow(offering, 0, DomainError("nothing_to_assign", N_("No session to come needs this change.")))
    try:
        with db.begin_nested():
            order = replace(offerings.current_plan(offering), sessions=tuple(plans))
            offerings.change(db, offering, order, scope=scope, zone=zone)
    except DomainError as refusal:
        return AssignRow(offering, 0, refusal)
    return AssignRow(offering, changed, None)


def _with(team: Team, instructor_id: int, role: TeachingRole) -> Team:
    """The team with the instructor in a role, who has no other role in it then."""
    assistants = tuple(each for each in team.assistant_ids if each != instructor_id)
    lead = None if team.lead_id == instructor_id else team.lead_id
    examiner = None if team.examiner_id == instructor_id else team.examiner_id
    if role is TeachingRole.LEAD:
        return Team(instructor_id, assistants, examiner)
    if team.lead_id == instructor_id:
        return team  # a lead is not made an assistant, which would leave the session without a lead
    return Team(lead, (*assistants, instructor_id), examiner)
