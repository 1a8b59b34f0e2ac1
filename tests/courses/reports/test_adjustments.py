"""Corrections of a frozen quarter, and offerings closed after it was frozen, are adjustments of the open quarter."""

from dataclasses import replace
from datetime import date

from sqlalchemy.orm import Session

from courses.counting import person_time, quarters
from courses.counting.quarters import Quarter
from courses.reports import enrolment
from courses.reports.adjustments import adjustments
from courses.reports.ledger import Figures
from courses.reports.questions import Question
from lms.core import clock
from tests.courses.reports.asking import PRESENT, ask
from tests.courses.worlds import BEIJING, Plan, World


def of_today() -> Question:
    today = clock.today(BEIJING)
    return ask(since=today, until=today)


def test_a_correction_of_a_frozen_quarter_is_an_adjustment_of_today(db: Session) -> None:
    world = World(db)
    plan = Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 1)
    offering = world.close(plan)
    quarters.freeze(db, Quarter(2025, 1), BEIJING)
    before = enrolment.report(db, ask(), zone=BEIJING)
    world.fill(offering, replace(plan, headcounts=(25,)))
    person_time.record_correction(db, offering, "补交签到表", BEIJING)
    assert enrolment.report(db, ask(), zone=BEIJING).total == before.total
    open_ = enrolment.report(db, of_today(), zone=BEIJING)
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
    report = enrolment.report(db, ask(), zone=BEIJING)
    assert (report.total.counted, report.total.offerings, report.total.adjusted) == (4, 1, 0)
    assert report.adjustments == ()


def test_an_offering_closed_late_is_shown_as_an_adjustment(db: Session) -> None:
    quarters.freeze(db, Quarter(2025, 1), BEIJING)
    World(db).close(Plan(date(2025, 3, 1), (10,), (PRESENT,), False, 1))
    report = enrolment.report(db, of_today(), zone=BEIJING)
    assert report.total.adjusted == report.total.person_times == 11
    assert [line.late_closing for line in report.adjustments] == [True]


def test_the_latest_come_first_and_a_limit_cuts_the_rest(db: Session) -> None:
    quarters.freeze(db, Quarter(2025, 1), BEIJING)
    world = World(db)
    first, second = (world.close(Plan(date(2025, 3, day), (10,), (), False, 1)) for day in (1, 2))
    assert [row.offering_id for row in adjustments(db, of_today())] == [second.id, first.id]
    assert [row.offering_id for row in adjustments(db, of_today(), limit=1)] == [second.id]
