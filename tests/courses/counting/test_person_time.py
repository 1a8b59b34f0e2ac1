"""The counting rule, held against a count by hand."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from courses.counting import person_time, quarters
from courses.counting.quarters import Quarter
from courses.models.assessment import Assessment
from courses.models.attendance import Attendance
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import Offering, OfferingState
from courses.models.person_time import EntryKind, FrozenQuarter, PersonTimeEntry
from lms.core import clock
from lms.core.errors import DomainError
from tests.courses.worlds import BEIJING, Person, Plan, Presence, World, attend, plans
from tests.factories import Make


def lines(db: Session, offering: Offering) -> list[PersonTimeEntry]:
    return list(
        db.scalars(
            select(PersonTimeEntry).where(PersonTimeEntry.offering_id == offering.id).order_by(PersonTimeEntry.id)
        )
    )


def frozen(db: Session, quarter: str) -> None:
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
        assert person_time.kept(db, offering.id) == person_time.total(db, offering.id) == plan.totals()
        dated_on = offering.counted_on
        assert dated_on is not None
        if freezing:
            frozen(db, str(Quarter.of(dated_on)))
        for correction in corrections:
            held = Plan(
                plan.first, tuple(correction.headcounts[:1]) * len(plan.headcounts),
                tuple(Person(p.who, p.state, tuple(x for x in p.presences if x.session < len(plan.headcounts)))
                      for p in correction.people),
                plan.refresher, plan.district,
            )  # fmt: skip
            world.fill(offering, held)
            person_time.record_correction(db, offering, "点名册补录", BEIJING)
            assert person_time.kept(db, offering.id) == person_time.total(db, offering.id) == held.totals()
        written = lines(db, offering)
        assert written[0].kind == EntryKind.CLOSING
        assert written[0].dated_on == dated_on
        for line in written[1:]:
            assert line.corrects_id == written[0].id
            assert line.reason == "点名册补录"
            assert line.kind == (EntryKind.ADJUSTMENT if freezing else EntryKind.CORRECTION)
            assert line.dated_on == (clock.today(BEIJING) if freezing else dated_on)
        unit.rollback()


def test_two_days_are_one_person_time(db: Session) -> None:
    both = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None), Presence(1, 0, None)))
    offering = World(db).close(Plan(date(2025, 3, 1), (0, 0), (both,), False, 1))
    counted = person_time.kept(db, offering.id)
    assert (counted.person_times, counted.named, counted.minutes) == (1, 1, 360)
    assert lines(db, offering)[0].dated_on == date(2025, 3, 2)


def test_three_hundred_pupils_at_both_sessions_are_three_hundred(db: Session) -> None:
    offering = World(db).close(Plan(date(2025, 3, 1), (300, 280), (PRESENT,), False, 1))
    counted = person_time.kept(db, offering.id)
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


def test_who_cancelled_after_the_first_day_and_came_again_is_one(db: Session, make: Make) -> None:
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


def test_what_is_not_closed_cannot_be_corrected(db: Session, make: Make) -> None:
    with pytest.raises(DomainError) as refused:
        person_time.record_correction(db, make.offering(), "x", BEIJING)
    assert refused.value.code == "not_counted"


def test_an_offering_where_nobody_came_is_counted_as_none(db: Session) -> None:
    absent = Person(0, EnrolmentState.INCOMPLETE, ())
    offering = World(db).close(Plan(date(2025, 3, 1), (0,), (absent,), False, 1))
    assert person_time.kept(db, offering.id) == person_time.Totals(enrolled=1)


def test_an_offering_closed_after_its_quarter_was_frozen_counts_in_the_open_one(db: Session) -> None:
    frozen(db, "2025Q1")
    offering = World(db).close(Plan(date(2025, 3, 1), (0,), (PRESENT,), False, 1))
    [line] = lines(db, offering)
    assert (line.kind, line.dated_on) == (EntryKind.CLOSING, clock.today(BEIJING))


def test_certificates_are_dated_as_issued_and_never_in_a_frozen_quarter(db: Session) -> None:
    offering = World(db).close(Plan(date(2025, 3, 1), (0,), (PRESENT,), False, 1))
    frozen(db, "2025Q1")
    frozen(db, "2025Q2")
    late = person_time.record_certificates(db, offering.id, 2, date(2025, 3, 5))
    assert late is not None
    assert (late.kind, late.certificates, late.dated_on) == (EntryKind.CERTIFICATION, 2, date(2025, 7, 1))
    open_ = person_time.record_certificates(db, offering.id, 1, date(2025, 9, 5))
    assert open_ is not None
    assert open_.dated_on == date(2025, 9, 5)
    assert person_time.record_certificates(db, offering.id, 0, date(2025, 9, 5)) is None


def test_a_quarter_is_frozen_only_when_it_is_over(db: Session) -> None:
    running = Quarter.of(clock.today(BEIJING))
    with pytest.raises(DomainError) as refused:
        quarters.freeze(db, running, BEIJING)
    assert refused.value.code == "quarter_not_over"
    for _again in range(2):
        quarters.freeze(db, running.previous, BEIJING)
    assert len(db.scalars(select(FrozenQuarter)).all()) == 1


@given(day=st.dates(date(2000, 1, 1), date(2099, 12, 30)))
def test_every_day_lies_in_one_quarter(day: date) -> None:
    quarter = Quarter.of(day)
    assert quarter.first <= day <= quarter.last
    assert quarter.last + timedelta(days=1) == quarter.next.first
    assert quarter.next.previous == quarter == Quarter.parse(str(quarter))


@pytest.mark.parametrize("text", ["", "2026", "2026Q5", "2026Q0", "26Q1", "Q1 2026"])
def test_what_is_no_quarter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        Quarter.parse(text)


def test_the_ledger_cannot_be_altered(db: Session) -> None:
    offering = World(db).close(Plan(date(2025, 3, 1), (0,), (PRESENT,), False, 1))
    assert offering.state == OfferingState.CLOSED
    with pytest.raises(DBAPIError, match="append-only"), db.begin_nested():
        db.execute(delete(PersonTimeEntry))
