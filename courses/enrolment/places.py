"""Enrolment: who has a place in an offering, who waits for one, and in which order places are given.

Every change of places locks the offering's row first, so that two who ask for the last place are served one after the
other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session, aliased

from courses.enrolment import mail, trainees
from courses.enrolment.trainees import TraineeFacts
from courses.models.attendance import Attendance
from courses.models.enrolment import HOLDS_PLACE, Enrolment, EnrolmentSource, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.trainees import Trainee
from lms.core import audit, clock
from lms.core.errors import N_, DomainError, NotFound

OPEN_STATES = (EnrolmentState.ENROLLED, EnrolmentState.WAITLISTED)


@dataclass(frozen=True)
class SelfEnrolment:
    """The answer to somebody who enrolled by themselves. `again`: they were enrolled before, so no ticket is shown."""

    enrolment: Enrolment
    again: bool


@dataclass(frozen=True)
class AtTheDesk:
    """What staff see when they enrol somebody. Without an enrolment they have to confirm what is found first.

    clashes: sessions at whose time the person is enrolled elsewhere. differs: facts that the record has otherwise.
    """

    enrolment: Enrolment | None
    clashes: Sequence[CourseSession] = ()
    differs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Places:
    """The places of an offering: how many there are, are taken, are free, and how many people wait."""

    capacity: int
    taken: int
    waiting: int

    @property
    def free(self) -> int:
        """Places that can be given at once; none while others wait."""
        return 0 if self.waiting else max(0, self.capacity - self.taken)


def enrol(
    db: Session, offering_id: int, trainee: Trainee, *, source: EnrolmentSource, over_capacity: bool = False
) -> Enrolment:
    """Give a trainee a place, or the last position of the waiting list when there is none.

    over_capacity: give a place even when none is free; also to somebody who waits. Raises DomainError when the offering
    does not take enrolments or the trainee is in it already.
    """
    offering = _open(db, offering_id)
    live = of_trainee(db, offering_id, trainee.id)
    if live is not None:
        if over_capacity and live.state == EnrolmentState.WAITLISTED:
            _give(db, live, reason=None)
            return live
        raise DomainError("already_enrolled", N_("This trainee is already enrolled in this offering."))
    return _enter(db, offering, [trainee], source, over_capacity=over_capacity)[0]


def enrol_all(
    db: Session, offering_id: int, people: Sequence[Trainee], *, source: EnrolmentSource
) -> Sequence[Enrolment]:
    """Enrol many at once, in their order; whoever is in the offering already is left out. Raises DomainError as `enrol`."""
    offering = _open(db, offering_id)
    inside = set(
        db.scalars(
            select(Enrolment.trainee_id).where(
                Enrolment.offering_id == offering_id, Enrolment.state != EnrolmentState.CANCELLED
            )
        )
    )
    return _enter(db, offering, [person for person in people if person.id not in inside], source)


def enrol_at_desk(db: Session, offering: Offering, facts: TraineeFacts, *, confirmed: bool) -> AtTheDesk:
    """Register somebody and enrol them; what is unusual is shown first and done once it is confirmed."""
    facts = trainees.checked(facts)
    known = trainees.match(db, facts)
    if known is not None and not confirmed:
        found = AtTheDesk(None, clashes(db, known.id, offering.id), trainees.differences(known, facts))
        if found.clashes or found.differs:
            return found
    trainee = trainees.register(db, facts, offering.district_id)
    return AtTheDesk(enrol(db, offering.id, trainee, source=EnrolmentSource.STAFF))


def enrol_known(db: Session, offering: Offering, trainee: Trainee, *, confirmed: bool) -> AtTheDesk:
    """Enrol somebody from the register; overlapping sessions are shown first and done once they are confirmed."""
    found = () if confirmed else clashes(db, trainee.id, offering.id)
    if found:
        return AtTheDesk(None, found)
    return AtTheDesk(enrol(db, offering.id, trainee, source=EnrolmentSource.STAFF))


def enrol_oneself(db: Session, offering_id: int, facts: TraineeFacts) -> SelfEnrolment:
    """Enrol a visitor by what they say of themselves.

    Anybody may know a name and a phone, so a visitor fills no gap of a record we have, and whoever is enrolled already
    gets their ticket by the mail we know, never on the screen.
    """
    open_to_visitors(db, offering_id)
    registered = trainees.find_or_make(db, facts, fill=False)
    trainee = registered.trainee
    _locked(db, offering_id)
    live = of_trainee(db, offering_id, trainee.id)
    if live is not None:
        mail.enrolled(db, live)
        return SelfEnrolment(live, again=True)
    made = enrol(db, offering_id, trainee, source=EnrolmentSource.SELF)
    if registered.created:
        made.created_at = trainee.created_at  # one moment for both: this is how a ticket that made its record is known
    return SelfEnrolment(made, again=False)


def open_to_visitors(db: Session, offering_id: int) -> Offering:
    """An offering in which visitors may enrol by themselves. Raises DomainError saying why not; a draft is not found."""
    offering = db.get(Offering, offering_id)
    if offering is None or offering.state == OfferingState.DRAFT:
        raise NotFound
    if offering.state != OfferingState.PUBLISHED:
        raise DomainError("not_open", N_("This offering does not take enrolments any more. Choose another date."))
    if offering.by_invitation:
        raise DomainError(
            "by_invitation", N_("This offering is by invitation. Ask the host organisation for a place."), status=403
        )
    if not offering.sessions or offering.sessions[0].starts_at <= clock.now():
        raise DomainError("begun", N_("This offering has begun. Choose another date."))
    return offering


def cancel(db: Session, enrolment: Enrolment, reason: str) -> None:
    """Take a trainee out of an offering and give the place to the next who waits. Who attended stays in the record."""
    offering = _locked(db, enrolment.offering_id)
    db.refresh(enrolment)
    if enrolment.state not in OPEN_STATES or offering.state != OfferingState.PUBLISHED:
        raise DomainError("not_cancellable", N_("This enrolment cannot be cancelled any more."))
    if has_attended(db, enrolment):
        raise DomainError("attended", N_("This trainee was present at a session, so the enrolment stays."))
    before = enrolment.state
    enrolment.state = EnrolmentState.CANCELLED
    enrolment.cancelled_at, enrolment.cancel_reason = clock.now(), reason
    db.flush()
    audit.record(
        db, "enrolment.cancel", enrolment, before={"state": before}, after={"state": "cancelled"}, reason=reason
    )
    _move_up(db, offering)


def promote(db: Session, offering_id: int) -> Sequence[Enrolment]:
    """Give the free places of an offering to those who wait, in their order. Returns who got one."""
    return _move_up(db, _locked(db, offering_id))


def move_up(db: Session, enrolment: Enrolment) -> None:
    """Let somebody change places with the one before them on the waiting list."""
    _locked(db, enrolment.offering_id)
    db.refresh(enrolment)
    waiting = db.scalars(_waiting(enrolment.offering_id)).all()
    if enrolment not in waiting:
        raise DomainError("not_waiting", N_("This trainee is not on the waiting list any more."))
    place = waiting.index(enrolment)
    if place == 0:
        return
    ahead = waiting[place - 1]
    # Equal moments are ordered by the row's number, so swapping alone would not always move.
    ahead_at, own_at = ahead.queued_at, enrolment.queued_at
    if ahead_at is None or own_at is None:
        raise AssertionError("the database keeps a moment for everybody who waits")
    enrolment.queued_at = ahead_at
    ahead.queued_at = max(own_at, ahead_at + timedelta(microseconds=1))
    db.flush()
    audit.record(db, "enrolment.move_up", enrolment, before={"position": place + 1}, after={"position": place})


def give_place(db: Session, enrolment: Enrolment, reason: str) -> None:
    """Give somebody who waits a place out of turn, even beyond the capacity."""
    offering = _locked(db, enrolment.offering_id)
    db.refresh(enrolment)
    if enrolment.state != EnrolmentState.WAITLISTED or offering.state != OfferingState.PUBLISHED:
        raise DomainError("not_waiting", N_("This trainee is not on the waiting list any more."))
    _give(db, enrolment, reason=reason)


def overlapping(db: Session, enrolment: Enrolment) -> Sequence[CourseSession]:
    """Sessions of this enrolment's offering at whose time the trainee is enrolled elsewhere."""
    return clashes(db, enrolment.trainee_id, enrolment.offering_id)


def clashes(db: Session, trainee_id: int, offering_id: int) -> Sequence[CourseSession]:
    """Sessions of an offering at whose time a trainee is enrolled, or waits, in another offering."""
    return db.scalars(
        select(CourseSession)
        .where(CourseSession.offering_id == offering_id, _taken_elsewhere(trainee_id, offering_id))
        .order_by(CourseSession.starts_at)
    ).all()


def places_of(db: Session, offering: Offering) -> Places:
    """The places of an offering, counted now."""
    taken, waiting = db.execute(
        select(
            func.count().filter(Enrolment.state.in_(HOLDS_PLACE)),
            func.count().filter(Enrolment.state == EnrolmentState.WAITLISTED),
        ).where(Enrolment.offering_id == offering.id)
    ).one()
    return Places(offering.capacity, taken, waiting)


def position(db: Session, enrolment: Enrolment) -> int | None:
    """Where somebody stands on the waiting list, from 1; None for whoever does not wait."""
    if enrolment.state != EnrolmentState.WAITLISTED:
        return None
    ahead = func.row(Enrolment.queued_at, Enrolment.id) <= func.row(enrolment.queued_at, enrolment.id)
    return db.scalar(
        select(func.count()).where(
            Enrolment.offering_id == enrolment.offering_id, Enrolment.state == EnrolmentState.WAITLISTED, ahead
        )
    )


def of_trainee(db: Session, offering_id: int, trainee_id: int) -> Enrolment | None:
    """A trainee's enrolment in an offering, unless it was cancelled."""
    return db.scalars(
        select(Enrolment).where(
            Enrolment.offering_id == offering_id,
            Enrolment.trainee_id == trainee_id,
            Enrolment.state != EnrolmentState.CANCELLED,
        )
    ).one_or_none()


def has_attended(db: Session, enrolment: Enrolment) -> bool:
    """Whether the trainee counts as present at any session of this enrolment."""
    return bool(db.scalar(select(exists(select(1).where(Attendance.enrolment_id == enrolment.id)))))


def _open(db: Session, offering_id: int) -> Offering:
    offering = _locked(db, offering_id)
    if offering.state != OfferingState.PUBLISHED:
        raise DomainError(
            "not_open", N_("This offering does not take enrolments: it is not published, or it has ended.")
        )
    return offering


def _enter(
    db: Session,
    offering: Offering,
    people: Sequence[Trainee],
    source: EnrolmentSource,
    *,
    over_capacity: bool = False,
) -> Sequence[Enrolment]:
    """Give places, then positions on the waiting list, in a locked offering; who waits already goes first."""
    _move_up(db, offering)
    free = len(people) if over_capacity else places_of(db, offering).free
    last = _end_of_list(db, offering.id) if free < len(people) else clock.now()
    rows = []
    for number, trainee in enumerate(people):
        state = EnrolmentState.ENROLLED if number < free else EnrolmentState.WAITLISTED
        row = Enrolment(offering_id=offering.id, trainee_id=trainee.id, state=state, source=source)
        row.offering, row.trainee = offering, trainee
        if state == EnrolmentState.WAITLISTED:
            row.queued_at = last + timedelta(microseconds=number)
        rows.append(row)
    db.add_all(rows)
    db.flush()
    for row in rows:
        after = {"state": row.state, "source": source, "trainee": row.trainee_id}
        audit.record(db, "enrolment.create", row, after=after)
        if source != EnrolmentSource.WALK_IN:
            mail.enrolled(db, row)
    return rows


def _locked(db: Session, offering_id: int) -> Offering:
    offering = db.scalars(
        select(Offering).where(Offering.id == offering_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if offering is None:
        raise NotFound
    return offering


def _waiting(offering_id: int) -> Select[Enrolment]:
    return (
        select(Enrolment)
        .where(Enrolment.offering_id == offering_id, Enrolment.state == EnrolmentState.WAITLISTED)
        .order_by(Enrolment.queued_at, Enrolment.id)
        .execution_options(populate_existing=True)
    )


def _move_up(db: Session, offering: Offering) -> Sequence[Enrolment]:
    """Fill the free places of a locked offering. Nobody is called to one that is over."""
    places = places_of(db, offering)
    free = places.capacity - places.taken
    if not places.waiting or free <= 0 or offering.state != OfferingState.PUBLISHED or _is_over(db, offering):
        return ()
    lucky = db.scalars(_waiting(offering.id).limit(free)).all()
    for row in lucky:
        _give(db, row, reason=None)
    return lucky


def _give(db: Session, row: Enrolment, *, reason: str | None) -> None:
    row.state = EnrolmentState.ENROLLED
    db.flush()
    audit.record(
        db, "enrolment.promote", row, before={"state": "waitlisted"}, after={"state": "enrolled"}, reason=reason
    )
    mail.promoted(db, row)


def _is_over(db: Session, offering: Offering) -> bool:
    last = db.scalar(select(func.max(CourseSession.ends_at)).where(CourseSession.offering_id == offering.id))
    return last is not None and last <= clock.now()


def _end_of_list(db: Session, offering_id: int) -> datetime:
    """A moment after all who wait: servers' clocks may differ, the order may not."""
    last = db.scalar(
        select(func.max(Enrolment.queued_at)).where(
            Enrolment.offering_id == offering_id, Enrolment.state == EnrolmentState.WAITLISTED
        )
    )
    moment = clock.now()
    return moment if last is None else max(moment, last + timedelta(microseconds=1))


def _taken_elsewhere(trainee_id: int, offering_id: int) -> ColumnElement[bool]:
    other, row = aliased(CourseSession), aliased(Enrolment)
    return exists(
        select(1)
        .select_from(row)
        .join(other, other.offering_id == row.offering_id)
        .join(Offering, Offering.id == row.offering_id)
        .where(
            row.trainee_id == trainee_id,
            row.offering_id != offering_id,
            row.state.in_(OPEN_STATES),
            Offering.state == OfferingState.PUBLISHED,
            other.during.op("&&")(CourseSession.during),
        )
    )
