"""Counts of people when enrolments pass from one record of a person to another one: person-times stay, people change."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from datetime import date

from sqlalchemy import any_, or_, select, text
from sqlalchemy.orm import Session

from courses.counting import participation
from courses.counting.participation import CountKey
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.rollups import FormerParticipation, Participation


def follow(db: Session, people: Collection[int], move: Callable[[], Collection[int]]) -> None:
    """Let enrolments pass between people, and bring participation and the numbers of people to what holds afterwards.

    move: changes the `trainee_id` of enrolments of these people, and returns the ids of their offerings. Person-times stay
    as they are: the caller has made sure that nobody attended one offering with two enrolments of these people. What was
    reported stays, too: the numbers of periods that ended with a frozen quarter count the people as they were.
    """
    db.flush()
    participation.lock(db)
    before = _counted_in(db, people)
    offering_ids = move()
    db.flush()
    db.execute(_PARTICIPANTS_AGAIN, {"offerings": sorted(offering_ids)})
    changes = _counted_in(db, people)
    changes.subtract(before)
    rows = [
        {"programme_code": key.programme, "district_id": key.district, "period": key.period, "people": number}
        for key, number in sorted(changes.items())
        if number
    ]
    if rows:
        participation.add_counts(db, rows)
    participation.forget_zeros(db)


_PARTICIPANTS_AGAIN = text(
    "UPDATE participation SET trainees = ARRAY(SELECT DISTINCT enrolment.trainee_id FROM enrolment"
    " WHERE enrolment.offering_id = participation.offering_id AND EXISTS"
    " (SELECT FROM attendance WHERE attendance.enrolment_id = enrolment.id) ORDER BY 1)"
    " WHERE participation.offering_id = ANY (CAST(:offerings AS bigint[]))"
)


def _counted_in(db: Session, people: Collection[int]) -> Counter[CountKey]:
    """Return in which numbers these people count, and how many of them in each, as stored participations say."""
    offerings = select(Enrolment.offering_id).where(Enrolment.trainee_id == any_(participation.as_array(people)))
    former = (
        participation.closings()
        .add_columns(Offering.id, FormerParticipation.until, FormerParticipation.trainees)
        .join(FormerParticipation, FormerParticipation.offering_id == Offering.id)
        .where(or_(FormerParticipation.trainees.overlap(participation.as_array(people)), Offering.id.in_(offerings)))
        .order_by(FormerParticipation.until)
    )
    versions: dict[int, list[tuple[date, list[int]]]] = defaultdict(list)
    keys: dict[int, set[CountKey]] = {}
    for programme, district, day, number, until, trainees in db.execute(former):
        versions[number].append((until, trainees))
        keys[number] = participation.count_keys(programme, district, day)
    now = (
        participation.closings()
        .add_columns(Offering.id, Participation.trainees)
        .join(Participation, Participation.offering_id == Offering.id)
        .where(Offering.id.in_(offerings))
    )
    for programme, district, day, number, trainees in db.execute(now):
        versions[number].append((date.max, trainees))
        keys[number] = participation.count_keys(programme, district, day)
    counted: dict[CountKey, set[int]] = defaultdict(set)
    for number, its_versions in versions.items():
        for key in keys[number]:
            present = next((trainees for until, trainees in its_versions if until >= key.last_day), [])
            counted[key] |= set(present) & set(people)
    return Counter({key: len(present) for key, present in counted.items()})
