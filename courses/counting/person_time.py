"""The counting rule of person-times, and the ledger that keeps what was counted.

One person-time is one person's participation in one offering: present at one or more of its sessions, however many there
are. A retest adds none; a refresher adds one, shown in its own column too. A headcount adds its number and no people; the
same 300 pupils at both of two sessions are 300, so an offering's headcount is the largest of its sessions'. All of it is
dated by the day of the offering's last session in the branch's time zone, and counted when the offering is closed.

The ledger is append-only. Its lines are differences: an offering's sum is what a recount gives (`courses.counting.recount` proves
it). A frozen quarter never changes: what is corrected later is an adjustment in the open one. Reports add lines up.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Interval,
    Select,
    Subquery,
    case,
    cast,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.orm import Session

from courses.counting import participation, quarters
from courses.counting.quarters import Quarter
from courses.models.attendance import Attendance
from courses.models.enrolment import HOLDS_PLACE, Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering
from courses.models.person_time import EntryKind, PersonTimeEntry
from lms.core import audit, clock
from lms.core.errors import N_, DomainError


@dataclass(frozen=True)
class Totals:
    """What one offering adds to the figures. `minutes` are attended minutes, summed over people and sessions."""

    enrolled: int = 0
    named: int = 0
    counted: int = 0
    minutes: int = 0
    passed: int = 0

    @property
    def person_times(self) -> int:
        """人次: the named and the counted together."""
        return self.named + self.counted

    def __sub__(self, other: "Totals") -> "Totals":
        return Totals(
            self.enrolled - other.enrolled,
            self.named - other.named,
            self.counted - other.counted,
            self.minutes - other.minutes,
            self.passed - other.passed,
        )


def attended_minutes() -> ColumnElement[int]:
    """Whole minutes of one attendance, within its session, for statements over Attendance and CourseSession.

    From the check-in to leaving, or to the end for who was not checked out. A check-in entered after the session's end
    (from paper, or as a correction) says nothing of when the person came, and counts from the start.
    """
    came = case(
        (Attendance.arrived_at >= CourseSession.ends_at, CourseSession.starts_at),
        else_=func.greatest(Attendance.arrived_at, CourseSession.starts_at),
    )
    went = func.least(func.coalesce(Attendance.left_at, CourseSession.ends_at), CourseSession.ends_at)
    stay = func.greatest(went - came, cast(literal("0"), Interval))
    # A double holds microseconds exactly, and small numbers add up in a quarter of the time of numeric ones.
    return cast(func.floor(func.date_part("epoch", stay) / 60), Integer)


def recounted(of: ColumnElement[bool] | None = None, *, ids: tuple[int, int] | None = None) -> Subquery:
    """Each offering's figures from the attendances and headcounts: offering_id, the fields of `Totals`, `certified`, `who`.

    of: which offerings, as a condition on Offering; all unless told. ids: only those from the first id to the second; said
    of each table apart, so that each is read by its index and each attendance once. Three sums, each made in one pass.
    `who`: a sum of those present in which any other set of people would show.
    """
    chosen = true() if of is None else of

    def wanted(statement: Select[*tuple[Any, ...]], offering_id: Any) -> Select[*tuple[Any, ...]]:
        if ids is not None:
            return statement.where(offering_id.between(*ids))
        return statement.join(Offering, Offering.id == offering_id).where(chosen)

    each = (
        select(Enrolment.offering_id, Enrolment.trainee_id, func.sum(attended_minutes()).label("minutes"))
        .join(Attendance, Attendance.enrolment_id == Enrolment.id)
        .join(CourseSession, CourseSession.id == Attendance.course_session_id)
        .group_by(Enrolment.offering_id, Enrolment.trainee_id)
    )
    if ids is not None:
        each = each.where(CourseSession.offering_id.between(*ids))
    there = wanted(each, Enrolment.offering_id).subquery("each")
    presence = (
        select(
            there.c.offering_id,
            func.count().label("named"),
            func.sum(cast(there.c.minutes, Integer)).label("minutes"),
            func.bit_xor(func.hashint8extended(there.c.trainee_id, 0)).label("who"),
        )
        .group_by(there.c.offering_id)
        .subquery("presence")
    )
    places = wanted(
        select(
            Enrolment.offering_id,
            func.count().filter(Enrolment.state.in_(HOLDS_PLACE)).label("enrolled"),
            func.count().filter(Enrolment.state == EnrolmentState.COMPLETED).label("passed"),
            func.count(Enrolment.certified_at).label("certified"),
        ).group_by(Enrolment.offering_id),
        Enrolment.offering_id,
    ).subquery("places")
    heads = wanted(
        select(CourseSession.offering_id, func.max(CourseSession.headcount).label("counted")).group_by(
            CourseSession.offering_id
        ),
        CourseSession.offering_id,
    ).subquery("heads")

    def whole(column: ColumnElement[Any], name: str) -> ColumnElement[int]:
        return cast(func.coalesce(column, 0), BigInteger).label(name)

    return (
        select(
            Offering.id.label("offering_id"),
            whole(places.c.enrolled, "enrolled"),
            whole(presence.c.named, "named"),
            whole(heads.c.counted, "counted"),
            whole(presence.c.minutes, "minutes"),
            whole(places.c.passed, "passed"),
            whole(places.c.certified, "certified"),
            whole(presence.c.who, "who"),
        )
        .select_from(Offering)
        .outerjoin(presence, presence.c.offering_id == Offering.id)
        .outerjoin(places, places.c.offering_id == Offering.id)
        .outerjoin(heads, heads.c.offering_id == Offering.id)
        .where(chosen, true() if ids is None else Offering.id.between(*ids))
        .subquery("recounted")
    )


def total(db: Session, offering_id: int) -> Totals:
    """An offering's figures, counted now from its attendances and headcounts."""
    counted = recounted(Offering.id == offering_id)
    row = db.execute(
        select(counted.c.enrolled, counted.c.named, counted.c.counted, counted.c.minutes, counted.c.passed)
    ).one_or_none()
    return Totals(*row) if row is not None else Totals()


def kept(db: Session, offering_id: int) -> Totals:
    """An offering's figures as the ledger has them: the sum of its lines."""
    lines = PersonTimeEntry
    sums = [
        cast(func.coalesce(func.sum(column), 0), BigInteger)
        for column in (lines.enrolled, lines.named, lines.counted, lines.minutes, lines.passed)
    ]
    row = db.execute(select(*sums).where(lines.offering_id == offering_id)).one()
    return Totals(row[0], row[1], row[2], row[3], row[4])


def counting_day(db: Session, offering_id: int, zone: ZoneInfo) -> date | None:
    """The day an offering is dated by: that on which its last session begins, in the branch's time zone."""
    starts = db.scalar(select(func.max(CourseSession.starts_at)).where(CourseSession.offering_id == offering_id))
    return clock.day_of(starts, zone) if starts is not None else None


def record_closing(db: Session, offering: Offering, zone: ZoneInfo) -> PersonTimeEntry:
    """Count an offering for the first time: one line, dated by its `counted_on`, in the transaction that closes it.

    When that day's quarter is frozen already, the line is dated today. Raises DomainError if it was counted before.
    """
    _hold(db, offering)
    if _closing(db, offering.id) is not None:
        raise DomainError(
            "already_counted", N_("This offering was closed and counted already. Correct it, giving a reason.")
        )
    day = offering.counted_on or counting_day(db, offering.id, zone)
    if day is None:
        raise DomainError("no_sessions", N_("An offering without sessions cannot be counted. Cancel it instead."))
    dated_on = clock.today(zone) if quarters.is_frozen(db, day) else day
    entry = _write(db, offering.id, total(db, offering.id), EntryKind.CLOSING, dated_on)
    participation.follow(db, offering.id)
    return entry


def record_correction(db: Session, offering: Offering, reason: str, zone: ZoneInfo) -> PersonTimeEntry | None:
    """Bring the ledger to what the attendances say now. None, and no line, when nothing differs.

    A correction is dated as the offering's first line; where that quarter is frozen it is an adjustment, dated today.
    Either names the line it corrects. Raises DomainError when the offering was never counted.
    """
    _hold(db, offering)
    closing = _closing(db, offering.id)
    if closing is None:
        raise DomainError("not_counted", N_("This offering is not closed yet, so there is nothing to correct."))
    participation.follow(db, offering.id)
    difference = total(db, offering.id) - kept(db, offering.id)
    if difference == Totals():
        return None
    frozen = quarters.is_frozen(db, closing.dated_on)
    return _write(
        db,
        offering.id,
        difference,
        EntryKind.ADJUSTMENT if frozen else EntryKind.CORRECTION,
        clock.today(zone) if frozen else closing.dated_on,
        corrects=closing,
        reason=reason,
    )


def record_certificates(db: Session, offering_id: int, number: int, on_day: date) -> PersonTimeEntry | None:
    """Count certificates newly issued for an offering, dated as issued, in the transaction that issues them.

    number: enrolments certified for the first time; a replacement is no new certificate. Where the quarter of that day is
    frozen, they are dated by the first day of the first one that is open.
    """
    if number == 0:
        return None
    quarters.hold_open(db)
    while quarters.is_frozen(db, on_day):
        on_day = Quarter.of(on_day).next.first
    entry = PersonTimeEntry(
        offering_id=offering_id,
        kind=EntryKind.CERTIFICATION,
        dated_on=on_day,
        recorded_at=clock.now(),
        recorded_by=audit.actor(db),
        certificates=number,
    )
    db.add(entry)
    db.flush()
    return entry


def _hold(db: Session, offering: Offering) -> None:
    """Two people who correct the same offering take turns, so that the second counts what the first changed."""
    db.flush()
    db.execute(select(Offering.id).where(Offering.id == offering.id).with_for_update())
    quarters.hold_open(db)


def _closing(db: Session, offering_id: int) -> PersonTimeEntry | None:
    return db.scalars(
        select(PersonTimeEntry).where(
            PersonTimeEntry.offering_id == offering_id, PersonTimeEntry.kind == EntryKind.CLOSING
        )
    ).one_or_none()


def _write(
    db: Session,
    offering_id: int,
    figures: Totals,
    kind: EntryKind,
    dated_on: date,
    *,
    corrects: PersonTimeEntry | None = None,
    reason: str | None = None,
) -> PersonTimeEntry:
    entry = PersonTimeEntry(
        offering_id=offering_id,
        kind=kind,
        dated_on=dated_on,
        recorded_at=clock.now(),
        recorded_by=audit.actor(db),
        corrects_id=corrects.id if corrects else None,
        reason=reason,
        enrolled=figures.enrolled,
        named=figures.named,
        counted=figures.counted,
        minutes=figures.minutes,
        passed=figures.passed,
    )
    db.add(entry)
    db.flush()
    return entry
