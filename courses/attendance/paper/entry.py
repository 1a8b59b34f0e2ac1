"""A signed paper sheet, entered afterwards: times as written, looked at before they are stored, stored through the one door.

Only what was changed on the page is written. A time that replaces another takes the older check-ins back by name, so that
the paper's word stands and everything that was said before is kept.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from courses.attendance import recording, stored_events
from courses.attendance.check_ins import NAME_LIMIT
from courses.attendance.folding import fold
from courses.attendance.recording import AttendanceInput, Outcome, Recorded, WalkIn
from courses.attendance.roster import Row
from courses.attendance.stored_events import CLOSES_AFTER, Stored
from courses.models.attendance import AttendanceKind, AttendanceMethod
from courses.models.offerings import CourseSession
from lms.core import audit
from lms.core.errors import N_, DomainError

REASON = "纸质签到表 Paper sign-in sheet"
WALK_INS = 5
_CLOCK = re.compile(r"([0-9]{1,2})[:：.．时點点h ]([0-9]{1,2})分?|([0-9]{1,2})([0-9]{2})|([0-9]{1,2})[时點点]?")
_FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")

ERRORS = {
    "time": N_("This is not a time. Write 9:02, 0902 or 902."),
    "window": N_("This time lies outside the session and the hours around it. Check it against the paper."),
    "ahead": N_("This time has not come yet. Check it against the paper."),
    "order": N_("The time out is before the time in."),
    "no_arrival": N_("There is a time out but no time in. Enter both."),
    "no_name": N_("There is a time and no name."),
    "gone": N_("This person has no place in this training any more, so the time cannot be entered."),
}


@dataclass(frozen=True)
class Typed:
    """One row as typed. `was_…`: what stood there when the page was made. Without an enrolment it is a walk-in's, by name."""

    came: str = ""
    left: str = ""
    was_came: str = ""
    was_left: str = ""
    name: str = ""

    @property
    def touched(self) -> bool:
        """Whether anything was changed on the page."""
        return bool(self.name) or (self.came, self.left) != (self.was_came, self.was_left)


@dataclass(frozen=True)
class Change:
    """What storing would do to one person. `enrolment_id` None: a walk-in, who is kept for review."""

    name: str
    before: tuple[datetime | None, datetime | None]
    after: tuple[datetime | None, datetime | None]
    enrolment_id: int | None = None


@dataclass
class Checked:
    """The sheet held against the roster: `changes` in the roster's order, `errors` by row (enrolment, or a walk-in's place)."""

    changes: list[Change] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def seen(self) -> str:
        """What was shown to whoever confirms, in short."""
        facts = [(one.enrolment_id, one.name, one.before, one.after) for one in self.changes]
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Saved:
    """What storing did: how many people's times changed, how many wait for review, and whose times did not come to stand."""

    changed: int
    waiting: int
    refused: Sequence[str]


def clock_of(text: str) -> time | None:
    """The time that somebody wrote: 9:02, 0902, 902, 9.02, 9点02分, 9. None for an empty field. Raises ValueError."""
    text = text.strip().translate(_FULL_WIDTH)
    if not text:
        return None
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError(text)
    parts = [part for part in found.groups() if part is not None]
    return time(int(parts[0]), int(parts[1]) if len(parts) > 1 else 0)


def moment_of(written: time, meeting: CourseSession, zone: ZoneInfo) -> datetime | None:
    """The moment of a written time at a session, which may run past midnight; None outside its check-in hours."""
    opens, ends = recording.opens_at(meeting), meeting.ends_at + CLOSES_AFTER
    day = opens.astimezone(zone).date()
    while day <= ends.astimezone(zone).date():
        moment = datetime.combine(day, written, zone)
        if opens <= moment <= ends:
            return moment
        day += timedelta(days=1)
    return None


def check(
    meeting: CourseSession, rows: Sequence[Row], typed: Mapping[str, Typed], *, zone: ZoneInfo, now: datetime
) -> Checked:
    """Hold what was typed against the roster. `typed` by enrolment id, or by any other word for a walk-in."""
    checked = Checked()
    by_id = {str(row.enrolment_id): row for row in rows}
    for key in [*(key for key in by_id if key in typed), *(key for key in typed if key not in by_id)]:
        sent = typed[key]
        if not sent.touched:
            continue
        row = by_id.get(key)
        try:
            after = _times(sent, meeting, zone, now)
            _refuse_unlikely(key, sent, row, after)
        except _Wrong as wrong:
            checked.errors[key] = ERRORS[wrong.args[0]]
            continue
        before = (row.arrived_at, row.left_at) if row is not None else (None, None)
        after = (_kept(before[0], after[0]), _kept(before[1], after[1]))
        if after != before:
            name = row.name if row is not None else sent.name[:NAME_LIMIT]
            checked.changes.append(Change(name, before, after, row.enrolment_id if row is not None else None))
    return checked


def save(db: Session, meeting: CourseSession, checked: Checked, *, batch: UUID, seen: str, now: datetime) -> Saved:
    """Store what was confirmed, once: `batch` names this sheet's entering, so that sending it again changes nothing.

    Raises DomainError `paper_changed` when it is not any more what was shown as `seen`.
    """
    if checked.errors or checked.seen != seen:
        raise DomainError("paper_changed", N_("The data changed in the meantime. Check the list again, then confirm."))
    whose = [one.enrolment_id for one in checked.changes if one.enrolment_id is not None]
    stored = stored_events.history(db, sessions=[meeting.id], enrolments=whose)
    events: list[tuple[Change, AttendanceInput]] = []
    for one in checked.changes:
        known = [row for row in stored if row.enrolment_id == one.enrolment_id and row.session_id == meeting.id]
        events += [(one, event) for event in _events(meeting.id, one, known, batch)]
    answers: list[Recorded] = []
    for start in range(0, len(events), recording.BATCH_LIMIT):
        part = [event for _change, event in events[start : start + recording.BATCH_LIMIT]]
        answers += recording.record_all(db, part, user_id=audit.actor(db), now=now)
    last = {id(one): answer for (one, _event), answer in zip(events, answers, strict=True)}
    waiting = [one for one in checked.changes if id(one) in last and last[id(one)].outcome == Outcome.REVIEW]
    refused = [
        one.name
        for one in checked.changes
        if one not in waiting and id(one) in last and not _stands(one, last[id(one)])
    ]
    return Saved(len(checked.changes) - len(waiting) - len(refused), len(waiting), refused)


class _Wrong(Exception):
    """A row that cannot be taken as it is; its argument is a key of ERRORS."""


def _times(
    sent: Typed, meeting: CourseSession, zone: ZoneInfo, now: datetime
) -> tuple[datetime | None, datetime | None]:
    found = []
    for text in (sent.came, sent.left):
        try:
            written = clock_of(text)
        except ValueError as error:
            raise _Wrong("time") from error
        moment = moment_of(written, meeting, zone) if written is not None else None
        if written is not None and moment is None:
            raise _Wrong("window")
        if moment is not None and moment > now:
            raise _Wrong("ahead")
        found.append(moment)
    return found[0], found[1]


def _refuse_unlikely(key: str, sent: Typed, row: Row | None, after: tuple[datetime | None, datetime | None]) -> None:
    came, left = after
    if row is None and key.isdigit():
        raise _Wrong("gone")
    if row is None and not sent.name:
        raise _Wrong("no_name")
    if came is None and (left is not None or row is None):
        raise _Wrong("no_arrival")
    if came is not None and left is not None and left < came:
        raise _Wrong("order")


def _kept(before: datetime | None, after: datetime | None) -> datetime | None:
    """What stood there already keeps its seconds: the page shows minutes."""
    same = before is not None and after is not None and before.replace(second=0, microsecond=0) == after
    return before if same else after


def _events(session_id: int, change: Change, known: Sequence[Stored], batch: UUID) -> Iterable[AttendanceInput]:
    came, left = change.after

    def event(kind: AttendanceKind, told_at: datetime, undoes: UUID | None = None) -> AttendanceInput:
        who = change.enrolment_id or change.name
        identity = uuid5(batch, f"{who} {kind} {told_at} {undoes}")
        walk_in = WalkIn(uuid5(batch, change.name), change.name) if change.enrolment_id is None else None
        return AttendanceInput(
            identity, session_id, change.enrolment_id, kind, AttendanceMethod.IMPORT, told_at=told_at,
            reason=REASON if kind == AttendanceKind.UNDO else None, undoes=undoes, walk_in=walk_in,
        )  # fmt: skip

    presence = fold(row.event for row in known)
    kept = presence.event_id if presence is not None and came == presence.arrived_at else None
    wanted = [event(AttendanceKind.ARRIVE, came)] if came is not None and kept is None else []
    wanted += [event(AttendanceKind.LEAVE, left)] if left is not None else []
    spared = {row.undoes for row in known} | {one.id for one in wanted} | {kept}
    for row in sorted(known, key=lambda row: (row.moment, row.id)):
        if row.event.valid and row.kind != AttendanceKind.UNDO and row.id not in spared:
            # Told of the moment that it takes back: one told of today would lie outside the session's hours.
            yield event(AttendanceKind.UNDO, row.moment, row.id)
    yield from wanted


def _stands(change: Change, answer: Recorded) -> bool:
    came, left = change.after
    if answer.outcome == Outcome.REJECTED:
        return False
    return answer.present == (came is not None) and (
        came is None or (answer.arrived_at, answer.left_at) == (came, left)
    )
