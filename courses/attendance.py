"""The one door of check-in: whatever tapped, scanned or corrected, `record` writes it. Nothing else writes attendances.

An event's id is made where it happened, so that sending it again is harmless. Events are kept for ever; the attendance
is what they add up to, and exists while the person counts as present.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NoReturn
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Select, case, delete, func, literal, null, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courses.models.attendance import Attendance, AttendanceEvent, AttendanceKind, AttendanceMethod
from courses.models.enrolment import HOLDS_PLACE, Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from lms.accounts.models import User
from lms.core import audit
from lms.core.errors import N_, DomainError, NotFound

OPENS_BEFORE = timedelta(minutes=60)
CLOCK_AHEAD = timedelta(minutes=5)
REASON_LIMIT = 200


@dataclass(frozen=True)
class AttendanceInput:
    """One thing that happened to one trainee at one session. `id` is made once, by the device, and sent with each retry.

    happened_at: the device's time, trusted between the opening of check-in and five minutes ahead of ours; otherwise ours.
    reason: needed to undo and to correct. The method `correction` is the only one that a closed session takes.
    """

    id: UUID
    session_id: int
    enrolment_id: int
    kind: AttendanceKind
    method: AttendanceMethod
    happened_at: datetime | None = None
    reason: str | None = None


class Outcome(StrEnum):
    """recorded: the event made the difference. already: it was so before."""

    RECORDED = "recorded"
    ALREADY = "already"


@dataclass(frozen=True)
class Recorded:
    """The door's answer. `by`: who had checked the trainee in, when it was so already."""

    outcome: Outcome
    enrolment_id: int
    present: bool
    arrived_at: datetime | None = None
    left_at: datetime | None = None
    by: str | None = None


def record(db: Session, event: AttendanceInput, *, now: datetime) -> Recorded:
    """Record one event, once.

    The same id again answers as before and changes nothing; with another body it is refused (`event_conflict`). Refused
    too: before check-in opens, a session that is closed (unless corrected), an offering that is not running, a trainee
    without a place. Raises DomainError.
    """
    event = _with_reason(event)
    row = db.execute(_statement(event, now, audit.actor(db))).one_or_none()
    if row is None:
        return _known_or_refused(db, event, now)
    if row.event_id is None:
        return _as_it_was(db, event)
    _note(db, event, row)
    present = event.kind != AttendanceKind.UNDO
    return Recorded(
        Outcome.RECORDED,
        event.enrolment_id,
        present,
        row.arrived_at if present else None,
        row.left_at if present else None,
    )


def opens_at(meeting: CourseSession) -> datetime:
    """When check-in opens."""
    return meeting.starts_at - OPENS_BEFORE


def _with_reason(event: AttendanceInput) -> AttendanceInput:
    reason = " ".join((event.reason or "").split())[:REASON_LIMIT] or None
    if reason is None and (event.kind == AttendanceKind.UNDO or event.method == AttendanceMethod.CORRECTION):
        raise DomainError("reason_missing", N_("Say why, so that others understand it later."), field="reason")
    return AttendanceInput(
        event.id, event.session_id, event.enrolment_id, event.kind, event.method, event.happened_at, reason
    )


def _conditions(event: AttendanceInput, now: datetime) -> list[ColumnElement[bool]]:
    """When the door is open, in SQL; `_known_or_refused` says in words which of them failed."""
    found = [
        CourseSession.id == event.session_id,
        Enrolment.id == event.enrolment_id,
        CourseSession.starts_at <= now + OPENS_BEFORE,
    ]
    if event.method == AttendanceMethod.CORRECTION:
        running = (OfferingState.PUBLISHED, OfferingState.CLOSED)
        return [*found, Offering.state.in_(running), Enrolment.state.in_(HOLDS_PLACE)]
    return [
        *found,
        CourseSession.closed_at.is_(None),
        Offering.state == OfferingState.PUBLISHED,
        Enrolment.state == EnrolmentState.ENROLLED,
    ]


def _statement(event: AttendanceInput, now: datetime, user_id: int | None) -> Select[Any]:
    """One statement: look whether the door is open, keep the event, let it change the attendance.

    The rows that decide are held until the commit, so that nobody closes the session or cancels the enrolment meanwhile.
    """
    told = event.happened_at if event.happened_at is not None else now
    moment = (
        literal(now)
        if told > now + CLOCK_AHEAD
        else case((literal(told) < CourseSession.starts_at - OPENS_BEFORE, literal(now)), else_=literal(min(told, now)))
    )
    door = (
        select(CourseSession.id.label("session_id"), Enrolment.id.label("enrolment_id"), moment.label("moment"))
        .select_from(Offering)
        .join(CourseSession, CourseSession.offering_id == Offering.id)
        .join(Enrolment, Enrolment.offering_id == Offering.id)
        .where(*_conditions(event, now))
        .with_for_update(read=True, of=(Offering, CourseSession, Enrolment))
        .cte("door")
    )
    stored = (
        insert(AttendanceEvent)
        .from_select(
            ["id", "course_session_id", "enrolment_id", "kind", "method", "happened_at", "received_at", "user_id", "reason"],
            select(
                literal(event.id),
                door.c.session_id,
                door.c.enrolment_id,
                literal(str(event.kind)),
                literal(str(event.method)),
                door.c.moment,
                literal(now),
                literal(user_id, AttendanceEvent.user_id.type),
                literal(event.reason, AttendanceEvent.reason.type),
            ),
        )
        .on_conflict_do_nothing(index_elements=["id"])
        .returning(
            AttendanceEvent.id,
            AttendanceEvent.course_session_id,
            AttendanceEvent.enrolment_id,
            AttendanceEvent.happened_at,
        )
        .cte("stored")
    )  # fmt: skip
    changed = _change(event.kind, stored)
    return select(stored.c.happened_at, changed.c.event_id, changed.c.arrived_at, changed.c.left_at).select_from(
        stored.outerjoin(changed, true())
    )


def _change(kind: AttendanceKind, stored: CTE) -> CTE:
    columns = (Attendance.event_id, Attendance.arrived_at, Attendance.left_at)
    named = (
        Attendance.course_session_id == stored.c.course_session_id,
        Attendance.enrolment_id == stored.c.enrolment_id,
    )
    if kind == AttendanceKind.UNDO:
        return delete(Attendance).where(*named).returning(*columns).cte("changed")
    if kind == AttendanceKind.LEAVE:
        return (
            update(Attendance)
            .where(*named, Attendance.left_at.is_(None))
            .values(left_at=func.greatest(stored.c.happened_at, Attendance.arrived_at))
            .returning(*columns)
            .cte("changed")
        )
    # Somebody who had left and comes back is present again, since the first arrival.
    return (
        insert(Attendance)
        .from_select(
            ["course_session_id", "enrolment_id", "event_id", "arrived_at"],
            select(stored.c.course_session_id, stored.c.enrolment_id, stored.c.id, stored.c.happened_at),
        )
        .on_conflict_do_update(
            index_elements=["course_session_id", "enrolment_id"],
            set_={"left_at": null()},
            where=Attendance.left_at.is_not(None),
        )
        .returning(*columns)
        .cte("changed")
    )


def _known_or_refused(db: Session, event: AttendanceInput, now: datetime) -> Recorded:
    known = db.scalars(select(AttendanceEvent).where(AttendanceEvent.id == event.id)).one_or_none()
    if known is None:
        _refuse(db, event, now)
    same = (known.course_session_id, known.enrolment_id, known.kind, known.method, known.reason) == (
        event.session_id,
        event.enrolment_id,
        event.kind,
        event.method,
        event.reason,
    )
    if not same:
        raise DomainError(
            "event_conflict",
            N_("This check-in number was used for something else. Reload the page and check in again."),
        )
    if event.kind == AttendanceKind.UNDO:
        return Recorded(Outcome.RECORDED, event.enrolment_id, present=False)
    held = _held(db, event)
    if held is None or held.event_id == event.id or event.kind == AttendanceKind.LEAVE:
        arrived_at = held.arrived_at if held is not None else known.happened_at
        return Recorded(
            Outcome.RECORDED, event.enrolment_id, True, arrived_at, held.left_at if held is not None else None
        )
    return Recorded(Outcome.ALREADY, event.enrolment_id, True, held.arrived_at, held.left_at, held.name or "")


def _held(db: Session, event: AttendanceInput) -> Any:
    return db.execute(
        select(Attendance.event_id, Attendance.arrived_at, Attendance.left_at, User.name)
        .join(AttendanceEvent, AttendanceEvent.id == Attendance.event_id)
        .outerjoin(User, User.id == AttendanceEvent.user_id)
        .where(Attendance.course_session_id == event.session_id, Attendance.enrolment_id == event.enrolment_id)
    ).one_or_none()


def _as_it_was(db: Session, event: AttendanceInput) -> Recorded:
    """What holds now, for an event that changed nothing."""
    row = _held(db, event)
    if row is None:
        if event.kind == AttendanceKind.LEAVE:
            raise DomainError("not_present", N_("This person is not checked in. Check them in first."))
        return Recorded(Outcome.ALREADY, event.enrolment_id, present=False)
    return Recorded(Outcome.ALREADY, event.enrolment_id, True, row.arrived_at, row.left_at, row.name or "")


def _refuse(db: Session, event: AttendanceInput, now: datetime) -> NoReturn:
    row = db.execute(
        select(CourseSession, Offering.state, Enrolment.state)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .join(Enrolment, Enrolment.offering_id == Offering.id)
        .where(CourseSession.id == event.session_id, Enrolment.id == event.enrolment_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound
    meeting, offering_state, enrolment_state = row
    refuse_unless_running(meeting, offering_state, now)
    if enrolment_state == EnrolmentState.WAITLISTED:
        raise DomainError("waitlisted", N_("This person is on the waiting list. Use “Let in” below the roster."))
    raise DomainError(
        "enrolment_cancelled",
        N_("This person's enrolment was cancelled. If they may take part, add them as a walk-in."),
    )


def refuse_unless_running(meeting: CourseSession, offering_state: OfferingState, now: datetime) -> None:
    """Raise DomainError, saying what to do, where this session takes no check-ins now."""
    if offering_state == OfferingState.CANCELLED:
        raise DomainError("offering_cancelled", N_("This offering was cancelled; nobody can be checked in."))
    if offering_state == OfferingState.DRAFT:
        raise DomainError("offering_draft", N_("This offering is not published yet. Ask its host to publish it."))
    if opens_at(meeting) > now:
        raise DomainError("too_early", N_("Check-in opens at %(opens)s."), opens=opens_at(meeting))
    if meeting.closed_at is not None:
        raise DomainError(
            "session_closed", N_("This session is closed. Who may correct it finds “Correct” on its roster.")
        )


def _note(db: Session, event: AttendanceInput, row: Any) -> None:
    moments = {
        name: value.isoformat() for name, value in (("arrived_at", row.arrived_at), ("left_at", row.left_at)) if value
    }
    audit.record(
        db,
        f"attendance.{event.kind}",
        f"enrolment:{event.enrolment_id}",
        before={"session": event.session_id, **moments} if event.kind == AttendanceKind.UNDO else None,
        after=None
        if event.kind == AttendanceKind.UNDO
        else {"session": event.session_id, "method": str(event.method), **moments},
        reason=event.reason,
    )
