"""The waiting list of an offering: whose turn it is when a place becomes free.

A free place is *offered*: it is held for the person, who accepts or declines it on the ticket's page until the offer ends.
The first who can be served is served first. Three rules complete this:

- **At once.** The place is given without an offer where there is no time to answer (from 16 hours before the first session
  on), where no message can tell the person (staff call), and where offers are switched off (`configure`).
- **An end.** Whoever does not answer leaves the waiting list, and the place goes on. An offer of which the person was not told
  in time, because no gateway took the message, ends in a place.
- **Groups.** People who wait together are served together, or one by one if whoever enrolled them consented. A group for
  which the free places do not suffice is passed over: those behind get them. Once as many places as the group has people went
  past it, free places are kept for the group instead, for a week at most and not in the last three days before the first
  session; then those behind it are served, and the group's count begins anew.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session, undefer

from courses.enrolment import mail
from courses.enrolment.place_counts import count_places
from courses.models.enrolment import Enrolment, EnrolmentGroup, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from lms.core import audit, clock
from lms.core.errors import N_, NotFound
from lms.core.languages import chinese
from lms.core.messages.models import Message, MessageState

# An offer ends so long before the first session, so that the next person still has a chance.
END_BEFORE_START = timedelta(hours=12)
# A person has at least so long to answer; where there is less time, the place is given at once.
SHORTEST_OFFER = timedelta(hours=4)
# A message that went out later than this before the offer's end told the person too late.
TOLD_BEFORE_END = timedelta(hours=1)
KEPT_FOR = timedelta(days=7)
KEPT_UNTIL_BEFORE_START = timedelta(days=3)

UNANSWERED = N_("The offer of a place was not answered in time")


class _Offers:
    """For how long a place is offered; set once at the start of the process."""

    last = timedelta(hours=24)


def configure(hours: int) -> None:
    """Set for how many hours a free place is offered. 0: it is given at once."""
    _Offers.last = timedelta(hours=hours)


@dataclass(frozen=True, slots=True)
class Party:
    """The people who are served together: one person, or a group that is kept together (then with the group's row)."""

    members: tuple[Enrolment, ...]
    group: EnrolmentGroup | None = None

    @property
    def size(self) -> int:
        """The number of the people."""
        return len(self.members)


def lock_offering(db: Session, offering_id: int) -> Offering:
    """Lock an offering, as every change of its places does first. Raises NotFound."""
    offering = db.scalars(
        select(Offering).where(Offering.id == offering_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if offering is None:
        raise NotFound
    return offering


def parties(db: Session, offering_id: int) -> list[Party]:
    """The waiting list of an offering in its order."""
    rows = db.execute(
        select(Enrolment, EnrolmentGroup)
        .outerjoin(EnrolmentGroup, EnrolmentGroup.id == Enrolment.group_id)
        .options(undefer(Enrolment.group_id), undefer(Enrolment.offered_until))
        .where(Enrolment.offering_id == offering_id, Enrolment.waits())
        .execution_options(populate_existing=True)
    ).all()
    return in_order([(enrolment, group) for enrolment, group in rows])


def in_order(waiting: Iterable[tuple[Enrolment, EnrolmentGroup | None]]) -> list[Party]:
    """Waiting enrolments with their groups, in the order of the waiting list.

    A group that is kept together stands where the last of its people stands.
    """
    rows = sorted(waiting, key=lambda row: (queued_at(row[0]), row[0].id))
    last_of = {group.id: enrolment.id for enrolment, group in rows if group is not None}
    members: dict[int, list[Enrolment]] = {}
    served_together: list[Party] = []
    for enrolment, group in rows:
        if group is None or group.may_split:
            served_together.append(Party((enrolment,)))
            continue
        members.setdefault(group.id, []).append(enrolment)
        if last_of[group.id] == enrolment.id:
            served_together.append(Party(tuple(members[group.id]), group))
    return served_together


def queued_at(enrolment: Enrolment) -> datetime:
    """The moment that decides the place of a waiting enrolment in the waiting list."""
    if enrolment.queued_at is None:
        raise AssertionError("a check constraint demands queued_at for each waiting enrolment")
    return enrolment.queued_at


def position(db: Session, enrolment: Enrolment) -> int | None:
    """The position of a person on the waiting list, counted from 1, or None where the person does not stand in it."""
    if enrolment.state != EnrolmentState.WAITLISTED or enrolment.offered_until is not None:
        return None
    ids = [member.id for party in parties(db, enrolment.offering_id) for member in party.members]
    return ids.index(enrolment.id) + 1 if enrolment.id in ids else None


def serve(db: Session, offering: Offering, *, without: Collection[int] = ()) -> Sequence[Enrolment]:
    """Offer or give the free places of a locked offering to its waiting list. Offers that ended are settled first.

    without: enrolments that get nothing this time. Returns the enrolments that were served. Nobody gets a place in an
    offering that is over.
    """
    if offering.state != OfferingState.PUBLISHED:
        return ()
    now = clock.now()
    _settle(db, offering, now)
    counts = count_places(db, offering)
    free = counts.capacity - counts.taken
    if not counts.waiting or free <= 0:
        return ()
    starts_at, ends_at = _times(db, offering)
    if ends_at is not None and ends_at <= now:
        return ()
    may_keep = starts_at is None or now < starts_at - KEPT_UNTIL_BEFORE_START
    waiting = [party for party in parties(db, offering.id) if not {each.id for each in party.members} & set(without)]
    until = offer_end(now, starts_at)
    served: list[Enrolment] = []
    for party in choose(waiting, free, offering.capacity, may_keep=may_keep, now=now):
        _serve_party(db, party, until)
        served += party.members
    db.flush()
    return served


def free_for_newcomers(db: Session, offering: Offering, people: int, *, together: bool) -> int:
    """How many of some new people get a place at once, after the waiting list was served (`serve`).

    A place that nobody of the waiting list can use, because each group of it is too large, goes to new people. Such groups
    are passed over by them as by anybody. together: all of the people, or none.
    """
    counts = count_places(db, offering)
    free = min(people, max(0, counts.capacity - counts.taken))
    if together and free < people:
        return 0
    if free and counts.waiting:
        waiting = parties(db, offering.id)
        groups = [party.group for party in waiting if party.group is not None and party.group.kept_since is None]
        if len(groups) < len(waiting):
            return 0
        for group in groups:
            group.passed_over += free
    return free


def next_queue_moment(db: Session, offering_id: int) -> datetime:
    """A moment after those of all waiting enrolments, so that servers whose clocks differ still keep the order."""
    last_queued = db.scalar(
        select(func.max(Enrolment.queued_at)).where(
            Enrolment.offering_id == offering_id, Enrolment.state == EnrolmentState.WAITLISTED
        )
    )
    now = clock.now()
    return now if last_queued is None else max(now, last_queued + timedelta(microseconds=1))


def choose(waiting: Iterable[Party], free: int, capacity: int, *, may_keep: bool, now: datetime) -> Sequence[Party]:
    """The parties that get the free places, by the rules of this module.

    The counts of the groups are changed: how many places went past them, and since when places are kept for them.
    """
    chosen: list[Party] = []
    passed: list[EnrolmentGroup] = []
    for party in waiting:
        if free == 0:
            break
        group = party.group
        if party.size <= free:
            chosen.append(party)
            free -= party.size
            for other in passed:
                other.passed_over += party.size
            if group is not None:
                group.kept_since, group.passed_over = None, 0
        elif group is not None:
            if group.kept_since is not None and (not may_keep or now >= group.kept_since + KEPT_FOR):
                group.kept_since, group.passed_over = None, 0
            if may_keep and party.size <= capacity and (group.kept_since or group.passed_over >= party.size):
                group.kept_since = group.kept_since or now
                break
            passed.append(group)
    return chosen


def offer_end(now: datetime, starts_at: datetime | None) -> datetime | None:
    """The end of an offer that is made now, or None where the place is given at once. starts_at: of the first session."""
    last = _Offers.last
    if not last:
        return None
    end = now + last
    if starts_at is not None:
        end = min(end, starts_at - END_BEFORE_START)
    return end if end - now >= min(SHORTEST_OFFER, last) else None


def give_place(db: Session, enrolment: Enrolment, *, reason: str | None) -> None:
    """Give a waiting person a place and tell them. The caller has locked the offering."""
    before = audit_state(enrolment)
    enrolment.state, enrolment.offered_until = EnrolmentState.ENROLLED, None
    db.flush()
    audit.record(db, "enrolment.promote", enrolment, before=before, after={"state": "enrolled"}, reason=reason)
    mail.send_promotion(db, enrolment)


def leave(db: Session, enrolment: Enrolment, reason: str, *, action: str = "enrolment.cancel") -> None:
    """Cancel an enrolment of a locked offering, without serving others. Reminders that are not sent yet are withdrawn."""
    before = audit_state(enrolment)
    enrolment.state = EnrolmentState.CANCELLED
    enrolment.cancelled_at, enrolment.cancel_reason, enrolment.offered_until = clock.now(), reason, None
    db.flush()
    audit.record(db, action, enrolment, before=before, after={"state": "cancelled"}, reason=reason)
    mail.withdraw_unsent(db, enrolment)


def audit_state(enrolment: Enrolment) -> dict[str, str]:
    """The state of an enrolment as the audit records it, with the end of an offer."""
    state = {"state": str(enrolment.state)}
    return state | ({"until": enrolment.offered_until.isoformat()} if enrolment.offered_until else {})


def settle_next(db: Session, done: Collection[int]) -> int | None:
    """Settle one offering in which an offer or the keeping of places ended, and return its id; None where there is none.

    done: offerings of this run that are left alone. An offering that is locked is skipped, because whoever changes its
    places settles it, too.
    """
    now = clock.now()
    first_start = select(func.min(CourseSession.starts_at)).where(CourseSession.offering_id == Offering.id)
    ended = exists().where(
        Enrolment.offering_id == Offering.id, Enrolment.place_is_offered(), Enrolment.offered_until <= now
    )
    kept_too_long = exists().where(
        EnrolmentGroup.offering_id == Offering.id,
        EnrolmentGroup.kept_since.is_not(None),
        or_(
            EnrolmentGroup.kept_since <= now - KEPT_FOR,
            first_start.scalar_subquery() <= now + KEPT_UNTIL_BEFORE_START,
        ),
    )
    with_end = select(Enrolment.offering_id).where(Enrolment.place_is_offered(), Enrolment.offered_until <= now)
    with_kept = select(EnrolmentGroup.offering_id).where(EnrolmentGroup.kept_since.is_not(None))
    offering = db.scalars(
        select(Offering)
        .where(
            Offering.id.in_(with_end.union(with_kept)),
            Offering.id.not_in(done),
            Offering.state == OfferingState.PUBLISHED,
            or_(ended, kept_too_long),
        )
        .order_by(Offering.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if offering is None:
        return None
    serve(db, offering)
    return offering.id


def _settle(db: Session, offering: Offering, now: datetime) -> None:
    """End the offers of a locked offering that were not answered in time."""
    rows = db.scalars(
        select(Enrolment)
        .options(undefer(Enrolment.group_id), undefer(Enrolment.offered_until))
        .where(Enrolment.offering_id == offering.id, Enrolment.place_is_offered(), Enrolment.offered_until <= now)
        .order_by(Enrolment.queued_at, Enrolment.id)
        .execution_options(populate_existing=True)
    ).all()
    _starts_at, ends_at = _times(db, offering) if rows else (None, None)
    is_over = ends_at is not None and ends_at <= now
    for enrolment in rows:
        until = enrolment.offered_until
        if not is_over and not _was_told(db, enrolment):
            give_place(db, enrolment, reason=None)
            continue
        leave(db, enrolment, f"{chinese().gettext(UNANSWERED)} / {UNANSWERED}", action="enrolment.lapse")
        enrolment.offered_until = until
        db.flush()


def _was_told(db: Session, enrolment: Enrolment) -> bool:
    """Tell whether a message told of the offer while there was time to answer, or staff called."""
    until = enrolment.offered_until
    if until is None:
        raise AssertionError("only offers are settled")
    contact = select(EnrolmentGroup.contact_id).where(EnrolmentGroup.id == enrolment.group_id)
    contact_id = db.scalar(contact) if enrolment.group_id is not None else None
    keys = [mail.offer_key(each, until) for each in (enrolment.id, contact_id) if each is not None]
    told = exists().where(
        Message.key.in_(keys),
        Message.state.in_((MessageState.SENT, MessageState.CALLED)),
        Message.settled_at <= until - TOLD_BEFORE_END,
    )
    return bool(db.scalar(select(told)))


def _serve_party(db: Session, party: Party, until: datetime | None) -> None:
    """Offer each of a party a place until a moment, or give it where there is none or no message can tell of the offer.

    The offers of a group are told to the person who enrolled the others, who answers for all; the people of a list are told
    each by themselves.
    """
    contact = next((each for each in party.members if party.group and each.id == party.group.contact_id), None)
    for enrolment in party.members:
        teller = contact or enrolment
        if until is None or not mail.can_offer(teller):
            give_place(db, enrolment, reason=None)
            continue
        enrolment.offered_until = until
        db.flush()
        audit.record(db, "enrolment.offer", enrolment, before={"state": "waitlisted"}, after=audit_state(enrolment))
        if teller is enrolment:
            people = party.size if contact is not None else 1
            mail.send_offer(db, enrolment, until, people=people)


def _times(db: Session, offering: Offering) -> tuple[datetime | None, datetime | None]:
    """The start of the first session and the end of the last one."""
    row = db.execute(
        select(func.min(CourseSession.starts_at), func.max(CourseSession.ends_at)).where(
            CourseSession.offering_id == offering.id
        )
    ).one()
    return row[0], row[1]
