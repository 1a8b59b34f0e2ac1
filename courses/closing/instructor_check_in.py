"""The check-in of an instructor at a session: arriving and leaving, on a page or by a device's event.

Each act is kept (`session_events`), and the instructor's times are what the acts fold to, in any order of arrival. Trainees
are checked in by `courses.attendance.recording`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from courses.attendance import check_in_window
from courses.closing import session_events
from courses.closing.open_session import refuse_unless_open
from courses.closing.session_events import ActResult, SessionAct, SessionAnswer
from courses.models.offerings import CourseSession, SessionInstructor
from courses.models.session_events import SessionEvent, SessionEventKind
from courses.offerings.staffing import session_instructor_of
from courses.outcomes import Outcome
from lms.core import audit
from lms.core.errors import N_, DomainError, NotFound
from lms.core.scope import Scope

KINDS = (SessionEventKind.ARRIVE, SessionEventKind.LEAVE, SessionEventKind.ATTENDED)

MESSAGES = {
    "arrived": N_("You are checked in since %(time)s."),
    "left": N_("You are checked out at %(time)s."),
    "not_present": N_("You are not checked in. Check in first."),
}

# Arrival and leaving; a person who has not left has None for it.
OwnTimes = tuple[datetime | None, datetime | None]


def arrive(db: Session, meeting: CourseSession, user_id: int, *, now: datetime) -> None:
    """Check the acting user in on a page. The first arrival stands; checking in again takes back a check-out.

    A first check-in after the end of the session means that the instructor was present from its start to its end.
    Raises NotFound for a user who does not teach at the session, and DomainError for a session that is not open, or
    more than `check_in_window.INSTRUCTORS_OPEN_BEFORE` before its start.
    """
    kind = SessionEventKind.ARRIVE if now <= meeting.ends_at else SessionEventKind.ATTENDED
    session_events.act_now(db, meeting, kind, _Teaching(db, user_id).apply, user_id=user_id, now=now)


def leave(db: Session, meeting: CourseSession, user_id: int, *, now: datetime) -> None:
    """Check the acting user out on a page; the first check-out stands. Raises DomainError without a check-in before it."""
    teaching = _Teaching(db, user_id)
    if teaching.row_at(meeting).arrived_at is None:
        raise DomainError("not_present", MESSAGES["not_present"])
    session_events.act_now(db, meeting, SessionEventKind.LEAVE, teaching.apply, user_id=user_id, now=now)


def record_all(
    db: Session, acts: Sequence[SessionAct], *, user_id: int, device_id: int | None, scope: Scope, now: datetime
) -> list[SessionAnswer]:
    """Record the own check-ins that a device sends in the user's name, each once, and answer each in the order given.

    Each is credited from the moment at which it happened. An act is rejected where the user does not teach at the session,
    where the session is not open, and where the act lies more than `check_in_window.INSTRUCTORS_OPEN_BEFORE` before the
    start; so is a first arrival after the planned end, for which there is `attended`. A leaving without an arrival is
    kept, and counts once the arrival comes.
    """
    return session_events.record_all(
        db, acts, _Teaching(db, user_id).apply, _answer, user_id=user_id, device_id=device_id, scope=scope, now=now
    )


def fold(events: Iterable[SessionEvent], meeting: CourseSession) -> OwnTimes:
    """Return the times that the own check-ins of one person fold to, in any order.

    The first arrival counts, and the first leaving that follows the last arrival: whoever came back had not left. Without
    an arrival, `attended` counts from the planned start to the planned end.
    """
    ordered = sorted(events, key=lambda event: (event.happened_at, event.id))
    arrivals = [event.happened_at for event in ordered if event.kind == SessionEventKind.ARRIVE]
    if not arrivals:
        attended = any(event.kind == SessionEventKind.ATTENDED for event in ordered)
        return (meeting.starts_at, meeting.ends_at) if attended else (None, None)
    leavings = [event.happened_at for event in ordered if event.kind == SessionEventKind.LEAVE]
    return arrivals[0], next((moment for moment in leavings if moment >= arrivals[-1]), None)


class _Teaching:
    """The own check-ins of one user at the sessions of a batch."""

    def __init__(self, db: Session, user_id: int) -> None:
        self._db, self._user_id = db, user_id

    def row_at(self, meeting: CourseSession) -> SessionInstructor:
        """The user's row among the session's instructors. Raises NotFound."""
        teaching = session_instructor_of(self._db, meeting, self._user_id)
        if teaching is None:
            raise NotFound("not_teaching", N_("You do not teach at this session."))
        return teaching

    def apply(self, meeting: CourseSession, event: SessionEvent) -> ActResult:
        """Apply an act. Raises DomainError."""
        teaching = self.row_at(meeting)
        before = teaching.arrived_at, teaching.left_at
        if event.kind != SessionEventKind.LEAVE:
            _refuse_arrival(meeting, event, arrived_at=teaching.arrived_at)
        after = fold([*self._known(meeting, before), event], meeting)
        if after != before:
            audited = _audited(teaching)
            teaching.arrived_at, teaching.left_at = after
            action = "instructor.leave" if event.kind == SessionEventKind.LEAVE else "instructor.arrive"
            audit.record(self._db, action, meeting, before=audited, after=_audited(teaching))
            self._db.flush()
        code = "not_present" if after[0] is None else "left" if after[1] is not None else "arrived"
        return ActResult(Outcome.ACCEPTED if after != before else Outcome.ALREADY, code, _facts(after))

    def _known(self, meeting: CourseSession, times: OwnTimes) -> list[SessionEvent]:
        """The stored acts, and where the times are not what these fold to (they were imported), an act for each time."""
        stored = [
            event for event in session_events.of_session(self._db, meeting.id, KINDS) if event.user_id == self._user_id
        ]
        if fold(stored, meeting) == times:
            return stored
        imported = zip((SessionEventKind.ARRIVE, SessionEventKind.LEAVE), times, strict=True)
        return stored + [
            SessionEvent(id=UUID(int=0), kind=kind, happened_at=at) for kind, at in imported if at is not None
        ]


def _refuse_arrival(meeting: CourseSession, event: SessionEvent, *, arrived_at: datetime | None) -> None:
    refuse_unless_open(meeting)
    opens = check_in_window.instructors_open_at(meeting)
    if event.happened_at < opens:
        raise DomainError("too_early", N_("Your own check-in opens at %(opens)s."), opens=opens)
    if event.kind == SessionEventKind.ATTENDED and event.happened_at <= meeting.ends_at:
        raise DomainError("not_over", N_("The session is not over yet. Check in with “I am here”."))
    if event.kind == SessionEventKind.ARRIVE and event.happened_at > meeting.ends_at and arrived_at is None:
        raise DomainError("over", N_("The session was over by then. If you were there, check in with “I was here”."))


def _answer(event_id: UUID, result: ActResult) -> SessionAnswer:
    time = result.facts["left_at" if result.code == "left" else "arrived_at"]
    params = {"time": datetime.fromisoformat(time)} if time is not None else {}
    return SessionAnswer(event_id, result.outcome, result.code, MESSAGES[result.code], params, result.facts)


def _facts(times: OwnTimes) -> dict[str, str | None]:
    arrived_at, left_at = times
    return {
        "arrived_at": arrived_at.isoformat() if arrived_at is not None else None,
        "left_at": left_at.isoformat() if left_at is not None else None,
    }


def _audited(teaching: SessionInstructor) -> dict[str, str | int | None]:
    return {"instructor": teaching.instructor_id, **_facts((teaching.arrived_at, teaching.left_at))}
