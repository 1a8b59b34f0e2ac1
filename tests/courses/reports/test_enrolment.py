"""The enrolment report against a count by hand, its rows against its sum, and each number against what it is made of."""

from dataclasses import replace
from datetime import date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from courses.counting import person_time
from courses.reports import districts_by_period, enrolment, offerings, people
from courses.reports.ledger import Figures
from courses.reports.questions import Grouping
from lms.core.scope import EVERYTHING
from tests.courses.reports.asking import PRESENT, ask, in_district
from tests.courses.worlds import BEIJING, Plan, World, plans
from tests.factories import Make


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
        scope = EVERYTHING if everywhere else in_district(district or 1)
        mine = [
            n for n, plan in enumerate(held)
            if (district is None or plan.district == district)
            and (everywhere or plan.district == (district or 1))
            and (programme is None or plan.programme == programme)
        ]  # fmt: skip
        of_branch = [n for n, plan in enumerate(held) if programme is None or plan.programme == programme]
        for grouping in Grouping:
            question = ask(scope, grouping=grouping, district=district, programme=programme)
            report = enrolment.report(db, question, zone=BEIJING)
            expected = by_hand([held[n] for n in mine])
            assert report.total == replace(expected, certificates=sum(issued.get(n, 0) for n in mine))
            assert report.branch == replace(
                by_hand([held[n] for n in of_branch]), certificates=sum(issued.get(n, 0) for n in of_branch)
            )
            assert sum((row.figures for row in report.rows), Figures()) == report.total
            assert report.people == heads([held[n] for n in mine])
            assert report.branch_people == heads([held[n] for n in of_branch])
            assert offerings.drill_down(db, question).total == report.total
            crossed = districts_by_period.figures(db, question)
            assert sum((row.figures for row in crossed), Figures()) == report.total
            assert districts_by_period.table(db, question).total == report.total.person_times
            assert people.drill_down(db, question).total == report.people
            for row in report.rows:
                down = offerings.drill_down(db, question.with_key(row.key))
                assert down.total == row.figures
                assert sum((offering.figures for offering in down.page.rows), Figures()) == row.figures
                assert people.drill_down(db, question.with_key(row.key)).total == row.people
        unit.rollback()


def test_the_last_half_hour_of_a_month_belongs_to_it(db: Session, make: Make) -> None:
    for day, hour, minute in ((date(2025, 3, 31), 23, 30), (date(2025, 4, 1), 0, 10)):
        start = datetime(day.year, day.month, day.day, hour, minute, tzinfo=BEIJING)
        person_time.record_closing(db, make.offering(starts=[start], hours=0.3), BEIJING)
    march = enrolment.report(db, ask(since=date(2025, 3, 1), until=date(2025, 3, 31)), zone=BEIJING)
    assert [(row.key, row.figures.offerings) for row in march.rows] == [("2025-03", 1)]
    both = enrolment.report(db, ask(), zone=BEIJING)
    assert [(row.key, row.figures.offerings) for row in both.rows] == [("2025-03", 1), ("2025-04", 1)]


def test_rows_of_another_district_are_left_out_and_the_branch_stands_beside_them(db: Session) -> None:
    World(db).close(Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 2))
    report = enrolment.report(db, ask(in_district(1), grouping=Grouping.HOST), zone=BEIJING)
    assert (report.rows, report.total) == ((), Figures())
    assert (report.branch.person_times, report.branch_people) == (11, 1)


def test_rows_and_branch_total_are_those_of_the_report(db: Session) -> None:
    world = World(db)
    world.close(Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 1))
    world.close(Plan(date(2025, 5, 1), (20,), (), False, 2))
    question = ask(in_district(1))
    report = enrolment.report(db, question, zone=BEIJING)
    assert [(row.key, row.figures) for row in enrolment.rows(db, question)] == [
        (row.key, row.figures) for row in report.rows
    ]
    assert enrolment.branch_total(db, question) == report.branch
    assert report.branch.person_times == 31
