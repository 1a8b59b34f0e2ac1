"""The headcount of a session: people who were present and are not on the roster, counted and not named.

Each headcount is kept (`session_events`), and the last by its moment counts, in whatever order they arrive.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from courses.attendance import check_in_window
from courses.closing import session_events
from courses.closing.open_session import refuse_unless_open
from courses.closing.session_events import ActResult, SessionAct, SessionAnswer
from courses.models.offerings import CourseSession
from courses.models.session_events import SessionEvent, SessionEventKind
from courses.outcomes import Outcome
from lms.core import audit
from lms.core.errors import N_, DomainError
from lms.core.scope import Scope

HEADCOUNT_LIMIT = 100_000

MESSAGES = {
    "entered": N_("Headcount: %(number)s."),
    "superseded": N_("A later headcount was entered: %(number)s. The later one counts; yours is stored for reference."),
}


def enter(db: Session, meeting: CourseSession, number: int, *, now: datetime, reason: str | None = None) -> None:
    """Set the headcount of a session to `number` people.

    With a reason, the headcount of a closed session changes too: only `courses.closing.correction` gives one.
    Raises DomainError for a number outside 0 to `HEADCOUNT_LIMIT`, for a session that is not open, and before its
    check-in opens.
    """

    def apply(meeting: CourseSession, event: SessionEvent) -> ActResult:
        return _apply(db, meeting, event, reason)

    _refuse_out_of_range(number)
    session_events.act_now(
        db, meeting, SessionEventKind.HEADCOUNT, apply, user_id=audit.actor(db), now=now, number=number
    )


def record_all(
    db: Session, acts: Sequence[SessionAct], *, user_id: int, device_id: int | None, scope: Scope, now: datetime
) -> list[SessionAnswer]:
    """Record the headcounts that a device sends, each once, and answer each in the order given.

    A headcount is rejected where its session is not open, and where it lies before its check-in opened.
    """

    def apply(meeting: CourseSession, event: SessionEvent) -> ActResult:
        return _apply(db, meeting, event, None)

    return session_events.record_all(
        db, acts, apply, _answer, user_id=user_id, device_id=device_id, scope=scope, now=now
    )


def _apply(db: Session, meeting: CourseSession, event: SessionEvent, reason: str | None) -> ActResult:
    _refuse_out_of_range(event.number or 0)
    if reason is None:
        refuse_unless_open(meeting)
    opens = check_in_window.opens_at(meeting)
    if opens > event.happened_at:
        raise DomainError("too_early", N_("Check-in opens at %(opens)s."), opens=opens)
    stored = session_events.of_session(db, meeting.id, [SessionEventKind.HEADCOUNT])
    last = max([*stored, event], key=lambda other: (other.happened_at, other.id))
    number = last.number or 0
    if meeting.headcount != number:
        before, meeting.headcount = meeting.headcount, number
        audit.record(
            db, "session.headcount", meeting, before={"headcount": before}, after={"headcount": number}, reason=reason
        )
        db.flush()
    if last is event:
        return ActResult(Outcome.ACCEPTED, "entered", {"number": number})
    return ActResult(Outcome.ALREADY, "superseded", {"number": number})


def _refuse_out_of_range(number: int) -> None:
    if not 0 <= number <= HEADCOUNT_LIMIT:
        raise DomainError("headcount_range", N_("Enter a number from 0 to 100000."), field="number")


def _answer(event_id: UUID, result: ActResult) -> SessionAnswer:
    return SessionAnswer(event_id, result.outcome, result.code, MESSAGES[result.code], dict(result.facts), result.facts)
