"""What is made of each event: taken, kept in doubt, or refused. It looks at what is known, and writes nothing."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from courses.attendance.check_ins import MESSAGES, STATUSES, AttendanceInput, Recorded
from courses.attendance.folding import Event, Presence, fold
from courses.attendance.stored_events import CLOSES_AFTER, OPENS_BEFORE, Guest, Held, Meeting, Pair, Stored
from courses.models.attendance import AttendanceKind, AttendanceMethod, ReviewReason
from courses.models.enrolment import HOLDS_PLACE, EnrolmentState
from courses.models.offerings import CourseSession, OfferingState
from courses.outcomes import Outcome
from lms.core.errors import N_, DomainError

CLOCK_AHEAD = timedelta(minutes=5)

Found = tuple[Outcome, str, Presence | None]


def opens_at(meeting: CourseSession | Meeting) -> datetime:
    """When check-in opens."""
    return meeting.starts_at - OPENS_BEFORE


def refuse_unless_running(meeting: CourseSession | Meeting, offering_state: OfferingState, now: datetime) -> None:
    """Raise DomainError, saying what to do, where this session takes no check-ins now."""
    if offering_state == OfferingState.CANCELLED:
        raise DomainError("offering_cancelled", N_("This offering was cancelled; nobody can be checked in."))
    if offering_state == OfferingState.DRAFT:
        raise DomainError("offering_draft", N_("This offering is not published yet. Ask its host to publish it."))
    if opens_at(meeting) > now:
        raise DomainError("too_early", N_("Check-in opens at %(opens)s."), opens=opens_at(meeting))
    if meeting.closed_at is not None:
        raise DomainError(
            "session_closed", N_("This session is closed. Users who may correct it find “Correct” on its roster.")
        )


class Book:
    """The events that are known, by id and by whose they are."""

    def __init__(self, stored: Sequence[Stored]) -> None:
        self.known = {one.id: one for one in stored}
        self.by = {one.id: one.by for one in stored}
        self.events: dict[Pair, list[Event]] = defaultdict(list)
        for one in stored:
            if one.enrolment_id is not None:
                self.events[one.session_id, one.enrolment_id].append(one.event)


@dataclass(frozen=True)
class Whose:
    """Tickets and walk-ins that stand for an enrolment, looked up before anything is locked."""

    owners: Mapping[str, int]
    guests: Mapping[UUID, Guest]

    def enrolment_of(self, event: AttendanceInput) -> int | None:
        if event.ticket is not None:
            return self.owners.get(event.ticket)
        if event.walk_in is not None:
            known = self.guests.get(event.walk_in.id)
            return known.enrolment_id if known is not None else None
        return event.enrolment_id


class Desk:
    """Judges the events of one batch in their order. `strict`: who sent them is there to be told what is wrong."""

    def __init__(self, held: Held, book: Book, whose: Whose, *, now: datetime, strict: bool) -> None:
        self._held = held
        self._book = book
        self._whose = whose
        self._now = now
        self._strict = strict
        self._before: dict[Pair, Presence | None] = {}
        self._after: dict[Pair, Presence | None] = {}
        self._answered: dict[UUID, tuple[AttendanceInput, Recorded]] = {}
        self.rows: list[dict[str, Any]] = []
        self.taken: list[AttendanceInput] = []

    @property
    def changed(self) -> dict[Pair, Presence | None]:
        """The attendances that are others now, or none."""
        return {pair: after for pair, after in self._after.items() if after != self._before[pair]}

    def answer(self, event: AttendanceInput, wrong: str | None) -> Recorded:
        """Judge one event; `wrong` is its `fault`. Raises DomainError in strict mode."""
        earlier = self._answered.get(event.id)
        if earlier is not None:
            return earlier[1] if earlier[0] == event else rejected(event, "event_conflict")
        if wrong is not None:
            return rejected(event, wrong)
        if event.session_id not in self._held.meetings:
            return rejected(event, "not_found")
        known = self._book.known.get(event.id)
        answer = self._new(event) if known is None else self._again(event, known)
        self._answered[event.id] = event, answer
        return answer

    def _new(self, event: AttendanceInput) -> Recorded:
        meeting = self._held.meetings[event.session_id]
        enrolment_id = self._whose.enrolment_of(event)
        state = self._held.enrolments.get((event.session_id, enrolment_id)) if enrolment_id is not None else None
        if state is None and (self._strict or event.enrolment_id is not None):
            return rejected(event, "not_found")
        guest = self._whose.guests.get(event.walk_in.id) if event.walk_in is not None else None
        if guest is not None and guest.session_id != event.session_id:
            return rejected(event, "event_conflict")
        if self._strict:
            _refuse(event, meeting, state, self._now)
            return self._take(event, enrolment_id, _believed(event, meeting, self._now), None)
        moment, timely = _corrected(event, meeting, self._now)
        return self._take(event, enrolment_id, moment, _doubt(event, meeting, enrolment_id, state, timely=timely))

    def _take(
        self, event: AttendanceInput, enrolment_id: int | None, moment: datetime, review: ReviewReason | None
    ) -> Recorded:
        after = before = None
        if enrolment_id is not None:
            pair = event.session_id, enrolment_id
            events = self._book.events[pair]
            before = fold(events)
            self._before.setdefault(pair, before)
            events.append(Event(event.id, event.kind, moment, event.undoes, review is None))
            after = self._after[pair] = fold(events)
        if self._strict and event.kind == AttendanceKind.LEAVE and before is None:
            raise DomainError("not_present", N_("This person is not checked in. Check them in first."))
        by = before.event_id if before is not None else None
        found = _found(event.kind, before, after) if review is None else (Outcome.REVIEW, str(review), after)
        answer = self._recorded(event.id, found, enrolment_id, by=by)
        self.taken.append(event)
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
                "answer": _kept(answer, by),
                **(note(event, enrolment_id, before, after) if enrolment_id is not None and before != after else {}),
            }
        )
        return answer

    def _again(self, event: AttendanceInput, known: Stored) -> Recorded:
        if not _same(event, known):
            return rejected(event, "event_conflict")
        if known.answer is not None:
            said = known.answer
            shown = None
            if said["arrived_at"] is not None:
                left_at = datetime.fromisoformat(said["left_at"]) if said["left_at"] is not None else None
                shown = Presence(event.id, datetime.fromisoformat(said["arrived_at"]), left_at)
            by = UUID(said["by"]) if said["by"] is not None else None
            return self._recorded(event.id, (Outcome(said["outcome"]), said["code"], shown), known.sent_for, by=by)
        # What came in before answers were kept is told what holds now.
        held = fold(self._book.events[known.session_id, known.enrolment_id or 0])
        if held is None or held.event_id == event.id or event.kind != AttendanceKind.ARRIVE:
            _, code, _ = _found(event.kind, None, held)
            return self._recorded(event.id, (Outcome.ACCEPTED, code, held), known.sent_for, by=None)
        return self._recorded(event.id, (Outcome.ALREADY, "already", held), known.sent_for, by=held.event_id)

    def _recorded(self, identity: UUID, found: Found, enrolment_id: int | None, *, by: UUID | None) -> Recorded:
        outcome, code, shown = found
        who = self._book.by.get(by) if by is not None and outcome == Outcome.ALREADY else None
        params: dict[str, Any] = {"by": who} if who else {}
        if shown is not None and outcome != Outcome.REVIEW:
            params["time"] = shown.left_at if "left" in code else shown.arrived_at
        return Recorded(
            identity,
            outcome,
            code,
            MESSAGES["already_by" if code == "already" and who else code],
            params,
            enrolment_id,
            shown is not None,
            shown.arrived_at if shown is not None else None,
            shown.left_at if shown is not None else None,
            who,
        )


def rejected(event: AttendanceInput, code: str) -> Recorded:
    """The answer to an event that is not kept."""
    return Recorded(event.id, Outcome.REJECTED, code, MESSAGES[code], status=STATUSES.get(code, 409))


def note(event: AttendanceInput, enrolment_id: int, before: Presence | None, after: Presence | None) -> dict[str, Any]:
    """What the audit trail says of an attendance that an event changed."""
    facts: dict[str, Any] = {"method": str(event.method)} if event.kind != AttendanceKind.UNDO else {}
    undone = event.kind == AttendanceKind.UNDO
    return {
        "action": f"attendance.{event.kind}",
        "subject": f"enrolment:{enrolment_id}",
        "before": facts_of(event.session_id, before) if undone else None,
        "after": None if undone and after is None else facts_of(event.session_id, after, **facts),
    }


def facts_of(session_id: int, presence: Presence | None, **more: str) -> dict[str, Any]:
    """An attendance as the audit trail keeps it."""
    found: dict[str, Any] = {"session": session_id, **more}
    if presence is not None:
        found["arrived_at"] = presence.arrived_at.isoformat()
        if presence.left_at is not None:
            found["left_at"] = presence.left_at.isoformat()
    return found


def _refuse(event: AttendanceInput, meeting: Meeting, state: EnrolmentState | None, now: datetime) -> None:
    """Raise DomainError, saying what to do, where somebody at the roster cannot do this."""
    correcting = event.method == AttendanceMethod.CORRECTION
    closed = correcting and meeting.offering_state in {OfferingState.PUBLISHED, OfferingState.CLOSED}
    if not closed or opens_at(meeting) > now:
        refuse_unless_running(meeting, meeting.offering_state, now)
    if state == EnrolmentState.ENROLLED or (correcting and state in HOLDS_PLACE):
        return
    if state == EnrolmentState.WAITLISTED:
        raise DomainError("waitlisted", N_("This person is on the waiting list. Use “Admit” below the roster."))
    raise DomainError(
        "enrolment_cancelled",
        N_("This person's enrolment was cancelled. If they may take part, add them as a walk-in."),
    )


def _doubt(
    event: AttendanceInput,
    meeting: Meeting,
    enrolment_id: int | None,
    state: EnrolmentState | None,
    *,
    timely: bool,
) -> ReviewReason | None:
    """Why an event cannot count at once, if it cannot."""
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


def _believed(event: AttendanceInput, meeting: Meeting, now: datetime) -> datetime:
    """The moment that somebody at the roster means: the phone's, where it can be right, else ours.

    An undo takes back what its sender sees, whatever the phone's clock makes of it.
    """
    told = event.told_at
    if told is None or event.kind == AttendanceKind.UNDO or not opens_at(meeting) <= told <= now + CLOCK_AHEAD:
        return now
    return min(told, now)


def _corrected(event: AttendanceInput, meeting: Meeting, now: datetime) -> tuple[datetime, bool]:
    """The device's time put right, and whether check-in was open then and it is not still to come."""
    if event.told_at is None:
        moment = now
    else:
        try:
            moment = event.told_at + timedelta(milliseconds=event.offset_ms or 0)
        except OverflowError:
            return now, False
    if moment > now + CLOCK_AHEAD:
        return moment, False
    moment = min(moment, now)
    return moment, opens_at(meeting) <= moment <= meeting.ends_at + CLOSES_AFTER


def _found(kind: AttendanceKind, before: Presence | None, after: Presence | None) -> Found:
    """What an event came to: the outcome, its code, and the attendance to be told of.

    Whoever is there already was checked in before, also when this arrival was the earlier one.
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


def _same(event: AttendanceInput, known: Stored) -> bool:
    """Whether an event is the one that came in under its id before. The offset is measured anew with each sending."""
    if event.ticket is not None:
        who = known.ticket == event.ticket_hash
    elif event.walk_in is not None:
        who = known.walk_in_id == event.walk_in.id
    else:
        who = known.sent_for == event.enrolment_id and known.ticket is None and known.walk_in_id is None
    told = known.answer is None or known.told_at == event.told_at
    return (
        who
        and told
        and (known.session_id, known.kind, known.method, known.reason, known.undoes)
        == (event.session_id, event.kind, event.method, event.reason, event.undoes)
    )


def _kept(answer: Recorded, by: UUID | None) -> dict[str, Any]:
    """The answer as it is stored with its event. Who was first is named by the event: names are kept in one place."""
    return {
        "outcome": answer.outcome,
        "code": answer.code,
        "arrived_at": answer.arrived_at,
        "left_at": answer.left_at,
        "by": by if answer.by is not None else None,
    }
