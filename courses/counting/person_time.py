"""Person-times (人次): the counting rule, and the ledger that holds what was counted.

One person-time is the participation of one person in one offering: present at one or more of its sessions, however many
there are. A retest adds none; a refresher adds one, which also stands in its own column. A headcount adds its number
and no people; the same 300 pupils at both of two sessions are 300, so the headcount of an offering is the largest of
its sessions. All of it is dated by the day of the last session in the branch's time zone, and counted when the offering
is closed.

The ledger is append-only. Its lines are differences: the sum over the lines of an offering is what counting it now
gives (`courses.counting.recount` proves it). A frozen quarter never changes: a later correction is an adjustment in the
open quarter. Reports add up lines.
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
from lms.core.masks import mask_all


@dataclass(frozen=True)
class OfferingTotals:
    """The figures of one offering. `minutes`: attended minutes, summed over people and sessions."""

    enrolled: int = 0
    named: int = 0
    counted: int = 0
    minutes: int = 0
    passed: int = 0

    @property
    def person_times(self) -> int:
        """人次: people by name and people by headcount together."""
        return self.named + self.counted

    def __sub__(self, other: "OfferingTotals") -> "OfferingTotals":
        return OfferingTotals(
            self.enrolled - other.enrolled,
            self.named - other.named,
            self.counted - other.counted,
            self.minutes - other.minutes,
            self.passed - other.passed,
        )


def attended_minutes() -> ColumnElement[int]:
    """Return the SQL expression of the attended minutes, for statements that join Attendance with CourseSession.

    They are whole minutes within the session, from the check-in to the check-out, or to the end without a check-out. A
    check-in entered after the end (from paper, or as a correction) tells nothing of the arrival and counts from the
    start.
    """
    arrived = case(
        (Attendance.arrived_at >= CourseSession.ends_at, CourseSession.starts_at),
        else_=func.greatest(Attendance.arrived_at, CourseSession.starts_at),
    )
    left = func.least(Attendance.left_at, CourseSession.ends_at)  # of the end alone where nobody checked the person out
    stay = func.greatest(left - arrived, cast(literal("0"), Interval))
    # A double holds microseconds exactly here, and integers add up in a quarter of the time of numerics.
    return cast(func.floor(func.date_part("epoch", stay) / 60), Integer)


def recounted(condition: ColumnElement[bool] | None = None, *, ids: tuple[int, int] | None = None) -> Subquery:
    """Return a subquery that counts offerings from their attendances and headcounts, one row an offering.

    Columns: offering_id, the fields of `OfferingTotals`, `presences` (attendances, summed over people and sessions),
    `certified` (enrolments with a certificate), and `who`, an XOR of hashes of the people present, which differs when
    the set of people differs.
    condition: on Offering; all offerings without it. ids: the first and the last offering id; each of the three sums
    then has the bounds itself, so that each table is read by its index and each attendance once.
    """
    chosen = true() if condition is None else condition

    def narrowed(statement: Select[*tuple[Any, ...]], offering_id: Any) -> Select[*tuple[Any, ...]]:
        if ids is not None:
            return statement.where(offering_id.between(*ids))
        return statement.join(Offering, Offering.id == offering_id).where(chosen)

    minutes_of = (
        select(
            Enrolment.offering_id,
            Enrolment.trainee_id,
            func.sum(attended_minutes()).label("minutes"),
            func.count().label("presences"),
        )
        .join(Attendance, Attendance.enrolment_id == Enrolment.id)
        .join(CourseSession, CourseSession.id == Attendance.course_session_id)
        .group_by(Enrolment.offering_id, Enrolment.trainee_id)
    )
    if ids is not None:
        minutes_of = minutes_of.where(CourseSession.offering_id.between(*ids))
    participant = narrowed(minutes_of, Enrolment.offering_id).subquery("participant")
    presence = (
        select(
            participant.c.offering_id,
            func.count().label("named"),
            func.sum(cast(participant.c.minutes, Integer)).label("minutes"),
            func.sum(participant.c.presences).label("presences"),
            func.bit_xor(func.hashint8extended(participant.c.trainee_id, 0)).label("who"),
        )
        .group_by(participant.c.offering_id)
        .subquery("presence")
    )
    places = narrowed(
        select(
            Enrolment.offering_id,
            func.count().filter(Enrolment.state.in_(HOLDS_PLACE)).label("enrolled"),
            func.count().filter(Enrolment.state == EnrolmentState.COMPLETED).label("passed"),
            func.count(Enrolment.certified_at).label("certified"),
        ).group_by(Enrolment.offering_id),
        Enrolment.offering_id,
    ).subquery("places")
    heads = narrowed(
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
            whole(presence.c.presences, "presences"),
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


def total(db: Session, offering_id: int) -> OfferingTotals:
    """Count an offering now, from its attendances and headcounts."""
    counted = recounted(Offering.id == offering_id)
    row = db.execute(
        select(counted.c.enrolled, counted.c.named, counted.c.counted, counted.c.minutes, counted.c.passed)
    ).one_or_none()
    return OfferingTotals(*row) if row is not None else OfferingTotals()


def ledger_total(db: Session, offering_id: int) -> OfferingTotals:
    """Return the figures of an offering as the ledger has them: the sum of its lines."""
    lines = PersonTimeEntry
    sums = [
        cast(func.coalesce(func.sum(column), 0), BigInteger)
        for column in (lines.enrolled, lines.named, lines.counted, lines.minutes, lines.passed)
    ]
    row = db.execute(select(*sums).where(lines.offering_id == offering_id)).one()
    return OfferingTotals(row[0], row[1], row[2], row[3], row[4])


def counting_day(db: Session, offering_id: int, zone: ZoneInfo) -> date | None:
    """Return the day that an offering is dated by: the day on which its last session starts, in the branch's time zone."""
    starts = db.scalar(select(func.max(CourseSession.starts_at)).where(CourseSession.offering_id == offering_id))
    return clock.day_of(starts, zone) if starts is not None else None


def record_closing(db: Session, offering: Offering, zone: ZoneInfo) -> PersonTimeEntry:
    """Count an offering for the first time, dated by its `counted_on`, in the transaction that closes it.

    Where the quarter of that day is frozen already, the line is dated today. Raises DomainError for an offering that
    was counted before, and for one without sessions.
    """
    _lock(db, offering)
    if _closing_line(db, offering.id) is not None:
        raise DomainError(
            "already_counted",
            N_("This offering has already been closed and counted. To change it, make a correction and give a reason."),
        )
    day = offering.counted_on or counting_day(db, offering.id, zone)
    if day is None:
        raise DomainError("no_sessions", N_("An offering without sessions cannot be counted. Cancel it instead."))
    dated_on = clock.today(zone) if quarters.is_frozen(db, day) else day
    entry = _add_line(db, offering.id, total(db, offering.id), EntryKind.CLOSING, dated_on)
    participation.update(db, offering.id)
    return entry


def record_correction(db: Session, offering: Offering, reason: str, zone: ZoneInfo) -> PersonTimeEntry | None:
    """Write a ledger line for the difference between the attendances now and the ledger; None without one.

    A correction has the date of the closing line; where the quarter of that date is frozen, the line is an adjustment
    dated today. Both refer to the closing line. Raises DomainError for an offering that was never counted.
    """
    _lock(db, offering)
    closing = _closing_line(db, offering.id)
    if closing is None:
        raise DomainError("not_counted", N_("This offering is not closed yet, so there is nothing to correct."))
    participation.update(db, offering.id)
    difference = total(db, offering.id) - ledger_total(db, offering.id)
    if difference == OfferingTotals():
        return None
    frozen = quarters.is_frozen(db, closing.dated_on)
    return _add_line(
        db,
        offering.id,
        difference,
        EntryKind.ADJUSTMENT if frozen else EntryKind.CORRECTION,
        clock.today(zone) if frozen else closing.dated_on,
        corrects=closing,
        reason=reason,
    )


def record_certificates(db: Session, offering_id: int, number: int, on_day: date) -> PersonTimeEntry | None:
    """Count certificates newly issued for an offering, dated by the day of issue, in the transaction that issues them.

    number: enrolments certified for the first time; a replacement is no new certificate. Where the quarter of `on_day`
    is frozen, the line is dated by the first day of the first quarter after it that is open.
    """
    if number == 0:
        return None
    quarters.lock_open(db)
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


def frozen_quarter(db: Session, offering_id: int) -> Quarter | None:
    """Return the frozen quarter in which an offering was counted; a correction of it is an adjustment. None elsewhere."""
    closing = _closing_line(db, offering_id)
    if closing is None or not quarters.is_frozen(db, closing.dated_on):
        return None
    return Quarter.of(closing.dated_on)


def _lock(db: Session, offering: Offering) -> None:
    """Let concurrent corrections of an offering wait for one another, so that each counts what those before it changed."""
    db.flush()
    db.execute(select(Offering.id).where(Offering.id == offering.id).with_for_update())
    quarters.lock_open(db)


def _closing_line(db: Session, offering_id: int) -> PersonTimeEntry | None:
    return db.scalars(
        select(PersonTimeEntry).where(
            PersonTimeEntry.offering_id == offering_id, PersonTimeEntry.kind == EntryKind.CLOSING
        )
    ).one_or_none()


def _add_line(
    db: Session,
    offering_id: int,
    figures: OfferingTotals,
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
        reason=mask_all(reason),  # no row of record is ever altered
        enrolled=figures.enrolled,
        named=figures.named,
        counted=figures.counted,
        minutes=figures.minutes,
        passed=figures.passed,
    )
    db.add(entry)
    db.flush()
    return entry
