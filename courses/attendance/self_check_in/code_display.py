"""The screen with the rotating code of a session: its key is made, read as codes for the screen, and deleted.

The screen draws each code in its own ten seconds by the server's time. It gets the codes of the next two minutes and never
the key. It therefore goes on for two minutes without a network, and after that it holds nothing of use.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, func, select
from sqlalchemy.orm import Session

from courses.attendance.self_check_in import rotating_code
from courses.models.attendance import Attendance, AttendanceDecision, AttendanceEvent
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.self_check_in import KEY_COLUMN, CheckInClaim, CheckInKey
from courses.models.trainees import Trainee
from lms.core import audit, crypto
from lms.core.autocommit import Reads
from lms.core.errors import N_, DomainError
from lms.core.masks import mask_name

CODES_AHEAD = timedelta(minutes=2)


@dataclass(frozen=True)
class ScreenPerson:
    """A trainee on the screen, which the whole room can read: the masked name, and the arrival of those present."""

    name: str
    arrived_at: datetime | None


@dataclass(frozen=True)
class CodeScreen:
    """The content of the screen.

    codes: step and code, from the current step on; empty where the session has no code. waiting: the number of events in
    review without a decision.
    """

    codes: Sequence[tuple[int, str]]
    present: Sequence[ScreenPerson]
    missing: Sequence[ScreenPerson]
    waiting: int


def is_shown(db: Session, session_id: int) -> bool:
    """Return whether a session has a code."""
    return db.scalar(select(CheckInKey.course_session_id).where(CheckInKey.course_session_id == session_id)) is not None


def show(db: Session, meeting: CourseSession, *, now: datetime) -> None:
    """Make the key of a session; a session that has one keeps it, so that several screens show the same code.

    Raises DomainError for a closed session, one whose training is not running, and one that is over. The keys of all
    sessions that are over are deleted at this occasion.
    """
    db.refresh(meeting, ["closed_at"], with_for_update=True)
    if meeting.offering.state != OfferingState.PUBLISHED or meeting.closed_at is not None:
        raise DomainError(
            "not_running", N_("This session does not accept check-ins: it is closed, or its offering is not running.")
        )
    if now > meeting.ends_at:
        raise DomainError("session_over", N_("This session is over. On the roster, mark the people who were present."))
    db.execute(
        delete(CheckInKey).where(
            CheckInKey.course_session_id.in_(select(CourseSession.id).where(CourseSession.ends_at < now))
        )
    )
    if is_shown(db, meeting.id):
        return
    key = CheckInKey(course_session_id=meeting.id, opened_at=now, user_id=audit.actor(db))
    key.key = rotating_code.new_key()
    db.add(key)
    db.flush()
    audit.record(db, "session.show_code", meeting)


def hide(db: Session, meeting: CourseSession) -> None:
    """Delete the key, so that no code of it is valid any more. A claim that was issued before can still be used."""
    if db.execute(delete(CheckInKey).where(CheckInKey.course_session_id == meeting.id)).rowcount:  # type: ignore[attr-defined]
        audit.record(db, "session.hide_code", meeting)


def forget_codes(db: Session, session_ids: Iterable[int]) -> None:
    """Delete the keys and claims of sessions that take no more check-ins."""
    ids = list(session_ids)
    for model in (CheckInKey, CheckInClaim):
        db.execute(delete(model).where(model.course_session_id.in_(ids)))


def read_screen(db: Reads, session_id: int, *, now: datetime) -> CodeScreen:
    """Read the screen of a session, in three statements."""
    row = db.execute(
        select(CheckInKey.ref, CheckInKey.key_sealed)
        .join(CourseSession, CourseSession.id == CheckInKey.course_session_id)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .where(
            CheckInKey.course_session_id == session_id,
            CourseSession.closed_at.is_(None),
            CourseSession.ends_at >= now,
            Offering.state == OfferingState.PUBLISHED,
        )
    ).one_or_none()
    codes: list[tuple[int, str]] = []
    if row is not None:
        key = bytes.fromhex(crypto.cipher().decrypt(KEY_COLUMN, row.ref, row.key_sealed))
        current = rotating_code.step_of(now)
        codes = [
            (step, rotating_code.code(key, session_id, step))
            for step in range(current, current + CODES_AHEAD // rotating_code.STEP)
        ]
    trainees = db.execute(
        select(Trainee.name, Attendance.arrived_at)
        .select_from(CourseSession)
        .join(Enrolment, and_(Enrolment.offering_id == CourseSession.offering_id, Enrolment.state.in_(HOLDS_PLACE)))
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .outerjoin(
            Attendance,
            and_(Attendance.enrolment_id == Enrolment.id, Attendance.course_session_id == CourseSession.id),
        )
        .where(CourseSession.id == session_id)
        .order_by(Attendance.arrived_at.desc(), Trainee.name_sound, Enrolment.id)
    ).all()
    return CodeScreen(
        codes,
        [ScreenPerson(mask_name(name), arrived_at) for name, arrived_at in trainees if arrived_at is not None],
        [ScreenPerson(mask_name(name), None) for name, arrived_at in trainees if arrived_at is None],
        db.execute(
            select(func.count())
            .select_from(AttendanceEvent)
            .outerjoin(AttendanceDecision, AttendanceDecision.event_id == AttendanceEvent.id)
            .where(
                AttendanceEvent.course_session_id == session_id,
                AttendanceEvent.review.is_not(None),
                AttendanceDecision.event_id.is_(None),
            )
        ).scalar_one(),
    )
