"""The waiting list: offers with an end that go on to the next, and groups that neither block it nor are passed for ever."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from courses import tasks
from courses.enrolment import places, waiting_list
from courses.enrolment.place_counts import count_places
from courses.enrolment.trainees import TraineeFacts
from courses.enrolment.waiting_list import Party
from courses.models.enrolment import Enrolment, EnrolmentGroup, EnrolmentSource, EnrolmentState
from courses.models.offerings import Offering
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.messages.models import Message, MessageState
from tests.factories import Make

STAFF = EnrolmentSource.STAFF
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 6, 1, 2, 0, tzinfo=clock.now().tzinfo)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with clock.at(NOW):
        yield


def enrol(db: Session, make: Make, offering: Offering) -> Enrolment:
    given = TraineeFacts("学员", phone=make.phone())
    return places.enrol(db, offering.id, make.trainee(), source=STAFF, given=given)


def enrol_list(db: Session, make: Make, offering: Offering, people: int, *, may_split: bool) -> Sequence[Enrolment]:
    pairs = [(make.trainee(), TraineeFacts("学员", phone=make.phone())) for _ in range(people)]
    return places.enrol_all(db, offering.id, pairs, source=EnrolmentSource.IMPORT, may_split=may_split)


def sent(db: Session, at: datetime) -> None:
    """The gateway took all messages that wait."""
    db.execute(
        update(Message).where(Message.state == MessageState.WAITING).values(state=MessageState.SENT, settled_at=at)
    )


def settle(db: Session) -> list[int]:
    done: list[int] = []
    while (offering_id := waiting_list.settle_next(db, done)) is not None:
        done.append(offering_id)
    return done


def purposes(db: Session, row: Enrolment) -> list[str]:
    person = f"trainee:{row.trainee_id}"
    return list(db.scalars(select(Message.purpose).where(Message.person == person).order_by(Message.id)))


def test_a_free_place_is_offered_and_goes_on_when_nobody_answers(db: Session, make: Make) -> None:
    offering = make.offering(capacity=1, starts=[NOW + 30 * DAY])
    first, second, third = (enrol(db, make, offering) for _ in range(3))
    places.cancel(db, first, "有事")
    assert second.is_offered
    assert second.offered_until == NOW + DAY
    assert (waiting_list.position(db, second), waiting_list.position(db, third)) == (None, 1)
    assert purposes(db, second) == ["waiting_list", "place_offer"]
    newcomer = enrol(db, make, offering)
    assert newcomer.state == EnrolmentState.WAITLISTED
    assert count_places(db, offering).free == 0
    sent(db, NOW + HOUR)
    with clock.at(NOW + DAY - HOUR):
        assert settle(db) == []
    with clock.at(NOW + DAY):
        assert settle(db) == [offering.id]
        assert settle(db) == []
        assert (second.state, second.offered_until) == ("cancelled", NOW + DAY)
        assert "not answered" in (second.cancel_reason or "")
        assert third.offered_until == NOW + 2 * DAY
    actions = db.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"enrolment:{second.id}")).all()
    assert actions == ["enrolment.create", "enrolment.offer", "enrolment.lapse"]


def test_the_task_passes_places_on(app: Flask, db: Session, make: Make) -> None:
    rows = []
    for _ in range(2):
        offering = make.offering(capacity=1, starts=[NOW + 30 * DAY])
        first, second = (enrol(db, make, offering) for _ in range(2))
        places.cancel(db, first, "有事")
        rows.append(second)
    sent(db, NOW)
    db.commit()
    with app.app_context(), clock.at(NOW + DAY):
        tasks.settle_place_offers()
    db.expire_all()
    assert [row.state for row in rows] == ["cancelled", "cancelled"]


def test_whoever_was_not_told_of_an_offer_gets_the_place(db: Session, make: Make) -> None:
    offering = make.offering(capacity=1, starts=[NOW + 30 * DAY])
    first, second, third = (enrol(db, make, offering) for _ in range(3))
    places.cancel(db, first, "有事")
    sent(db, NOW + DAY - HOUR / 2)  # too late to answer
    with clock.at(NOW + DAY):
        places.promote(db, offering.id)  # any change of places settles what ended, without the task
    assert (second.state, third.state, third.offered_until) == ("enrolled", "waitlisted", None)


def test_nobody_gets_a_place_in_a_class_that_is_over_because_the_worker_was_down(db: Session, make: Make) -> None:
    offering = make.offering(capacity=1, starts=[NOW + 3 * DAY])
    first, second = (enrol(db, make, offering) for _ in range(2))
    places.cancel(db, first, "有事")
    with clock.at(NOW + 5 * DAY):
        assert settle(db) == [offering.id]
    assert second.state == EnrolmentState.CANCELLED


def test_a_place_is_given_at_once_where_an_offer_makes_no_sense(
    db: Session, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = make.offering(capacity=1, starts=[NOW + 15 * HOUR])
    rows = [enrol(db, make, soon) for _ in range(2)]
    places.cancel(db, rows[0], "有事")
    assert (rows[1].state, purposes(db, rows[1])) == ("enrolled", ["waiting_list", "promotion"])
    later = make.offering(capacity=1, starts=[NOW + 17 * HOUR])
    rows = [enrol(db, make, later) for _ in range(2)]
    places.cancel(db, rows[0], "有事")
    assert rows[1].offered_until == NOW + 5 * HOUR
    unreached = make.offering(capacity=1, starts=[NOW + 30 * DAY])
    rows = [enrol(db, make, unreached), places.enrol(db, unreached.id, make.trainee(), source=STAFF)]
    places.cancel(db, rows[0], "有事")
    assert rows[1].state == EnrolmentState.ENROLLED
    [message] = db.scalars(select(Message).where(Message.state == MessageState.TO_CALL))
    assert (message.purpose, message.person) == ("promotion", f"trainee:{rows[1].trainee_id}")
    monkeypatch.setattr(waiting_list._Offers, "last", timedelta())
    assert waiting_list.offer_end(NOW, None) is None


def test_the_database_refuses_an_offer_beside_a_place(db: Session, make: Make) -> None:
    with pytest.raises(IntegrityError, match="ck_enrolment_offered"):
        make.enrolment(make.offering(), offered_until=NOW + HOUR)


def test_a_list_waits_together_or_is_split_by_consent(db: Session, make: Make) -> None:
    offering = make.offering(capacity=4, starts=[NOW + 30 * DAY])
    seated = [enrol(db, make, offering) for _ in range(2)]
    together = enrol_list(db, make, offering, 3, may_split=False)
    assert {row.state for row in together} == {"waitlisted"}
    assert [waiting_list.position(db, row) for row in together] == [1, 2, 3]
    single = enrol(db, make, offering)  # two places are free that the three cannot use together
    assert single.state == EnrolmentState.ENROLLED
    places.cancel(db, seated[0], "有事")
    assert not any(row.is_offered for row in together)
    places.cancel(db, seated[1], "有事")
    assert all(row.is_offered for row in together)
    other = make.offering(capacity=2, starts=[NOW + 30 * DAY])
    split = enrol_list(db, make, other, 3, may_split=True)
    assert [row.state for row in split] == ["enrolled", "enrolled", "waitlisted"]


def test_a_group_is_passed_over_as_many_times_as_it_has_people_and_then_places_are_kept(
    db: Session, make: Make
) -> None:
    offering = make.offering(capacity=3, starts=[NOW + 60 * DAY])
    seated = [enrol(db, make, offering) for _ in range(3)]
    group = enrol_list(db, make, offering, 2, may_split=False)
    singles = [enrol(db, make, offering) for _ in range(4)]
    for index in range(2):  # two places go past the two
        places.cancel(db, seated[index], "有事")
        assert singles[index].is_offered
    places.cancel(db, seated[2], "有事")
    row = db.scalars(select(EnrolmentGroup)).one()
    assert (row.passed_over, row.kept_since) == (2, NOW)
    assert not singles[2].is_offered
    assert enrol(db, make, offering).state == EnrolmentState.WAITLISTED  # the kept place is nobody else's
    with clock.at(NOW + HOUR):
        places.cancel(db, singles[0], "有事")
    assert all(each.is_offered for each in group)
    assert (row.passed_over, row.kept_since) == (0, None)


def test_places_are_kept_a_week_and_not_in_the_last_days(db: Session, make: Make) -> None:
    for start, wait in ((60 * DAY, 7 * DAY), (5 * DAY, 2 * DAY)):
        offering = make.offering(capacity=2, starts=[NOW + start])
        seated = [enrol(db, make, offering) for _ in range(2)]
        [first, *_] = enrol_list(db, make, offering, 2, may_split=False)
        single = enrol(db, make, offering)
        group = db.get(EnrolmentGroup, first.group_id)
        assert group is not None
        group.passed_over = 2
        places.cancel(db, seated[0], "有事")
        assert (group.kept_since, single.offered_until) == (NOW, None)
        with clock.at(NOW + wait - HOUR):
            assert settle(db) == []
        with clock.at(NOW + wait):
            assert settle(db) == [offering.id]
            assert single.is_offered
            assert (group.kept_since, group.passed_over) == (None, 1)
            places.cancel(db, single, "有事")


def test_no_order_of_free_places_starves_anybody() -> None:
    def party(size: int) -> Party:
        rows = tuple(Enrolment(offering_id=1, trainee_id=n, queued_at=NOW) for n in range(size))
        return Party(rows, EnrolmentGroup(offering_id=1, may_split=False, passed_over=0) if size > 1 else None)

    large, larger = party(4), party(6)
    line = [large, larger, *(party(1) for _ in range(30))]
    free = given = 0
    served: list[Party] = []
    while (large in line or larger in line) and given < 60:  # one place becomes free after the other
        free, given = free + 1, given + 1
        chosen = waiting_list.choose(line, free, 10, may_keep=True, now=NOW)
        free -= sum(each.size for each in chosen)
        served += chosen
        line = [each for each in line if each not in chosen]
    before_large = sum(each.size for each in served[: served.index(large)])
    before_larger = sum(each.size for each in served[: served.index(larger)])
    assert (before_large, before_larger) == (4, 4 + 6)  # from behind each group at most its own size
    assert party(11).group not in [
        each.group for each in waiting_list.choose([party(11), party(1)], 1, 10, may_keep=True, now=NOW)
    ]


def test_a_group_moves_up_as_one(db: Session, make: Make) -> None:
    offering = make.offering(capacity=3, starts=[NOW + 30 * DAY])
    for _ in range(3):
        enrol(db, make, offering)
    single = enrol(db, make, offering)
    group = enrol_list(db, make, offering, 2, may_split=False)
    places.move_up(db, group[1])
    assert [waiting_list.position(db, row) for row in (*group, single)] == [1, 2, 3]
