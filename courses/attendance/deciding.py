"""The judgement of each event: it counts, it is stored for review, or it is rejected. Nothing is read or written here.

`recording` locks and reads the rows that decide (`stored_events`), lets the `Judge` judge the events of a batch in their
order, and writes what the judge hands over.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from courses.attendance import check_in_window
from courses.attendance.check_ins import MESSAGES, STATUSES, AttendanceInput, CheckInAnswer
from courses.attendance.folding import Presence, PresenceEvent, fold
from courses.attendance.stored_events import AttendanceKey, KnownWalkIn, LockedRows, LockedSession, StoredEvent
from courses.device_events import moment_told
from courses.models.attendance import AttendanceKind, AttendanceMethod, ReviewReason
from courses.models.enrolment import HOLDS_PLACE, EnrolmentState
from courses.models.offerings import OfferingState
from courses.outcomes import Outcome
from lms.core.errors import N_, DomainError

# The outcome, its code, and the attendance that the answer shows.
EventResult = tuple[Outcome, str, Presence | None]


class KnownEvents:
    """The stored events: by their id, and as the fold takes them by session and enrolment."""

    def __init__(self, stored: Sequence[StoredEvent]) -> None:
        self.by_id = {event.id: event for event in stored}
        self.by_key: dict[AttendanceKey, list[PresenceEvent]] = defaultdict(list)
        for event in stored:
            if event.enrolment_id is not None:
                self.by_key[event.session_id, event.enrolment_id].append(event.presence_event)

    def user_of(self, event_id: UUID) -> str | None:
        """The name of the user who sent a stored event; None where it is unknown, also for an event of this batch."""
        stored = self.by_id.get(event_id)
        return stored.by if stored is not None else None


@dataclass(frozen=True)
class IdentityLookup:
    """The enrolments to which the batch's tickets and walk-ins belong, as read before the rows are locked."""

    by_ticket: Mapping[str, int]
    walk_ins: Mapping[UUID, KnownWalkIn]

    def enrolment_of(self, event: AttendanceInput) -> int | None:
        """The id of the enrolment that the event names, or None for an unknown ticket or an unmatched walk-in."""
        if event.ticket is not None:
            return self.by_ticket.get(event.ticket)
        if event.walk_in is not None:
            known = self.walk_ins.get(event.walk_in.id)
            return known.enrolment_id if known is not None else None
        return event.enrolment_id


class Judge:
    """Judges the events of one batch in their order.

    strict: the sender waits for the answer at the roster, so an event that cannot count is refused. Otherwise the sender is
    a device or a file that cannot be asked again, so such an event is stored for review.
    rows: the new events as `recording` writes them. new_events: their inputs, those stored for review included.
    """

    def __init__(
        self, locked: LockedRows, known: KnownEvents, identities: IdentityLookup, *, now: datetime, strict: bool
    ) -> None:
        self._locked = locked
        self._known = known
        self._identities = identities
        self._now = now
        self._strict = strict
        self._before: dict[AttendanceKey, Presence | None] = {}
        self._after: dict[AttendanceKey, Presence | None] = {}
        self._answered: dict[UUID, tuple[AttendanceInput, CheckInAnswer]] = {}
        self.rows: list[dict[str, Any]] = []
        self.new_events: list[AttendanceInput] = []

    @property
    def changed(self) -> dict[AttendanceKey, Presence | None]:
        """The attendances that the batch makes, changes or (None) removes."""
        return {key: after for key, after in self._after.items() if after != self._before[key]}

    def answer(self, event: AttendanceInput, fault: str | None) -> CheckInAnswer:
        """Judge one event. `fault`: its `check_ins.fault_of`. Raises DomainError where `strict` refuses the event."""
        earlier = self._answered.get(event.id)
        if earlier is not None:
            return earlier[1] if earlier[0] == event else rejection(event, "event_conflict")
        if fault is not None:
            return rejection(event, fault)
        if event.session_id not in self._locked.sessions:
            return rejection(event, "not_found")
        stored = self._known.by_id.get(event.id)
        answer = self._judge_new(event) if stored is None else self._repeat_answer(event, stored)
        self._answered[event.id] = event, answer
        return answer

    def _judge_new(self, event: AttendanceInput) -> CheckInAnswer:
        meeting = self._locked.sessions[event.session_id]
        enrolment_id = self._identities.enrolment_of(event)
        state = self._locked.enrolments.get((event.session_id, enrolment_id)) if enrolment_id is not None else None
        if state is None and (self._strict or event.enrolment_id is not None):
            return rejection(event, "not_found")
        walk_in = self._identities.walk_ins.get(event.walk_in.id) if event.walk_in is not None else None
        if walk_in is not None and walk_in.session_id != event.session_id:
            return rejection(event, "event_conflict")
        if self._strict:
            _refuse_at_roster(event, meeting, state, self._now)
            return self._add(event, enrolment_id, _moment_at_roster(event, meeting, self._now), None)
        moment, timely = _moment_by_device(event, meeting, self._now)
        return self._add(event, enrolment_id, moment, _review_of(event, meeting, enrolment_id, state, timely=timely))

    def _add(
        self, event: AttendanceInput, enrolment_id: int | None, moment: datetime, review: ReviewReason | None
    ) -> CheckInAnswer:
        """Add a new event to what is known and to the rows, and answer it."""
        after = before = None
        if enrolment_id is not None:
            key = event.session_id, enrolment_id
            events = self._known.by_key[key]
            before = fold(events)
            self._before.setdefault(key, before)
            events.append(PresenceEvent(event.id, event.kind, moment, event.undoes, review is None))
            after = self._after[key] = fold(events)
        if self._strict and event.kind == AttendanceKind.LEAVE and before is None:
            raise DomainError("not_present", N_("This person is not checked in. Check them in first."))
        arrival_id = before.event_id if before is not None else None
        result = _result_of(event.kind, before, after) if review is None else (Outcome.REVIEW, str(review), after)
        answer = self._answer_with(event.id, result, enrolment_id, arrival_id=arrival_id)
        self.new_events.append(event)
        self.rows.append(
            {
                "id": event.id,
                "course_session_id": event.session_id,
                "enrolment_id": enrolment_id,
                "kind": event.kind,
                "method": event.method,
                "happened_at": moment,
                "reason": event.reason,
                "told_at": event.told_at,
                "offset_ms": event.offset_ms,
                "undoes": event.undoes,
                "ticket": event.ticket_hash,
                "walk_in_id": event.walk_in.id if event.walk_in is not None else None,
                "review": review,
                "answer": _stored_answer(answer, arrival_id),
                **(
                    audit_entry(event, enrolment_id, before, after)
                    if enrolment_id is not None and before != after
                    else {}
                ),
            }
        )
        return answer

    def _repeat_answer(self, event: AttendanceInput, stored: StoredEvent) -> CheckInAnswer:
        """Answer an event whose id is stored: as the first time, or `event_conflict` where it is another event."""
        if not _is_same_event(event, stored):
            return rejection(event, "event_conflict")
        if stored.answer is not None:
            first = stored.answer
            presence = None
            if first["arrived_at"] is not None:
                left_at = datetime.fromisoformat(first["left_at"]) if first["left_at"] is not None else None
                presence = Presence(event.id, datetime.fromisoformat(first["arrived_at"]), left_at)
            arrival_id = UUID(first["by"]) if first["by"] is not None else None
            result = Outcome(first["outcome"]), first["code"], presence
            return self._answer_with(event.id, result, stored.sent_for, arrival_id=arrival_id)
        # The first versions stored no answers; an event of theirs is answered with the attendance as it is now.
        current = fold(self._known.by_key[stored.session_id, stored.enrolment_id or 0])
        if current is None or current.event_id == event.id or event.kind != AttendanceKind.ARRIVE:
            _, code, _ = _result_of(event.kind, None, current)
            return self._answer_with(event.id, (Outcome.ACCEPTED, code, current), stored.sent_for, arrival_id=None)
        result = Outcome.ALREADY, "already", current
        return self._answer_with(event.id, result, stored.sent_for, arrival_id=current.event_id)

    def _answer_with(
        self, event_id: UUID, result: EventResult, enrolment_id: int | None, *, arrival_id: UUID | None
    ) -> CheckInAnswer:
        """Make the answer. `arrival_id`: the event that had checked the trainee in before, whose sender is named."""
        outcome, code, presence = result
        by = self._known.user_of(arrival_id) if arrival_id is not None and outcome == Outcome.ALREADY else None
        params: dict[str, Any] = {"by": by} if by else {}
        if presence is not None and outcome != Outcome.REVIEW:
            params["time"] = presence.left_at if "left" in code else presence.arrived_at
        return CheckInAnswer(
            event_id,
            outcome,
            code,
            MESSAGES["already_by" if code == "already" and by else code],
            params,
            enrolment_id,
            presence is not None,
            presence.arrived_at if presence is not None else None,
            presence.left_at if presence is not None else None,
            by,
        )


def rejection(event: AttendanceInput, code: str) -> CheckInAnswer:
    """The answer to an event that is not stored. `code`: a key of `check_ins.MESSAGES`."""
    return CheckInAnswer(event.id, Outcome.REJECTED, code, MESSAGES[code], status=STATUSES.get(code, 409))


def audit_entry(
    event: AttendanceInput, enrolment_id: int, before: Presence | None, after: Presence | None
) -> dict[str, Any]:
    """The audit entry of an attendance that an event changed: action, subject, and the facts before and after."""
    facts: dict[str, Any] = {"method": str(event.method)} if event.kind != AttendanceKind.UNDO else {}
    undone = event.kind == AttendanceKind.UNDO
    return {
        "action": f"attendance.{event.kind}",
        "subject": f"enrolment:{enrolment_id}",
        "before": audit_facts(event.session_id, before) if undone else None,
        "after": None if undone and after is None else audit_facts(event.session_id, after, **facts),
    }


def audit_facts(session_id: int, presence: Presence | None, **more: str) -> dict[str, Any]:
    """An attendance as JSON for the audit trail, with moments in ISO 8601."""
    facts: dict[str, Any] = {"session": session_id, **more}
    if presence is not None:
        facts["arrived_at"] = presence.arrived_at.isoformat()
        if presence.left_at is not None:
            facts["left_at"] = presence.left_at.isoformat()
    return facts


def _refuse_at_roster(
    event: AttendanceInput, meeting: LockedSession, state: EnrolmentState | None, now: datetime
) -> None:
    """Raise DomainError, with a message that says what to do, where a user at the roster cannot record this event."""
    is_correction = event.method == AttendanceMethod.CORRECTION
    may_be_closed = is_correction and meeting.offering_state in {OfferingState.PUBLISHED, OfferingState.CLOSED}
    if not may_be_closed or check_in_window.opens_at(meeting) > now:
        check_in_window.refuse_unless_running(meeting, meeting.offering_state, now)
    if state == EnrolmentState.ENROLLED or (is_correction and state in HOLDS_PLACE):
        return
    if state == EnrolmentState.WAITLISTED:
        raise DomainError("waitlisted", N_("This person is on the waiting list. Use “Admit” below the roster."))
    raise DomainError(
        "enrolment_cancelled",
        N_("This person's enrolment was cancelled. If they may take part, add them as a walk-in."),
    )


def _review_of(
    event: AttendanceInput,
    meeting: LockedSession,
    enrolment_id: int | None,
    state: EnrolmentState | None,
    *,
    timely: bool,
) -> ReviewReason | None:
    """Return why a device's event needs a person's decision before it counts, or None where it counts at once."""
    if event.review is not None:
        return event.review
    if enrolment_id is None:
        return ReviewReason.WALK_IN_MATCH if event.walk_in is not None else ReviewReason.UNKNOWN_TICKET
    if state not in HOLDS_PLACE:
        return ReviewReason.NOT_ENROLLED
    if meeting.offering_state in {OfferingState.DRAFT, OfferingState.CANCELLED}:
        return ReviewReason.NOT_RUNNING
    if meeting.closed_at is not None or meeting.offering_state == OfferingState.CLOSED:
        return ReviewReason.SESSION_CLOSED
    return None if timely else ReviewReason.OUTSIDE_WINDOW


def _moment_at_roster(event: AttendanceInput, meeting: LockedSession, now: datetime) -> datetime:
    """The moment of an event that a user makes at the roster: the phone's time where it is possible, else the server's.

    An undo takes back what its sender sees on the page, so it is always dated now, whatever the phone's clock says.
    """
    told = event.told_at
    if told is None or event.kind == AttendanceKind.UNDO:
        return now
    return min(told, now) if check_in_window.opens_at(meeting) <= told else now


def _moment_by_device(event: AttendanceInput, meeting: LockedSession, now: datetime) -> tuple[datetime, bool]:
    """The device's time, corrected by its clock's offset, and whether that moment counts without review.

    The moment counts within the session's check-in window, unless it lies too far in the future.
    """
    moment, believable = moment_told(event.told_at, event.offset_ms, now)
    return moment, believable and check_in_window.contains(meeting, moment)


def _result_of(kind: AttendanceKind, before: Presence | None, after: Presence | None) -> EventResult:
    """The result of an event that counts, from the attendance before and after it.

    The outcome of an arrival is `already` wherever the trainee was present before, also where this arrival turns out to
    be the earlier one and moves the time.
    """
    if after != before and kind == AttendanceKind.ARRIVE and after is not None:
        if before is None or before.left_at is not None:
            return Outcome.ACCEPTED, "left" if after.left_at is not None else "arrived", after
    elif after != before and kind == AttendanceKind.LEAVE and after is not None:
        return Outcome.ACCEPTED, "left" if after.left_at is not None else "arrived", after
    elif after != before:
        return Outcome.ACCEPTED, "undone" if after is None else "arrived", after
    if before is None:
        return Outcome.ALREADY, "not_present", None
    if kind == AttendanceKind.LEAVE and before.left_at is not None:
        return Outcome.ALREADY, "already_left", before
    return Outcome.ALREADY, "already", before


def _is_same_event(event: AttendanceInput, stored: StoredEvent) -> bool:
    """Return whether an event is the one stored under its id. The offset may differ: each sending measures it again."""
    if event.ticket is not None:
        same_person = stored.ticket == event.ticket_hash
    elif event.walk_in is not None:
        same_person = stored.walk_in_id == event.walk_in.id
    else:
        same_person = stored.sent_for == event.enrolment_id and stored.ticket is None and stored.walk_in_id is None
    same_time = stored.answer is None or stored.told_at == event.told_at
    return (
        same_person
        and same_time
        and (stored.session_id, stored.kind, stored.method, stored.reason, stored.undoes)
        == (event.session_id, event.kind, event.method, event.reason, event.undoes)
    )


def _stored_answer(answer: CheckInAnswer, arrival_id: UUID | None) -> dict[str, Any]:
    """The answer as JSON, stored with its event for retries.

    `by` is the id of the event that came first, not its sender's name: names stand in the table of users alone.
    """
    return {
        "outcome": answer.outcome,
        "code": answer.code,
        "arrived_at": answer.arrived_at,
        "left_at": answer.left_at,
        "by": arrival_id if answer.by is not None else None,
    }
