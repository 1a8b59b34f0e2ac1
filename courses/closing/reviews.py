"""What is decided about check-ins in doubt (`courses.attendance.review_queue`).

Nothing that waits counts. Accepting, merging and rejecting are said once and kept for ever; a decision speaks for all that
the same person sent to the same session with the same doubt. Where the session is closed, what is accepted is a correction:
only those decide who may correct, and totals, entitlement and certificates follow.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.attendance import recording, walk_ins
from courses.attendance.review_queue import case_of, count, siblings, waiting
from courses.closing import correction
from courses.closing.judging import Judged
from courses.enrolment import trainees
from courses.enrolment.trainees import TraineeFacts
from courses.models.attendance import AttendanceDecision, AttendanceEvent, Decision, WalkInPerson
from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.trainees import Trainee
from courses.offerings import rights
from lms.core import audit
from lms.core.errors import N_, Denied, DomainError, NotFound
from lms.core.scope import Scope, fetch

__all__ = ["accept", "accept_all", "admit", "case_of", "count", "merge", "merge_trainee", "reject", "waiting"]

# Read in the report on corrections by whoever asks why a closed figure moved, so it is kept in both languages.
LATE = "课次结束后收到的签到，经审核计入。A check-in received after closing was accepted."


@dataclass(frozen=True)
class Settled:
    """What a decision did. `name`: whom it was about; `unentitled`: who holds a certificate no longer earned."""

    session_id: int
    name: str
    unentitled: Sequence[Judged] = ()


@dataclass(frozen=True)
class _Opened:
    event: AttendanceEvent
    meeting: CourseSession
    offering: Offering
    events: Sequence[AttendanceEvent]


def accept(
    db: Session, event_id: UUID, *, scope: Scope, now: datetime, zone: ZoneInfo, reason: str | None = None
) -> Settled:
    """It counts for the person it names, who is given a place where they have none. Raises DomainError."""
    return accept_all(db, [event_id], scope=scope, now=now, zone=zone, reason=reason)[0]


def accept_all(
    db: Session, events: Collection[UUID], *, scope: Scope, now: datetime, zone: ZoneInfo, reason: str | None = None
) -> list[Settled]:
    """Accept several at once; what is counted follows once. All or nothing."""
    done: list[Settled] = []
    offerings: dict[int, Offering] = {}
    for event_id in events:
        opened = _open(db, event_id, scope, now)
        person = opened.event.enrolment_id
        if person is None:
            raise DomainError("nobody_named", N_("This check-in names nobody. Choose whose it is, or reject it."))
        trainee = db.scalars(select(Trainee).join(Enrolment).where(Enrolment.id == person)).one()
        row = _place(db, opened, trainee)
        done.append(_settle(db, opened, Decision.ACCEPT, row, reason, now))
        offerings[opened.offering.id] = opened.offering
    late = [one for offering in offerings.values() for one in correction.follow(db, offering, reason or LATE, zone)]
    return [replace(one, unentitled=late) for one in done]


def merge(
    db: Session,
    event_id: UUID,
    enrolment_id: int | None,
    *,
    scope: Scope,
    now: datetime,
    zone: ZoneInfo,
    reason: str | None = None,
) -> Settled:
    """It counts for somebody of this training. Whoever waits for a place is given one. Raises DomainError, also for nobody."""
    opened = _open(db, event_id, scope, now)
    if enrolment_id is None:
        raise DomainError("nobody_chosen", N_("Choose whose check-in it is first."), status=422)
    trainee = db.scalars(
        select(Trainee).join(Enrolment).where(Enrolment.id == enrolment_id, Enrolment.offering_id == opened.offering.id)
    ).one_or_none()
    if trainee is None:
        raise NotFound
    return _merged(db, opened, trainee, reason, now, zone)


def merge_trainee(
    db: Session,
    event_id: UUID,
    trainee_id: int,
    *,
    scope: Scope,
    now: datetime,
    zone: ZoneInfo,
    reason: str | None = None,
) -> Settled:
    """It counts for somebody of the register, who is given a place in this training. Raises DomainError."""
    trainee = fetch(db, Trainee, trainee_id, scope)
    opened = _open(db, event_id, scope, now)
    return _merged(db, opened, trainee, reason, now, zone)


def admit(db: Session, event_id: UUID, facts: TraineeFacts, *, scope: Scope, now: datetime, zone: ZoneInfo) -> Settled:
    """It counts for somebody who is registered now (or found again by name and phone), and given a place."""
    event = fetch(db, AttendanceEvent, event_id, scope)
    if scope.read_only:
        raise Denied
    district = db.scalars(
        select(Offering.district_id).join(CourseSession).where(CourseSession.id == event.course_session_id)
    ).one()
    trainee = trainees.register(db, facts, district)
    opened = _open(db, event_id, scope, now)
    return _merged(db, opened, trainee, None, now, zone)


def reject(db: Session, event_id: UUID, reason: str, *, scope: Scope, now: datetime) -> Settled:
    """It never counts; the event and the reason stay. Raises DomainError without a reason."""
    opened = _open(db, event_id, scope, now)
    said = " ".join(reason.replace("\0", " ").split())[: recording.REASON_LIMIT]
    if not said:
        raise DomainError("reason_missing", N_("Say why, so that others understand it later."), field="reason")
    return _settle(db, opened, Decision.REJECT, None, said, now)


def _open(db: Session, event_id: UUID, scope: Scope, now: datetime) -> _Opened:
    """An event to decide about, its offering locked. Raises NotFound, Denied, or DomainError when it is decided."""
    event = fetch(db, AttendanceEvent, event_id, scope)
    meeting = db.get_one(CourseSession, event.course_session_id)
    offering = correction.held(db, meeting.offering_id)
    db.refresh(meeting, ["closed_at"])
    if event.review is None:
        raise NotFound
    if scope.read_only:
        raise Denied
    if meeting.closed_at is not None and not rights.is_allowed(offering, scope, now=now, meeting=meeting):
        raise rights.denied()
    events = siblings(db, event)
    if not any(one.id == event.id for one in events):
        raise DomainError("decided_already", N_("Somebody has decided about this check-in meanwhile."))
    return _Opened(event, meeting, offering, events)


def _place(db: Session, opened: _Opened, trainee: Trainee) -> Enrolment:
    if opened.offering.state not in {OfferingState.PUBLISHED, OfferingState.CLOSED}:
        raise DomainError(
            "not_running",
            N_("This training is a draft or was cancelled: publish it first, or reject the check-in."),
        )
    return walk_ins.place(db, opened.offering, trainee)


def _merged(  # noqa: PLR0917  # the facts of one decision
    db: Session, opened: _Opened, trainee: Trainee, reason: str | None, now: datetime, zone: ZoneInfo
) -> Settled:
    done = _settle(db, opened, Decision.MERGE, _place(db, opened, trainee), reason, now)
    return replace(done, unentitled=correction.follow(db, opened.offering, reason or LATE, zone))


def _settle(  # noqa: PLR0917  # the facts of one decision
    db: Session,
    opened: _Opened,
    decision: Decision,
    row: Enrolment | None,
    reason: str | None,
    now: datetime,
) -> Settled:
    meeting, event = opened.meeting, opened.event
    db.add_all(
        AttendanceDecision(
            event_id=one.id,
            decision=decision,
            enrolment_id=row.id if row is not None else None,
            reason=reason,
            user_id=audit.actor(db),
            decided_at=now,
        )
        for one in opened.events
    )
    guest = db.get(WalkInPerson, event.walk_in_id) if event.walk_in_id is not None else None
    if guest is not None:
        guest.phone = None  # it has served
        guest.enrolment_id = row.id if row is not None else None
        guest.rejected_at = now if row is None else None
    db.flush()
    audit.record(
        db,
        f"check_in.{decision}",
        row if row is not None else meeting,
        after={"session": meeting.id, "doubt": str(event.review), "events": len(opened.events)},
        reason=reason,
    )
    if row is None:
        return Settled(meeting.id, guest.name if guest is not None else "")
    recording.refold(db, [(meeting.id, row.id)], reason=reason, now=now)
    trainee = db.scalars(select(Trainee).where(Trainee.id == row.trainee_id)).one()
    return Settled(meeting.id, trainee.name)
