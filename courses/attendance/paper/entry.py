"""The entry of a signed paper sheet: times are typed as written, checked, confirmed as a preview, and recorded.

Only rows that were changed on the page are recorded. A time that replaces another undoes the older events by their ids, so
that the attendance equals the paper; the older events stay stored. Example: an arrival tapped at 09:01 and 09:20 on the
paper give an undo of the tap and an arrival at 09:20.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from courses.attendance import check_in_window, recording, stored_events
from courses.attendance.check_ins import NAME_LIMIT, AttendanceInput, CheckInAnswer, WalkIn
from courses.attendance.folding import fold
from courses.attendance.roster import RosterRow
from courses.attendance.stored_events import StoredEvent
from courses.device_events import BATCH_LIMIT
from courses.models.attendance import AttendanceKind, AttendanceMethod
from courses.models.offerings import CourseSession
from courses.outcomes import Outcome
from lms.core import audit, clock
from lms.core.errors import N_, DomainError

UNDO_REASON = "纸质签到表 Paper sign-in sheet"
WALK_IN_ROWS = 5
_CLOCK = re.compile(r"([0-9]{1,2})[:：.．时點点h ]([0-9]{1,2})分?|([0-9]{1,2})([0-9]{2})|([0-9]{1,2})[时點点]?")
_FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")

ROW_ERRORS = {
    "time": N_("This is not a time. Write 9:02, 0902 or 902."),
    "window": N_("This time is outside the session and the hours around it. Check it against the paper."),
    "ahead": N_("This time is in the future. Check it against the paper."),
    "order": N_("The time out is before the time in."),
    "no_arrival": N_("There is a time out but no time in. Enter both."),
    "no_name": N_("There is a time but no name."),
    "gone": N_("This person no longer has a place in this training, so the time cannot be entered."),
}


@dataclass(frozen=True)
class TypedRow:
    """A row as typed. was_came, was_left: the times on the page before anything was typed. name: of a walk-in only."""

    came: str = ""
    left: str = ""
    was_came: str = ""
    was_left: str = ""
    name: str = ""

    @property
    def touched(self) -> bool:
        """True where the row was changed on the page."""
        return bool(self.name) or (self.came, self.left) != (self.was_came, self.was_left)


@dataclass(frozen=True)
class TimeChange:
    """The times of one person (arrival, departure) before and after. `enrolment_id` None: a walk-in, stored for review."""

    name: str
    before: tuple[datetime | None, datetime | None]
    after: tuple[datetime | None, datetime | None]
    enrolment_id: int | None = None


@dataclass
class CheckedSheet:
    """The typed sheet compared with the roster.

    changes: in the roster's order. errors: msgids by row, which is an enrolment id as text, or a walk-in's key.
    """

    changes: list[TimeChange] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """A short hash of the changes; the preview sends it back, so that only what it showed is saved."""
        facts = [(change.enrolment_id, change.name, change.before, change.after) for change in self.changes]
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class SavedSheet:
    """The result of saving.

    changed: people whose times changed. waiting: people whose events wait for review. refused: names of people whose
    typed times do not hold, because a later undo on the roster takes them back.
    """

    changed: int
    waiting: int
    refused: Sequence[str]


def parse_time(text: str) -> time | None:
    """Read a time as people write it: 9:02, 0902, 902, 9.02, 9点02分, 9. None for a blank text. Raises ValueError."""
    text = text.strip().translate(_FULL_WIDTH)
    if not text:
        return None
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(text)
    parts = [part for part in match.groups() if part is not None]
    return time(int(parts[0]), int(parts[1]) if len(parts) > 1 else 0)


def moment_of(written: time, meeting: CourseSession, zone: ZoneInfo) -> datetime | None:
    """Return the moment of a written time at a session, or None where it lies outside the session's check-in window.

    The window may run past midnight. Example: at a session from 22:00 to 02:00 the time 1:30 is of the second day.
    """
    day = clock.day_of(check_in_window.opens_at(meeting), zone)
    last_day = clock.day_of(meeting.ends_at + check_in_window.CLOSES_AFTER, zone)
    while day <= last_day:
        moment = datetime.combine(day, written, zone)
        if check_in_window.contains(meeting, moment):
            return moment
        day += timedelta(days=1)
    return None


def check_sheet(
    meeting: CourseSession, rows: Sequence[RosterRow], typed: Mapping[str, TypedRow], *, zone: ZoneInfo, now: datetime
) -> CheckedSheet:
    """Compare the typed rows with the roster. `typed`: by enrolment id as text; by another key for a walk-in."""
    checked = CheckedSheet()
    roster_rows = {str(row.enrolment_id): row for row in rows}
    for key in [*(key for key in roster_rows if key in typed), *(key for key in typed if key not in roster_rows)]:
        typed_row = typed[key]
        if not typed_row.touched:
            continue
        row = roster_rows.get(key)
        try:
            after = _times(typed_row, meeting, zone, now)
            _refuse_impossible(key, typed_row, row, after)
        except _RowError as error:
            checked.errors[key] = ROW_ERRORS[error.args[0]]
            continue
        before = (row.arrived_at, row.left_at) if row is not None else (None, None)
        after = (_with_seconds_of(before[0], after[0]), _with_seconds_of(before[1], after[1]))
        if after != before:
            name = row.name if row is not None else typed_row.name[:NAME_LIMIT]
            checked.changes.append(TimeChange(name, before, after, row.enrolment_id if row is not None else None))
    return checked


def save_sheet(
    db: Session, meeting: CourseSession, checked: CheckedSheet, *, batch: UUID, seen: str, now: datetime
) -> SavedSheet:
    """Record the confirmed changes, once.

    batch: the id of this entry of the sheet; the events' ids derive from it, so that saving again changes nothing.
    seen: the `fingerprint` of the preview that was confirmed. Raises DomainError `paper_changed` where the changes differ.
    """
    if checked.errors or checked.fingerprint != seen:
        raise DomainError("paper_changed", N_("The data changed in the meantime. Check the list again, then confirm."))
    enrolments = [change.enrolment_id for change in checked.changes if change.enrolment_id is not None]
    stored = stored_events.read_events(db, sessions=[meeting.id], enrolments=enrolments)
    events: list[tuple[TimeChange, AttendanceInput]] = []
    for change in checked.changes:
        own = [
            event for event in stored if event.enrolment_id == change.enrolment_id and event.session_id == meeting.id
        ]
        events += [(change, event) for event in _events(meeting.id, change, own, batch)]
    answers: list[CheckInAnswer] = []
    for start in range(0, len(events), BATCH_LIMIT):
        batch_events = [event for _change, event in events[start : start + BATCH_LIMIT]]
        answers += recording.record_all(db, batch_events, user_id=audit.actor(db), now=now)
    last = {id(change): answer for (change, _event), answer in zip(events, answers, strict=True)}
    waiting = [
        change for change in checked.changes if id(change) in last and last[id(change)].outcome == Outcome.REVIEW
    ]
    refused = [
        change.name
        for change in checked.changes
        if change not in waiting and id(change) in last and not _holds(change, last[id(change)])
    ]
    return SavedSheet(len(checked.changes) - len(waiting) - len(refused), len(waiting), refused)


class _RowError(Exception):
    """The error of one typed row; its argument is a key of `ROW_ERRORS`."""


def _times(
    typed_row: TypedRow, meeting: CourseSession, zone: ZoneInfo, now: datetime
) -> tuple[datetime | None, datetime | None]:
    moments = []
    for text in (typed_row.came, typed_row.left):
        try:
            written = parse_time(text)
        except ValueError as error:
            raise _RowError("time") from error
        moment = moment_of(written, meeting, zone) if written is not None else None
        if written is not None and moment is None:
            raise _RowError("window")
        if moment is not None and moment > now:
            raise _RowError("ahead")
        moments.append(moment)
    return moments[0], moments[1]


def _refuse_impossible(
    key: str, typed_row: TypedRow, row: RosterRow | None, after: tuple[datetime | None, datetime | None]
) -> None:
    came, left = after
    if row is None and key.isdigit():
        raise _RowError("gone")
    if row is None and not typed_row.name:
        raise _RowError("no_name")
    if came is None and (left is not None or row is None):
        raise _RowError("no_arrival")
    if came is not None and left is not None and left < came:
        raise _RowError("order")


def _with_seconds_of(before: datetime | None, after: datetime | None) -> datetime | None:
    """Return the typed moment, or the stored one of the same minute: the page shows minutes, and no second may change."""
    same = before is not None and after is not None and before.replace(second=0, microsecond=0) == after
    return before if same else after


def _events(
    session_id: int, change: TimeChange, stored: Sequence[StoredEvent], batch: UUID
) -> Iterable[AttendanceInput]:
    """The events that turn the attendance into the typed times: first undos of what does not fit, then the new events."""
    came, left = change.after

    def event(kind: AttendanceKind, told_at: datetime, undoes: UUID | None = None) -> AttendanceInput:
        person = change.enrolment_id or change.name
        event_id = uuid5(batch, f"{person} {kind} {told_at} {undoes}")
        walk_in = WalkIn(uuid5(batch, change.name), change.name) if change.enrolment_id is None else None
        return AttendanceInput(
            event_id, session_id, change.enrolment_id, kind, AttendanceMethod.IMPORT, told_at=told_at,
            reason=UNDO_REASON if kind == AttendanceKind.UNDO else None, undoes=undoes, walk_in=walk_in,
        )  # fmt: skip

    presence = fold(stored_event.presence_event for stored_event in stored)
    kept_arrival_id = presence.event_id if presence is not None and came == presence.arrived_at else None
    new_events = [event(AttendanceKind.ARRIVE, came)] if came is not None and kept_arrival_id is None else []
    new_events += [event(AttendanceKind.LEAVE, left)] if left is not None else []
    not_to_undo = (
        {stored_event.undoes for stored_event in stored}
        | {new_event.id for new_event in new_events}
        | {kept_arrival_id}
    )
    for stored_event in sorted(stored, key=lambda stored_event: (stored_event.moment, stored_event.id)):
        if (
            stored_event.presence_event.valid
            and stored_event.kind != AttendanceKind.UNDO
            and stored_event.id not in not_to_undo
        ):
            # The undo carries the moment of its event; dated today it would lie outside the session's hours.
            yield event(AttendanceKind.UNDO, stored_event.moment, stored_event.id)
    yield from new_events


def _holds(change: TimeChange, answer: CheckInAnswer) -> bool:
    """Return whether the attendance after the last event equals the typed times."""
    came, left = change.after
    if answer.outcome == Outcome.REJECTED:
        return False
    return answer.present == (came is not None) and (
        came is None or (answer.arrived_at, answer.left_at) == (came, left)
    )
