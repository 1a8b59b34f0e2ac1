"""The indicators: each rate from the report's own figures, compared with the same days a year before."""

from datetime import date

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from courses.counting import person_time, population, targets
from courses.models.enrolment import EnrolmentState
from courses.reports import indicators
from courses.reports.ledger import Figures
from courses.reports.questions import Grouping
from lms.config import Settings
from lms.core.errors import NotFound
from tests.courses.imports.files_of import Importer
from tests.courses.reports.asking import ask, in_district
from tests.courses.worlds import BEIJING, Person, Plan, Presence, World
from tests.factories import Make

BY_DISTRICT = ask(grouping=Grouping.DISTRICT)
THERE = (Presence(0, 0, None),)
PEOPLE = (
    Person(0, EnrolmentState.COMPLETED, THERE),
    Person(1, EnrolmentState.FAILED, THERE),
    Person(2, EnrolmentState.INCOMPLETE, ()),
)


def test_rates_are_of_the_reports_own_figures(db: Session) -> None:
    world = World(db)
    first = world.close(Plan(date(2025, 3, 1), (10, 0), PEOPLE, False, 1))
    again = world.close(Plan(date(2025, 5, 1), (0,), PEOPLE[:1], True, 1))
    world.close(Plan(date(2024, 12, 31), (6,), (), False, 1))
    person_time.record_certificates(db, first.id, 3, date(2025, 3, 2))
    person_time.record_certificates(db, again.id, 2, date(2025, 5, 2))
    targets.save(db, 2025, {("FIRST_RESPONDER", 1): 26, ("RESCUE", 2): 4}, {})
    population.save(db, 2023, {1: 1000, 2: 500}, "统计年鉴")
    found = indicators.report(db, BY_DISTRICT, zone=BEIJING)
    row, unreached = found.rows
    assert (unreached.row.name_en, unreached.person_times, unreached.target, unreached.completion) == (
        "Xicheng",
        0,
        4,
        0,
    )
    assert (row.person_times, row.before, row.growth) == (13, 6, pytest.approx(7 / 6))
    assert (row.target, row.completion) == (26, 0.5)
    assert (row.certified, row.renewed) == (3, 2)
    assert (row.pass_rate, row.no_show) == (pytest.approx(2 / 3), 0.25)
    assert (row.sessions, row.class_size) == (3, 6.5)
    assert (row.row.people, row.share) == (2, pytest.approx(0.002))
    assert (found.total.target, found.total.registered, found.target_year) == (30, 1500, 2025)


def test_a_month_is_compared_with_the_same_month_a_year_before(db: Session, settings: Settings, app: Flask) -> None:
    world = World(db)
    world.close(Plan(date(2024, 5, 1), (6,), (), False, 1))
    world.close(Plan(date(2025, 5, 9), (9,), (), False, 1))
    old = {"district": "东城区", "programme": "RESCUE"}
    Importer(db, settings, "opening_balances").done(
        [{**old, "month": "2024-05", "person_times": "3"}, {**old, "month": "2025-06", "person_times": "4"}]
    )
    found = indicators.report(db, ask(grouping=Grouping.MONTH), zone=BEIJING)
    assert [(one.row.key, one.person_times, one.before) for one in found.rows] == [("2025-05", 9, 9), ("2025-06", 4, 0)]
    assert found.rows[0].growth == 0
    assert found.rows[1].growth is None
    assert (found.total.person_times, found.total.before) == (13, 9)


@pytest.mark.parametrize("figures", [Figures(named=3, enrolled=2), Figures(named=1, enrolled=0, passed=2)])
def test_an_adjustment_without_its_people_gives_no_rate(figures: Figures) -> None:
    """A rate of −50 % or 200 % would be read as a fault of the figures."""
    assert indicators.no_show_rate(figures) is None
    assert indicators.pass_rate(Figures(named=1, passed=2)) is None


def test_nothing_to_divide_by_is_no_rate(db: Session) -> None:
    total = indicators.report(db, BY_DISTRICT, zone=BEIJING).total
    rates = (total.growth, total.completion, total.pass_rate, total.no_show, total.class_size, total.share)
    assert rates == (None,) * 6


def test_waiting_lists_and_targets_keep_to_the_scope(db: Session, make: Make) -> None:
    for district in (1, 2):
        offering = make.offering(organisation=make.organisation(district))
        make.enrolment(offering, make.trainee(), state=EnrolmentState.WAITLISTED)
    targets.save(db, 2025, {("RESCUE", 1): 5, ("RESCUE", 2): 7}, {})
    found = indicators.report(db, ask(in_district(2), grouping=Grouping.DISTRICT), zone=BEIJING)
    assert (found.total.waiting, found.total.target) == (1, 7)
    assert indicators.report(db, BY_DISTRICT, zone=BEIJING).total.waiting == 2
    with pytest.raises(NotFound):
        ask(in_district(2), grouping=Grouping.DISTRICT, district=1)


def test_a_row_is_compared_with_the_same_period_a_year_before() -> None:
    assert indicators.key_a_year_before(Grouping.MONTH, "2017-05") == "2016-05"
    assert indicators.key_a_year_before(Grouping.QUARTER, "2017Q1") == "2016Q1"
    assert indicators.key_a_year_before(Grouping.DISTRICT, "1") == "1"
