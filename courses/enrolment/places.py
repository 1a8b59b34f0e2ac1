"""The places of an offering: enrolling trainees, cancelling enrolments, and the waiting list.

Every change of places locks the offering's row first, so that two concurrent enrolments cannot both take the last
place.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from courses.enrolment import clashes, identity_conflicts, mail, trainees, trainees_rights, waiting_groups, waiting_list
from courses.enrolment.trainees import TraineeFacts
from courses.enrolment.waiting_list import lock_offering
from courses.models.attendance import Attendance
from courses.models.enrolment import ACTIVE_STATES, Enrolment, EnrolmentGroup, EnrolmentSource, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.trainees import Trainee
from lms.core import audit, clock
from lms.core.errors import N_, DomainError, NotFound
from lms.core.scope import Scope


@dataclass(frozen=True)
class SelfEnrolmentResult:
    """The result of enrolling by oneself.

    With `already_enrolled` the page shows no ticket: the trainee got it earlier.
    """

    enrolment: Enrolment
    already_enrolled: bool


@dataclass(frozen=True)
class StaffEnrolmentResult:
    """The result of enrolling a person by staff: an enrolment, or None while staff have to confirm the warnings first.

    `clashes` are the sessions at whose time the person is enrolled elsewhere. `differences` are the names of the facts
    in which the input differs from the person's record. With `conflict` the ID number belongs to a record of another name;
    confirming helps nothing, and the result says nothing of the record.
    """

    enrolment: Enrolment | None
    clashes: Sequence[CourseSession] = ()
    differences: tuple[str, ...] = ()
    conflict: bool = False


def enrol(
    db: Session,
    offering_id: int,
    trainee: Trainee,
    *,
    source: EnrolmentSource,
    given: TraineeFacts | None = None,
    over_capacity: bool = False,
    tell: bool = True,
) -> Enrolment:
    """Give a trainee a place, or the last position of the waiting list when no place is free.

    given: the facts that were given for this enrolment; what is sent about it goes to their phone and e-mail address.
    tell: send the ticket.
    With `over_capacity` the trainee gets a place even when none is free, also when the trainee is on the waiting list.
    Raises DomainError `not_open` when the offering does not take enrolments, `already_enrolled` when the trainee is in
    it.
    """
    offering = _lock_published(db, offering_id)
    enrolment = find_enrolment(db, offering_id, trainee.id)
    if enrolment is not None:
        if over_capacity and enrolment.state == EnrolmentState.WAITLISTED:
            waiting_list.give_place(db, enrolment, reason=None)
            return enrolment
        raise DomainError("already_enrolled", N_("This trainee is already enrolled in this offering."))
    return _add_enrolments(db, offering, [(trainee, given)], source, over_capacity=over_capacity, tell=tell)[0]


def enrol_all(
    db: Session,
    offering_id: int,
    people: Sequence[tuple[Trainee, TraineeFacts | None]],
    *,
    source: EnrolmentSource,
    may_split: bool | None = None,
) -> Sequence[Enrolment]:
    """Enrol several trainees, each with the facts that were given, in their order.

    may_split, where the free places do not suffice: True gives them to the first of these people, and those who wait may
    get places one by one; False keeps all of them waiting together; with None the people are no group.

    Trainees who are in the offering already are left out. Returns the new enrolments. Raises DomainError `not_open` as
    `enrol` does, and `group_too_large` where people who stay together are more than the offering has places.
    """
    offering = _lock_published(db, offering_id)
    enrolled_ids = enrolled_trainee_ids(db, offering_id)
    new = [(trainee, given) for trainee, given in people if trainee.id not in enrolled_ids]
    if may_split is False and len(new) > offering.capacity:
        raise DomainError(
            "group_too_large", N_("This offering has fewer places than there are people, so they cannot stay together.")
        )
    return _add_enrolments(db, offering, new, source, may_split=may_split)


def enrol_by_staff(
    db: Session, offering: Offering, facts: TraineeFacts, scope: Scope, *, confirmed: bool, today: date
) -> StaffEnrolmentResult:
    """Register a person and enrol the person.

    Clashing sessions, and input that differs from a record that the scope may change, are returned first; the person is
    enrolled once staff have confirmed them. An ID number whose record has another name is counted (today: the day in the
    branch's calendar) and enrols nobody. Raises DomainError `too_many_conflicts` beside what `enrol` raises.
    """
    facts = trainees.validate(facts)
    identity_conflicts.refuse_after_many(db, [facts], today)
    known = trainees.match(db, facts)
    if known is not None and trainees.is_conflict(known, facts):
        identity_conflicts.count(db, [known], today)
        return StaffEnrolmentResult(None, conflict=True)
    if known is not None and not confirmed:
        may_change = trainees_rights.may_change(db, known, scope)
        differences = trainees.find_differences(known, facts) if may_change else ()
        warnings = StaffEnrolmentResult(None, clashes.find(db, known.id, offering.id), differences)
        if warnings.clashes or warnings.differences:
            return warnings
    trainee = trainees.register(db, facts, offering.district_id, scope=scope)
    return StaffEnrolmentResult(enrol(db, offering.id, trainee, source=EnrolmentSource.STAFF, given=facts))


def enrol_registered(
    db: Session, offering: Offering, trainee: Trainee, *, confirmed: bool, given: TraineeFacts | None = None
) -> StaffEnrolmentResult:
    """Enrol a trainee of the register.

    Clashing sessions are returned first; staff confirm them to enrol the trainee. given: as in `enrol`.
    """
    clashing = () if confirmed else clashes.find(db, trainee.id, offering.id)
    if clashing:
        return StaffEnrolmentResult(None, clashing)
    return StaffEnrolmentResult(enrol(db, offering.id, trainee, source=EnrolmentSource.STAFF, given=given))


def enrol_oneself(
    db: Session,
    offering_id: int,
    facts: TraineeFacts,
    *,
    tell: bool = True,
    companion: Enrolment | None = None,
    may_split: bool = False,
) -> SelfEnrolmentResult:
    """Enrol a visitor by the facts that the visitor gives. tell: send the ticket, which the page shows in any case.

    companion: the enrolment of the person with whom this one comes; if both have to wait, they wait together (`may_split`:
    as in `waiting_groups.join`).

    Anybody may know the name and the phone of another person. So a visitor's facts fill no gap of an existing record,
    and a trainee who is enrolled already gets the ticket by a message to the contact of the enrolment, never on the screen.
    """
    get_open_to_visitors(db, offering_id)
    facts = trainees.validate(facts)
    trainee = trainees.find_or_create(db, facts).trainee
    lock_offering(db, offering_id)
    existing = find_enrolment(db, offering_id, trainee.id)
    if existing is not None:
        mail.send_again(db, existing)
        return SelfEnrolmentResult(existing, already_enrolled=True)
    enrolment = enrol(db, offering_id, trainee, source=EnrolmentSource.SELF, given=facts, tell=tell)
    if companion is not None:
        db.refresh(companion)
        waiting_groups.join(db, companion, enrolment, may_split=may_split)
    return SelfEnrolmentResult(enrolment, already_enrolled=False)


def get_open_to_visitors(db: Session, offering_id: int) -> Offering:
    """An offering in which visitors can enrol by themselves.

    Raises NotFound for a draft, and DomainError `not_open`, `by_invitation` or `begun`.
    """
    offering = db.get(Offering, offering_id)
    if offering is None or offering.state == OfferingState.DRAFT:
        raise NotFound
    if offering.state != OfferingState.PUBLISHED:
        raise DomainError("not_open", N_("This offering no longer accepts enrolments. Choose another date."))
    if offering.by_invitation:
        raise DomainError(
            "by_invitation", N_("This offering is by invitation. Ask the host organisation for a place."), status=403
        )
    if not offering.sessions or offering.sessions[0].starts_at <= clock.now():
        raise DomainError("begun", N_("This offering has begun. Choose another date."))
    return offering


def cancel(db: Session, enrolment: Enrolment, reason: str) -> None:
    """Cancel an enrolment; its place goes to the waiting list. A reminder that was not sent yet is withdrawn.

    Raises DomainError `not_cancellable`, or `attended` for a trainee who was present at a session.
    """
    offering = lock_offering(db, enrolment.offering_id)
    db.refresh(enrolment)
    if enrolment.state not in ACTIVE_STATES or offering.state != OfferingState.PUBLISHED:
        raise DomainError("not_cancellable", N_("This enrolment can no longer be cancelled."))
    if has_attended(db, enrolment):
        raise DomainError(
            "attended", N_("This trainee was present at a session, so the enrolment cannot be cancelled.")
        )
    waiting_list.leave(db, enrolment, reason)
    waiting_list.serve(db, offering)


def promote(db: Session, offering_id: int) -> Sequence[Enrolment]:
    """Offer or give the free places of an offering to the waiting list, in its order. Returns those who were served."""
    return waiting_list.serve(db, lock_offering(db, offering_id))


def move_up(db: Session, enrolment: Enrolment) -> None:
    """Swap an enrolment, or the group that is kept together with it, with whoever stands before it on the waiting list.

    Raises DomainError `not_waiting`.
    """
    lock_offering(db, enrolment.offering_id)
    db.refresh(enrolment)
    waiting = waiting_list.parties(db, enrolment.offering_id)
    index = next((at for at, party in enumerate(waiting) if enrolment in party.members), None)
    if index is None:
        raise DomainError("not_waiting", N_("This trainee is no longer on the waiting list."))
    if index == 0:
        return
    before = sum(party.size for party in waiting[:index]) + 1
    in_order = [*waiting[index].members, *waiting[index - 1].members]
    # Equal moments are ordered by the row's id, so swapping the moments alone would not always swap the positions.
    previous: datetime | None = None
    moments = sorted(waiting_list.queued_at(each) for each in in_order)
    for member, moment in zip(in_order, moments, strict=True):
        member.queued_at = moment if previous is None else max(moment, previous + timedelta(microseconds=1))
        previous = member.queued_at
    db.flush()
    after = before - waiting[index - 1].size
    audit.record(db, "enrolment.move_up", enrolment, before={"position": before}, after={"position": after})


def give_place(db: Session, enrolment: Enrolment, reason: str) -> None:
    """Give a waiting trainee a place out of turn, even beyond the capacity. Raises DomainError `not_waiting`."""
    offering = lock_offering(db, enrolment.offering_id)
    db.refresh(enrolment)
    if enrolment.state != EnrolmentState.WAITLISTED or offering.state != OfferingState.PUBLISHED:
        raise DomainError("not_waiting", N_("This trainee is no longer on the waiting list."))
    waiting_list.give_place(db, enrolment, reason=reason)


def enrolled_trainee_ids(db: Session, offering_id: int) -> set[int]:
    """The ids of the trainees whose enrolment in an offering was not cancelled."""
    return set(
        db.scalars(
            select(Enrolment.trainee_id).where(
                Enrolment.offering_id == offering_id, Enrolment.state != EnrolmentState.CANCELLED
            )
        )
    )


def find_enrolment(db: Session, offering_id: int, trainee_id: int) -> Enrolment | None:
    """The enrolment of a trainee in an offering, or None. A cancelled enrolment does not count."""
    return db.scalars(
        select(Enrolment).where(
            Enrolment.offering_id == offering_id,
            Enrolment.trainee_id == trainee_id,
            Enrolment.state != EnrolmentState.CANCELLED,
        )
    ).one_or_none()


def has_attended(db: Session, enrolment: Enrolment) -> bool:
    """Tell whether the trainee was present at any session of this enrolment."""
    return bool(db.scalar(select(exists(select(1).where(Attendance.enrolment_id == enrolment.id)))))


def _lock_published(db: Session, offering_id: int) -> Offering:
    offering = lock_offering(db, offering_id)
    if offering.state != OfferingState.PUBLISHED:
        raise DomainError(
            "not_open", N_("This offering does not accept enrolments: it is not published, or it has ended.")
        )
    return offering


def _add_enrolments(
    db: Session,
    offering: Offering,
    people: Sequence[tuple[Trainee, TraineeFacts | None]],
    source: EnrolmentSource,
    *,
    over_capacity: bool = False,
    tell: bool = True,
    may_split: bool | None = None,
) -> Sequence[Enrolment]:
    """Give free places, then positions on the waiting list, in a locked offering. may_split: as in `enrol_all`.

    Trainees who wait already go first.
    """
    together = may_split is False
    waiting_list.serve(db, offering)
    free = (
        len(people) if over_capacity else waiting_list.free_for_newcomers(db, offering, len(people), together=together)
    )
    queue_end = waiting_list.next_queue_moment(db, offering.id) if free < len(people) else clock.now()
    group_id = None
    if may_split is not None and len(people) - free > 1:
        group = EnrolmentGroup(offering_id=offering.id, may_split=may_split)
        db.add(group)
        db.flush()
        audit.record(
            db,
            "enrolment.group",
            f"offering:{offering.id}",
            after={"people": len(people) - free, "may_split": may_split},
        )
        group_id = group.id
    enrolments = []
    for index, (trainee, given) in enumerate(people):
        state = EnrolmentState.ENROLLED if index < free else EnrolmentState.WAITLISTED
        enrolment = Enrolment(offering_id=offering.id, trainee_id=trainee.id, state=state, source=source)
        enrolment.offering, enrolment.trainee = offering, trainee
        if given is not None:
            enrolment.phone, enrolment.email = given.phone or given.guardian_phone, given.email
        if state == EnrolmentState.WAITLISTED:
            enrolment.queued_at = queue_end + timedelta(microseconds=index)
            enrolment.group_id = group_id
        enrolments.append(enrolment)
    db.add_all(enrolments)
    db.flush()
    for enrolment in enrolments:
        after = {"state": enrolment.state, "source": source, "trainee": enrolment.trainee_id}
        audit.record(db, "enrolment.create", enrolment, after=after)
        if tell and source != EnrolmentSource.WALK_IN:
            mail.send_confirmation(db, enrolment)
    return enrolments


def lock_offerings(db: Session, offering_ids: Collection[int]) -> None:
    """Lock several offerings in the order of their ids, so that two moves in opposite directions cannot deadlock."""
    for offering_id in sorted(set(offering_ids)):
        lock_offering(db, offering_id)
