"""The counting rule and the ledger, compared with a count by hand."""

from dataclasses import astuple, replace
from datetime import date, datetime
from functools import reduce
from operator import xor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Subquery, delete, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from courses.counting import people_recount, person_time, quarters
from courses.counting.quarters import Quarter
from courses.models.assessment import Assessment
from courses.models.attendance import Attendance
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState, SessionInstructor
from courses.models.person_time import EntryKind, PersonTimeEntry
from lms.core import audit, clock
from lms.core.errors import DomainError
from tests.courses.worlds import BEIJING, Person, Plan, Presence, World, attend, plans
from tests.factories import Make


def lines(db: Session, offering: Offering) -> list[PersonTimeEntry]:
    return list(
        db.scalars(
            select(PersonTimeEntry).where(PersonTimeEntry.offering_id == offering.id).order_by(PersonTimeEntry.id)
        )
    )


def freeze(db: Session, quarter: str) -> None:
    quarters.freeze(db, Quarter.parse(quarter), BEIJING)


PRESENT = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None),))


@settings(max_examples=40)
@given(plan=plans(), corrections=st.lists(plans(), max_size=3), freezing=st.booleans())
def test_the_ledger_adds_up_to_a_count_by_hand(
    db: Session, plan: Plan, corrections: list[Plan], freezing: bool
) -> None:
    world = World(db)
    with db.begin_nested() as unit:
        offering = world.close(plan)
        assert person_time.ledger_total(db, offering.id) == person_time.total(db, offering.id) == plan.totals()
        dated_on = offering.counted_on
        assert dated_on is not None
        if freezing:
            freeze(db, str(Quarter.of(dated_on)))
        for correction in corrections:
            held = Plan(
                plan.first, tuple(correction.headcounts[:1]) * len(plan.headcounts),
                tuple(Person(p.who, p.state, tuple(x for x in p.presences if x.session < len(plan.headcounts)))
                      for p in correction.people),
                plan.refresher, plan.district,
            )  # fmt: skip
            world.fill(offering, held)
            person_time.record_correction(db, offering, "点名册补录", BEIJING)
            assert person_time.ledger_total(db, offering.id) == person_time.total(db, offering.id) == held.totals()
        written = lines(db, offering)
        assert written[0].kind == EntryKind.CLOSING
        assert written[0].dated_on == dated_on
        for line in written[1:]:
            assert line.corrects_id == written[0].id
            assert line.reason == "点名册补录"
            assert line.kind == (EntryKind.ADJUSTMENT if freezing else EntryKind.CORRECTION)
            assert line.dated_on == (clock.today(BEIJING) if freezing else dated_on)
        unit.rollback()


@pytest.mark.parametrize(
    ("came", "left", "minutes"),
    [
        (0, None, 180),
        (-20, None, 180),
        (30, None, 150),
        (179, None, 1),
        (180, None, 180),  # entered at the end or later: it says nothing of when the person came
        (200, None, 180),
        (0, 60, 60),
        (30, 90, 60),
        (0, 200, 180),
        (10, 10, 0),
        (-30, -10, 0),  # left before it began
        (0.5, 2, 1),  # whole minutes alone
        (0, 59.99, 59),
    ],
)
def test_a_stay_counts_in_whole_minutes_within_its_session(
    db: Session, make: Make, came: float, left: float | None, minutes: int
) -> None:
    offering = make.offering(starts=[datetime(2025, 3, 1, 9, tzinfo=BEIJING)], hours=3)
    [session] = offering.sessions
    attend(db, make.enrolment(offering), session, came, left)
    stays = select(person_time.attended_minutes()).where(CourseSession.id == Attendance.course_session_id)
    assert db.scalars(stays).all() == [minutes]
    assert person_time.total(db, offering.id).minutes == minutes


def test_nothing_is_counted_of_an_offering_that_is_not_there(db: Session) -> None:
    assert (
        person_time.total(db, 10**9) == person_time.ledger_total(db, 10**9) == person_time.OfferingTotals(0, 0, 0, 0, 0)
    )
    assert person_time.counting_day(db, 10**9, BEIJING) is None


PASSED, FAILED, CAME = EnrolmentState.COMPLETED, EnrolmentState.FAILED, (Presence(0, 0, None),)
HELD = (
    Plan(date(2025, 3, 1), (0,), (Person(0, PASSED, CAME), Person(1, FAILED, CAME)), False, 1),
    Plan(date(2025, 3, 2), (12,), (Person(1, PASSED, CAME), Person(0, PASSED, CAME)), True, 2),
    Plan(date(2025, 3, 3), (7,), (Person(2, PASSED, CAME), Person(3, EnrolmentState.INCOMPLETE, ())), False, 1),
    Plan(date(2025, 3, 4), (3,), (Person(4, EnrolmentState.CANCELLED, ()),), False, 1),
)


def figures(db: Session, counted: Subquery) -> dict[int, tuple[int, ...]]:
    """The figures of each offering, without the sum of who was there."""
    columns = (counted.c[name] for name in ("enrolled", "named", "counted", "minutes", "passed", "certified"))
    return {row[0]: tuple(row[1:]) for row in db.execute(select(counted.c.offering_id, *columns))}


def test_a_recount_of_many_offerings_is_that_of_each(db: Session) -> None:
    world = World(db)
    offerings = [world.hold(plan) for plan in HELD]
    enrolment = db.scalars(
        select(Enrolment).where(Enrolment.offering_id == offerings[1].id).order_by(Enrolment.id)
    ).first()
    assert enrolment is not None
    enrolment.certified_at = clock.now()
    db.flush()
    by_hand = {
        offering.id: (*astuple(plan.totals()), int(offering is offerings[1]))
        for offering, plan in zip(offerings, HELD, strict=True)
    }
    assert figures(db, person_time.recounted()) == by_hand
    first, second, third, fourth = by_hand
    middle = {second: by_hand[second], third: by_hand[third]}
    assert figures(db, person_time.recounted(ids=(second, third))) == middle
    assert figures(db, person_time.recounted(Offering.id != third, ids=(second, fourth))) == {
        second: by_hand[second],
        fourth: by_hand[fourth],
    }
    assert figures(db, person_time.recounted(Offering.id.in_([first, fourth]))) == {
        first: by_hand[first],
        fourth: by_hand[fourth],
    }


@pytest.mark.parametrize("by_id", [True, False])
def test_any_other_set_of_people_shows_in_their_sum(db: Session, by_id: bool) -> None:
    """The sum by hand: the hashes of the people's ids, each bit of which is one where an odd number of them has it."""
    world = World(db)
    offerings = [world.hold(plan) for plan in HELD]
    counted = person_time.recounted(ids=(offerings[0].id, offerings[-1].id)) if by_id else person_time.recounted()
    sums = {offering_id: who for offering_id, who in db.execute(select(counted.c.offering_id, counted.c.who))}
    for offering, plan in zip(offerings, HELD, strict=True):
        people = [world.cast[person.who].id for person in plan.people if person.presences]
        hashes = [db.scalar(select(func.hashint8extended(identity, 0))) for identity in people]
        assert sums[offering.id] == reduce(xor, hashes, 0)
    assert sums[offerings[0].id] == sums[offerings[1].id] != sums[offerings[2].id]


def test_a_line_says_when_and_by_whom_it_was_recorded_and_what_it_corrects(db: Session, make: Make) -> None:
    user = make.user()
    audit.act_as(db, user.id)
    world = World(db)
    offering = world.hold(HELD[0])
    moments = [datetime(2025, 5, day, 8, tzinfo=BEIJING) for day in (1, 2, 3)]
    with clock.at(moments[0]):
        closing = person_time.record_closing(db, offering, BEIJING)
    world.fill(offering, replace(HELD[0], people=HELD[0].people[:1]))
    with clock.at(moments[1]):
        correction = person_time.record_correction(db, offering, "签错了", BEIJING)
    with clock.at(moments[2]):
        certificates = person_time.record_certificates(db, offering.id, 3, date(2025, 5, 3))
    assert correction is not None
    assert certificates is not None
    written = [closing, correction, certificates]
    assert lines(db, offering) == written
    assert [line.recorded_at for line in written] == moments
    assert {line.recorded_by for line in written} == {user.id}
    assert [line.kind for line in written] == [EntryKind.CLOSING, EntryKind.CORRECTION, EntryKind.CERTIFICATION]
    assert [line.corrects_id for line in written] == [None, closing.id, None]
    assert [line.reason for line in written] == [None, "签错了", None]
    assert [(line.enrolled, line.named, line.minutes, line.certificates) for line in written] == [
        (2, 2, 360, 0),
        (-1, -1, -180, 0),
        (0, 0, 0, 3),
    ]


def test_an_offering_is_dated_by_the_day_that_it_was_given(db: Session) -> None:
    offering = World(db).hold(HELD[0])
    offering.counted_on = date(2025, 2, 2)
    assert person_time.record_closing(db, offering, BEIJING).dated_on == date(2025, 2, 2)


def test_closing_and_correcting_bring_the_number_of_people_along(db: Session) -> None:
    world = World(db)
    offering = world.close(HELD[0])
    assert set(people_recount.by_copy(db).values()) == {2}
    world.fill(offering, replace(HELD[0], people=HELD[0].people[:1]))
    person_time.record_correction(db, offering, "签错了", BEIJING)
    assert set(people_recount.by_copy(db).values()) == {1}


def test_an_offering_without_sessions_cannot_be_counted(db: Session, make: Make) -> None:
    offering = make.offering()
    db.execute(delete(SessionInstructor))
    db.execute(delete(CourseSession).where(CourseSession.offering_id == offering.id))
    with pytest.raises(DomainError) as refused:
        person_time.record_closing(db, offering, BEIJING)
    assert refused.value.code == "no_sessions"
    assert refused.value.message == "An offering without sessions cannot be counted. Cancel it instead."
    assert lines(db, offering) == []


def test_two_days_are_one_person_time(db: Session) -> None:
    both = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None), Presence(1, 0, None)))
    offering = World(db).close(Plan(date(2025, 3, 1), (0, 0), (both,), False, 1))
    counted = person_time.ledger_total(db, offering.id)
    assert (counted.person_times, counted.named, counted.minutes) == (1, 1, 360)
    assert lines(db, offering)[0].dated_on == date(2025, 3, 2)


def test_three_hundred_pupils_at_both_sessions_are_three_hundred(db: Session) -> None:
    offering = World(db).close(Plan(date(2025, 3, 1), (300, 280), (PRESENT,), False, 1))
    counted = person_time.ledger_total(db, offering.id)
    assert (counted.counted, counted.named, counted.person_times, counted.passed) == (300, 1, 301, 1)


def test_a_retest_adds_nothing(db: Session) -> None:
    offering = World(db).close(Plan(date(2025, 3, 1), (0,), (PRESENT,), False, 1))
    enrolment_id = db.scalars(select(Attendance.enrolment_id)).one()
    db.add_all(
        Assessment(enrolment_id=enrolment_id, attempt=n, theory_score=50 + n, assessed_at=clock.now()) for n in (1, 2)
    )
    db.flush()
    assert person_time.record_correction(db, offering, "补考", BEIJING) is None
    assert len(lines(db, offering)) == 1


def test_a_trainee_who_cancelled_and_enrolled_again_is_one_person_time(db: Session, make: Make) -> None:
    offering = make.offering(starts=[datetime(2025, 3, day, 9, tzinfo=BEIJING) for day in (1, 2)])
    person = make.trainee()
    first = make.enrolment(offering, person, EnrolmentState.CANCELLED)
    again = make.enrolment(offering, person)
    attend(db, first, offering.sessions[0])
    attend(db, again, offering.sessions[1])
    assert person_time.total(db, offering.id).named == 1


def test_the_day_is_cut_in_the_branchs_time_zone(db: Session, make: Make) -> None:
    late = make.offering(starts=[datetime(2025, 3, 31, 23, 30, tzinfo=BEIJING)], hours=0.4)
    assert person_time.counting_day(db, late.id, BEIJING) == date(2025, 3, 31)
    early = make.offering(starts=[datetime(2025, 4, 1, 0, 10, tzinfo=BEIJING)], hours=2)
    assert person_time.counting_day(db, early.id, BEIJING) == date(2025, 4, 1)  # still 31 March in UTC
    assert person_time.record_closing(db, early, BEIJING).dated_on == date(2025, 4, 1)


def test_closing_counts_once(db: Session) -> None:
    offering = World(db).close(Plan(date(2025, 3, 1), (0,), (PRESENT,), False, 1))
    with pytest.raises(DomainError) as refused:
        person_time.record_closing(db, offering, BEIJING)
    assert refused.value.code == "already_counted"
    assert "already been closed and counted" in refused.value.message


def test_an_open_offering_cannot_be_corrected(db: Session, make: Make) -> None:
    World(db).close(HELD[0])  # another one
    with pytest.raises(DomainError) as refused:
        person_time.record_correction(db, make.offering(), "x", BEIJING)
    assert refused.value.code == "not_counted"
    assert "nothing to correct" in refused.value.message


def test_an_offering_where_nobody_came_is_counted_as_none(db: Session) -> None:
    absent = Person(0, EnrolmentState.INCOMPLETE, ())
    offering = World(db).close(Plan(date(2025, 3, 1), (0,), (absent,), False, 1))
    assert person_time.ledger_total(db, offering.id) == person_time.OfferingTotals(enrolled=1)


def test_an_offering_closed_after_its_quarter_was_frozen_counts_in_the_open_one(db: Session) -> None:
    freeze(db, "2025Q1")
    offering = World(db).close(Plan(date(2025, 3, 1), (0,), (PRESENT,), False, 1))
    [line] = lines(db, offering)
    assert (line.kind, line.dated_on) == (EntryKind.CLOSING, clock.today(BEIJING))


def test_certificates_are_dated_as_issued_and_never_in_a_frozen_quarter(db: Session) -> None:
    offering = World(db).close(Plan(date(2025, 3, 1), (0,), (PRESENT,), False, 1))
    freeze(db, "2025Q1")
    freeze(db, "2025Q2")
    late = person_time.record_certificates(db, offering.id, 2, date(2025, 3, 5))
    assert late is not None
    assert (late.kind, late.certificates, late.dated_on) == (EntryKind.CERTIFICATION, 2, date(2025, 7, 1))
    open_ = person_time.record_certificates(db, offering.id, 1, date(2025, 9, 5))
    assert open_ is not None
    assert open_.dated_on == date(2025, 9, 5)
    assert person_time.record_certificates(db, offering.id, 0, date(2025, 9, 5)) is None


def test_the_ledger_cannot_be_altered(db: Session) -> None:
    offering = World(db).close(Plan(date(2025, 3, 1), (0,), (PRESENT,), False, 1))
    assert offering.state == OfferingState.CLOSED
    with pytest.raises(DBAPIError, match="append-only"), db.begin_nested():
        db.execute(delete(PersonTimeEntry))
