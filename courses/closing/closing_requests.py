"""Requests to close a session: kept when a device sends them, judged by what is recorded now, final once confirmed.

An instructor without a network asks to close; the device shows what it foresees. When the request arrives, all events that
the device sent before it are in, and `courses.closing.closing.outlook` judges. A person sees the judgement beside what the
device foresaw, and confirms it by `courses.closing.closing.close`: there is no other way to close.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload

from courses.attendance import review_queue
from courses.attendance.roster import load_session
from courses.closing import closing
from courses.closing.closing import ClosingOutlook
from courses.closing.spot_check import HeadCount
from courses.device_events import moment_since
from courses.enrolment import namesakes
from courses.models.closing_requests import ClosingRequest, ClosingRequestState
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.offerings.class_hours import HoursDecision
from courses.outcomes import Outcome
from lms.core import audit, clock
from lms.core.errors import N_, DomainError, NotFound
from lms.core.scope import Scope

# A device's time counts from a day before the session's start to now; otherwise the moment of receipt counts.
TRUSTED_BEFORE = timedelta(days=1)

MESSAGES = {
    "to_confirm": N_("The request to close arrived. It waits until you have looked at the result and confirmed."),
    "session_closed": N_("This session is already closed."),
    "not_running": N_("This offering is not running: it is a draft, closed or cancelled."),
    "event_conflict": N_("This request's number was used for another request. Reload the page and ask again."),
    "not_found": N_("This page does not exist, or you may not see it."),
}


@dataclass(frozen=True)
class Foreseen:
    """The foresight of a device. missing: by the enrolment's id, the codes of what the person lacks; empty for nothing.

    last: the session was the last open one. present: people present. certified: certificates that would be due.
    """

    last: bool
    present: int
    certified: int
    missing: Mapping[int, Sequence[str]]

    @classmethod
    def of_row(cls, row: ClosingRequest) -> "Foreseen":
        """Return the foresight that is stored with a request."""
        facts = row.foreseen
        people = {int(enrolment_id): codes for enrolment_id, codes in facts["missing"].items()}
        return cls(facts["last"], facts["present"], facts["certified"], people)

    def as_json(self) -> dict[str, Any]:
        """The form in which a request stores it."""
        people = {str(enrolment_id): list(codes) for enrolment_id, codes in self.missing.items()}
        return {"last": self.last, "present": self.present, "certified": self.certified, "missing": people}


@dataclass(frozen=True)
class ClosingInput:
    """A request as a device sends it.

    id: made once, by the device, and sent again with each retry. told_at: the time by the device's clock. offset_ms: the
    server's clock minus the device's, in milliseconds. heads, before_end, hours: as `closing.close` takes them.
    """

    id: UUID
    session_id: int
    told_at: datetime
    foreseen: Foreseen
    offset_ms: int | None = None
    heads: HeadCount = field(default_factory=lambda: HeadCount(None))
    before_end: bool = False
    hours: HoursDecision | None = None


@dataclass(frozen=True)
class Difference:
    """A trainee of whom device and server judge differently: the codes of what is missing.

    None: the device did not know the person, or the person has no place any more.
    """

    enrolment_id: int
    name: str
    foreseen: Sequence[str] | None
    judged: Sequence[str] | None


@dataclass(frozen=True)
class JudgedRequest:
    """A request beside what closing would do now.

    in_review: check-ins of the session that wait for review. refusals: why it cannot be closed as it was asked. earlier:
    another session of the offering whose closing waits too, and should be confirmed first. hints: by the enrolment's id,
    what tells a person from another one of the same name.
    """

    request: ClosingRequest
    effects: ClosingOutlook
    in_review: int
    refusals: Sequence[DomainError]
    differences: Sequence[Difference]
    earlier: CourseSession | None = None
    hints: Mapping[int, str] = field(default_factory=dict)

    @property
    def foreseen(self) -> Foreseen:
        """The foresight of the device."""
        return Foreseen.of_row(self.request)

    @property
    def differs(self) -> bool:
        """True where anything that is shown of both differs."""
        foreseen, effects = self.foreseen, self.effects
        figures = (foreseen.last, foreseen.present, foreseen.certified)
        return bool(self.differences) or figures != (effects.last, effects.present, effects.certificates_due)


@dataclass(frozen=True)
class ClosingAnswer:
    """The answer to one request. judged: None where there is nothing to confirm. message: an English msgid."""

    id: UUID
    outcome: Outcome
    code: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    session_id: int | None = None
    state: ClosingRequestState | None = None
    judged: JudgedRequest | None = None


def record_all(
    db: Session, requests: Sequence[ClosingInput], *, user_id: int, device_id: int | None, scope: Scope, now: datetime
) -> list[ClosingAnswer]:
    """Keep requests from a device, each once, and answer each of them in the order given, with the judgement of now."""
    return [_record(db, request, user_id=user_id, device_id=device_id, scope=scope, now=now) for request in requests]


def waiting(db: Session, meetings: Collection[CourseSession]) -> dict[int, list[ClosingRequest]]:
    """Read the requests that wait for sessions that can still be closed: by the session's id, the oldest request first.

    The sessions are in the order of time, which is the order in which their closings should be confirmed.
    """
    open_ids = [meeting.id for meeting in meetings if closing.may_close(meeting)]
    by_session: dict[int, list[ClosingRequest]] = {}
    if open_ids:
        statement = _waiting().where(ClosingRequest.course_session_id.in_(open_ids))
        for row in db.scalars(statement):
            by_session.setdefault(row.course_session_id, []).append(row)
    return by_session


def waiting_offerings(db: Session, offering_ids: Collection[int]) -> set[int]:
    """Return which of these offerings have a session whose closing waits to be confirmed."""
    statement = (
        select(CourseSession.offering_id)
        .join(ClosingRequest, ClosingRequest.course_session_id == CourseSession.id)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .where(
            CourseSession.offering_id.in_(offering_ids),
            ClosingRequest.state == ClosingRequestState.WAITING,
            Offering.state == OfferingState.PUBLISHED,
        )
    )
    return set(db.scalars(statement)) if offering_ids else set()


def judge(db: Session, row: ClosingRequest, scope: Scope, effects: ClosingOutlook | None = None) -> JudgedRequest:
    """Judge a request by what is recorded now. effects: the outlook of its session, where the caller has it already."""
    meeting = row.meeting
    effects = effects or closing.outlook(db, meeting)
    refusals = []
    try:
        closing.refuse_unless_begun(meeting, clock.now())
    except DomainError as error:
        refusals.append(error)
    refusals += closing.obstacles(meeting, effects, heads=heads_of(row), before_end=row.before_end, hours=hours_of(row))
    differences = _differences(Foreseen.of_row(row), effects)
    names = {person.enrolment_id: person.name for person in effects.missed}
    names |= {person.enrolment_id: person.name for person in differences if person.name}
    names |= {judgement.enrolment.id: judgement.enrolment.trainee.name for judgement in effects.judgements}
    return JudgedRequest(
        row,
        effects,
        review_queue.count_cases(db, scope, session_id=meeting.id),
        refusals,
        differences,
        _earlier(db, meeting),
        namesakes.hints(db, names),
    )


def withdraw(db: Session, request_id: UUID, *, user_id: int, scope: Scope, now: datetime) -> ClosingRequest:
    """Withdraw a request. Raises NotFound for the request of another user, and DomainError where it does not wait."""
    row = db.scalars(select(ClosingRequest).where(ClosingRequest.id == request_id).with_for_update()).one_or_none()
    if row is None or row.user_id != user_id:
        raise NotFound
    meeting = load_session(db, row.course_session_id, scope)
    if row.state is not ClosingRequestState.WAITING:
        raise DomainError("request_decided", N_("This request does not wait any more."))
    _end(db, row, meeting, ClosingRequestState.WITHDRAWN, now)
    return row


def heads_of(row: ClosingRequest) -> HeadCount:
    """The heads that were counted on the device."""
    return HeadCount(row.heads, row.heads_reason)


def hours_of(row: ClosingRequest) -> HoursDecision | None:
    """The decision about the hours that was taken on the device."""
    if row.hours is None:
        return None
    return HoursDecision(None) if row.hours == "given" else HoursDecision(row.hours_reason or "")


def _record(
    db: Session, request: ClosingInput, *, user_id: int, device_id: int | None, scope: Scope, now: datetime
) -> ClosingAnswer:
    try:
        meeting = load_session(db, request.session_id, scope)
    except NotFound:
        return _rejected(request, "not_found")
    # A closing locks the offering, so it comes wholly before this request or after it.
    db.execute(select(Offering.id).where(Offering.id == meeting.offering_id).with_for_update(read=True))
    db.refresh(meeting.offering, ["state"])
    for other in meeting.offering.sessions:
        db.refresh(other, ["closed_at", "starts_at", "ends_at"])
    values = _values(request, meeting, user_id=user_id, device_id=device_id, now=now)
    stored = db.get(ClosingRequest, request.id)
    if stored is None:
        if meeting.offering.state in (OfferingState.DRAFT, OfferingState.CANCELLED):
            return _rejected(request, "not_running")
        statement = insert(ClosingRequest).values(values).on_conflict_do_nothing(index_elements=["id"])
        is_new = db.scalar(statement.returning(ClosingRequest.id)) is not None
        stored = db.get_one(ClosingRequest, request.id)
        if is_new:
            _note_arrival(db, stored, meeting, now)
    if (stored.user_id, stored.course_session_id) != (user_id, meeting.id) or any(
        getattr(stored, name) != values[name] for name in SENT
    ):
        return _rejected(request, "event_conflict")
    if stored.state is ClosingRequestState.OUTDATED and stored.decided_at == stored.received_at:
        return _answer(stored, Outcome.ALREADY, "session_closed")
    judged = judge(db, stored, scope) if stored.state is ClosingRequestState.WAITING else None
    return _answer(stored, Outcome.REVIEW, "to_confirm", judged)


# What makes two requests of one id the same request.
SENT = ("told_at", "heads", "heads_reason", "before_end", "hours", "hours_reason", "foreseen")


def _values(
    request: ClosingInput, meeting: CourseSession, *, user_id: int, device_id: int | None, now: datetime
) -> dict[str, Any]:
    hours = request.hours
    return {
        "id": request.id,
        "course_session_id": meeting.id,
        "user_id": user_id,
        "device_id": device_id,
        "told_at": request.told_at,
        "offset_ms": request.offset_ms,
        "happened_at": moment_since(request.told_at, request.offset_ms, meeting.starts_at - TRUSTED_BEFORE, now),
        "received_at": now,
        "heads": request.heads.counted,
        "heads_reason": request.heads.reason,
        "before_end": request.before_end,
        "hours": None if hours is None else "given" if hours.reason is None else "course",
        "hours_reason": hours.reason if hours is not None else None,
        "foreseen": request.foreseen.as_json(),
        "state": ClosingRequestState.WAITING,
    }


def _note_arrival(db: Session, row: ClosingRequest, meeting: CourseSession, now: datetime) -> None:
    """Audit a new request. It takes the place of those that its sender made before; on a closed session it is outdated."""
    audit.record(db, "closing_request.receive", meeting, after={"request": str(row.id), "user": row.user_id})
    if not closing.may_close(meeting):
        _end(db, row, meeting, ClosingRequestState.OUTDATED, now)
        return
    statement = _waiting().where(
        ClosingRequest.course_session_id == meeting.id,
        ClosingRequest.user_id == row.user_id,
        ClosingRequest.id != row.id,
    )
    for former in db.scalars(statement):
        _end(db, former, meeting, ClosingRequestState.OUTDATED, now)


def _end(db: Session, row: ClosingRequest, meeting: CourseSession, state: ClosingRequestState, now: datetime) -> None:
    row.state, row.decided_at, row.decided_by = state, now, audit.actor(db)
    action = "closing_request.withdraw" if state is ClosingRequestState.WITHDRAWN else "closing_request.outdate"
    audit.record(db, action, meeting, after={"request": str(row.id), "user": row.user_id})
    db.flush()


def _waiting() -> Any:
    # A device sends its requests for all sessions at once, so several have the same moment of receipt.
    return (
        select(ClosingRequest)
        .join(ClosingRequest.meeting)
        .where(ClosingRequest.state == ClosingRequestState.WAITING)
        .options(joinedload(ClosingRequest.user))
        .order_by(
            CourseSession.starts_at,
            CourseSession.id,
            ClosingRequest.received_at,
            ClosingRequest.happened_at,
            ClosingRequest.id,
        )
    )


def _earlier(db: Session, meeting: CourseSession) -> CourseSession | None:
    before = [other for other in meeting.offering.sessions if other.starts_at < meeting.starts_at]
    asked = waiting(db, before)
    return next((other for other in before if other.id in asked), None)


def _differences(foreseen: Foreseen, effects: ClosingOutlook) -> list[Difference]:
    """Compare person by person; where the sessions that are still open differ, what is missing cannot be compared."""
    if foreseen.last != effects.last:
        return []
    judged: dict[int, tuple[str, Sequence[str]]] = {
        judgement.enrolment.id: (judgement.enrolment.trainee.name, judgement.verdict.shortfalls)
        for judgement in effects.judgements
    }
    if not effects.last:
        judged = {person.enrolment_id: (person.name, person.missing) for person in effects.missed}
    differences = []
    for enrolment_id, (name, codes) in judged.items():
        told = foreseen.missing.get(enrolment_id, None if effects.last else [])
        if told is None or sorted(told) != sorted(codes):
            differences.append(Difference(enrolment_id, name, told, [str(code) for code in codes]))
    gone = [
        Difference(enrolment_id, "", codes, None if effects.last else [])
        for enrolment_id, codes in foreseen.missing.items()
        if enrolment_id not in judged and (codes or effects.last)
    ]
    return [*differences, *gone]


def _rejected(request: ClosingInput, code: str) -> ClosingAnswer:
    return ClosingAnswer(request.id, Outcome.REJECTED, code, MESSAGES[code])


def _answer(row: ClosingRequest, outcome: Outcome, code: str, judged: JudgedRequest | None = None) -> ClosingAnswer:
    return ClosingAnswer(row.id, outcome, code, MESSAGES[code], {}, row.course_session_id, row.state, judged)
