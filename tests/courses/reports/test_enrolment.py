"""The report against a count by hand, its rows against its sum, and each number against what it is made of."""

from dataclasses import fields, replace
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from courses.counting import person_time, quarters
from courses.counting.quarters import Quarter
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import Offering
from courses.reports import cross, enrolment, offerings, people
from courses.reports.filters import Column, Filters, Grouping, options, presets
from courses.reports.ledger import Figures
from lms.core import clock
from lms.core.errors import NotFound
from lms.core.scope import EVERYTHING, Scope
from tests.courses.worlds import BEIJING, Person, Plan, Presence, World, attend, plans
from tests.factories import Make

YEAR = Filters(date(2025, 1, 1), date(2025, 12, 31))
PRESENT = Person(0, EnrolmentState.COMPLETED, (Presence(0, 0, None),))


def by_hand(held: list[Plan]) -> Figures:
    """The figures of some offerings, from their plans."""
    total = Figures()
    for plan in held:
        counted = plan.totals()
        total += Figures(
            offerings=1, enrolled=counted.enrolled, named=counted.named, counted=counted.counted,
            refresher=counted.person_times if plan.refresher else 0, minutes=counted.minutes, passed=counted.passed,
        )  # fmt: skip
    return total


def heads(held: list[Plan]) -> int:
    return len({person.who for plan in held for person in plan.people if person.presences})


@settings(max_examples=25)
@given(
    held=st.lists(plans(), max_size=6),
    certificates=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9), st.dates(date(2024, 12, 1), date(2026, 2, 1)))),
    district=st.none() | st.integers(1, 3),
    programme=st.none() | st.sampled_from(["RESCUE", "FIRST_RESPONDER"]),
    everywhere=st.booleans(),
)  # fmt: skip
def test_a_number_is_the_sum_of_its_rows_and_of_its_offerings_and_a_count_by_hand(
    *,
    db: Session,
    held: list[Plan],
    certificates: list[tuple[int, int, date]],
    district: int | None,
    programme: str | None,
    everywhere: bool,
) -> None:
    with db.begin_nested() as unit:
        world = World(db)
        closed = [world.close(plan) for plan in held]
        issued: dict[int, int] = {}
        for which, number, day in certificates:
            if which < len(closed):
                person_time.record_certificates(db, closed[which].id, number, day)
                if day.year == 2025:
                    issued[which] = issued.get(which, 0) + number
        scope = EVERYTHING if everywhere else Scope(district_ids=frozenset({district or 1}))
        mine = [
            n for n, plan in enumerate(held)
            if (district is None or plan.district == district)
            and (everywhere or plan.district == (district or 1))
            and (programme is None or plan.programme == programme)
        ]  # fmt: skip
        of_branch = [n for n, plan in enumerate(held) if programme is None or plan.programme == programme]
        for grouping in Grouping:
            asked = replace(YEAR, grouping=grouping, district=district, programme=programme)
            found = enrolment.report(db, asked, scope, zone=BEIJING)
            expected = by_hand([held[n] for n in mine])
            assert found.total == replace(expected, certificates=sum(issued.get(n, 0) for n in mine))
            assert found.branch == replace(
                by_hand([held[n] for n in of_branch]), certificates=sum(issued.get(n, 0) for n in of_branch)
            )
            assert sum((row.figures for row in found.rows), Figures()) == found.total
            assert found.people == heads([held[n] for n in mine])
            assert found.branch_people == heads([held[n] for n in of_branch])
            assert offerings.behind(db, asked, scope).total == found.total
            crossed = cross.cross(db, asked, scope)
            assert sum((row.figures for row in crossed), Figures()) == found.total
            assert cross.table(db, asked, scope).total == found.total.person_times
            assert people.behind(db, asked, scope).total == found.people
            for row in found.rows:
                down = offerings.behind(db, asked.of_row(row.key), scope)
                assert down.total == row.figures
                assert sum((one.figures for one in down.page.rows), Figures()) == row.figures
                assert people.behind(db, asked.of_row(row.key), scope).total == row.people
        unit.rollback()


def test_each_figure_leads_to_offerings_that_give_something_to_it(db: Session) -> None:
    world = World(db)
    talk = world.close(Plan(date(2025, 3, 1), (300,), (), False, 1))
    course = world.close(Plan(date(2025, 3, 2), (0,), (PRESENT,), True, 1))
    for column in Column:
        down = offerings.behind(db, YEAR, EVERYTHING, column=column)
        giving = {row.offering_id for row in down.page.rows}
        expected = {
            Column.OFFERINGS: {talk.id, course.id}, Column.COUNTED: {talk.id}, Column.CERTIFICATES: set(),
            Column.PERSON_TIMES: {talk.id, course.id},
        }.get(column, {course.id})  # fmt: skip
        assert giving == expected


def test_the_last_half_hour_of_a_month_belongs_to_it(db: Session, make: Make) -> None:
    for day, hour, minute in ((date(2025, 3, 31), 23, 30), (date(2025, 4, 1), 0, 10)):
        start = datetime(day.year, day.month, day.day, hour, minute, tzinfo=BEIJING)
        person_time.record_closing(db, make.offering(starts=[start], hours=0.3), BEIJING)
    march = enrolment.report(
        db, replace(YEAR, since=date(2025, 3, 1), until=date(2025, 3, 31)), EVERYTHING, zone=BEIJING
    )
    assert [(row.key, row.figures.offerings) for row in march.rows] == [("2025-03", 1)]
    both = enrolment.report(db, YEAR, EVERYTHING, zone=BEIJING)
    assert [(row.key, row.figures.offerings) for row in both.rows] == [("2025-03", 1), ("2025-04", 1)]


def test_a_correction_of_a_frozen_quarter_is_an_adjustment_of_today(db: Session) -> None:
    world = World(db)
    plan = Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 1)
    offering = world.close(plan)
    quarters.freeze(db, Quarter(2025, 1), BEIJING)
    before = enrolment.report(db, YEAR, EVERYTHING, zone=BEIJING)
    world.fill(offering, replace(plan, headcounts=(25,)))
    person_time.record_correction(db, offering, "补交签到表", BEIJING)
    assert enrolment.report(db, YEAR, EVERYTHING, zone=BEIJING).total == before.total
    today = clock.today(BEIJING)
    open_ = enrolment.report(db, replace(YEAR, since=today, until=today), EVERYTHING, zone=BEIJING)
    assert open_.total == Figures(counted=15, adjusted=15)
    [line] = open_.adjustments
    assert (line.offering_id, line.counted_on, line.reason) == (offering.id, date(2025, 3, 1), "补交签到表")
    assert (line.person_times, line.late_closing) == (15, False)


def test_a_correction_of_an_open_quarter_changes_that_quarter(db: Session) -> None:
    world = World(db)
    plan = Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 1)
    offering = world.close(plan)
    world.fill(offering, replace(plan, headcounts=(4,)))
    person_time.record_correction(db, offering, "重复清点", BEIJING)
    found = enrolment.report(db, YEAR, EVERYTHING, zone=BEIJING)
    assert (found.total.counted, found.total.offerings, found.total.adjusted) == (4, 1, 0)
    assert found.adjustments == ()


def test_a_report_as_of_a_day_shows_what_was_known_then(db: Session) -> None:
    world = World(db)
    plan = Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 1)
    with clock.at(datetime(2025, 3, 1, 18, tzinfo=BEIJING)):
        offering = world.close(plan)
    world.fill(offering, replace(plan, headcounts=(4,)))
    with clock.at(datetime(2025, 4, 2, 0, 0, 1, tzinfo=BEIJING)):
        person_time.record_correction(db, offering, "重复清点", BEIJING)
    known = {
        day: enrolment.report(
            db, replace(YEAR, known_before=Filters.end_of(day, BEIJING)), EVERYTHING, zone=BEIJING
        ).total.person_times
        for day in (date(2025, 2, 28), date(2025, 4, 1), date(2025, 4, 2))
    }
    assert known == {date(2025, 2, 28): 0, date(2025, 4, 1): 11, date(2025, 4, 2): 5}


def test_an_offering_closed_late_is_shown_as_an_adjustment(db: Session) -> None:
    quarters.freeze(db, Quarter(2025, 1), BEIJING)
    World(db).close(Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 1))
    today = clock.today(BEIJING)
    found = enrolment.report(db, replace(YEAR, since=today, until=today), EVERYTHING, zone=BEIJING)
    assert found.total.adjusted == found.total.person_times == 11
    assert [line.late_closing for line in found.adjustments] == [True]


def test_what_is_not_closed_is_shown_apart(db: Session, make: Make) -> None:
    start = datetime(2025, 5, 6, 9, tzinfo=BEIJING)
    held, planned = make.offering(starts=[start]), make.offering(starts=[start])
    attend(db, make.enrolment(held), held.sessions[0])
    make.enrolment(planned)
    found = enrolment.report(db, YEAR, EVERYTHING, zone=BEIJING)
    assert found.total == Figures()
    assert found.progress == enrolment.Progress(offerings=1, enrolled=1, named=1, counted=0)
    open_ = offerings.open_now(db, YEAR, EVERYTHING, zone=BEIJING)
    assert [(row.offering_id, row.counted_on) for row in open_.rows] == [(held.id, date(2025, 5, 6))]
    elsewhere = offerings.open_now(db, YEAR, Scope(district_ids=frozenset({2})), zone=BEIJING)
    assert elsewhere.rows == []


def test_another_districts_question_finds_nothing(db: Session) -> None:
    other = World(db).close(Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 2))
    mine = Scope(district_ids=frozenset({1}))
    with pytest.raises(NotFound):
        enrolment.report(db, replace(YEAR, district=2), mine, zone=BEIJING)
    with pytest.raises(NotFound):
        offerings.behind(db, replace(YEAR, district=2), mine)
    with pytest.raises(NotFound):
        people.of_offering(db, other.id, mine)
    by_district = replace(YEAR, grouping=Grouping.DISTRICT, key="2")
    assert offerings.behind(db, by_district, mine).page.rows == []
    assert people.behind(db, by_district, mine).rows == []
    found = enrolment.report(db, replace(YEAR, grouping=Grouping.HOST), mine, zone=BEIJING)
    assert (found.rows, found.total, found.branch.person_times, found.branch_people) == ((), Figures(), 11, 1)
    assert {one.key for one in options(db, mine).districts} == {"1"}


def test_a_host_is_found_by_a_part_of_its_name_and_percent_means_itself(db: Session, make: Make) -> None:
    for name in ("朝阳区第一小学", "海淀区第一小学", "100%健康公司"):
        host = make.organisation(name_zh=name, name_en=None)
        offering = make.offering(organisation=host, starts=[datetime(2025, 3, 1, 9, tzinfo=BEIJING)])
        person_time.record_closing(db, offering, BEIJING)

    def number(part: str) -> int:
        asked = replace(YEAR, organisation=part)
        return enrolment.report(db, asked, EVERYTHING, zone=BEIJING).total.offerings

    assert [number(part) for part in ("第一小学", "朝阳", "%", "没有")] == [2, 1, 1, 0]


def test_the_people_of_an_offering_add_up_to_its_figures(db: Session) -> None:
    cast = (
        PRESENT,
        Person(1, EnrolmentState.FAILED, (Presence(0, 30, 150), Presence(1, 0, None))),
        Person(2, EnrolmentState.INCOMPLETE, ()),
        Person(3, EnrolmentState.CANCELLED, ()),
    )
    offering: Offering = World(db).close(Plan(date(2025, 3, 1), (5, 7), cast, False, 1))
    counted = person_time.ledger_total(db, offering.id)
    found = people.of_offering(db, offering.id, EVERYTHING)
    assert (found.present, found.minutes, found.headcount) == (counted.named, counted.minutes, counted.counted)
    assert sorted(one.sessions for one in found.people) == [0, 1, 2]
    assert all("****" in one.phone for one in found.people)


def test_figures_add_up_field_by_field() -> None:
    ones = Figures(*(n for n, _field in enumerate(fields(Figures))))
    assert (ones + ones).certificates == 2 * ones.certificates


@given(today=st.dates(date(2000, 1, 1), date(2090, 12, 31)))
def test_the_handy_periods_hold_whole_months(today: date) -> None:
    found = {period.name: period for period in presets(today)}
    for name in ("this_month", "this_quarter", "this_year"):
        assert found[name].since <= today <= found[name].until
    assert all(period.since.day == 1 and period.until.day >= 28 for period in found.values())
    assert found["last_quarter"].until < found["this_quarter"].since
